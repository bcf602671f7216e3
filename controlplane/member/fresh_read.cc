#include "controlplane/member/fresh_read.h"

#include <utility>

namespace swarmdns::controlplane {
namespace {

constexpr std::uint64_t kLookMs = 100;

std::string no_quorum(LogFault fault) {
  return std::string("the quorum could not be asked: ") + to_text(fault);
}

}  // namespace

FreshRead::FreshRead(Reactor& reactor, PeerLink& link, ReplicatedLog& log, Chain& chain, Follower& follower)
    : reactor_(reactor),
      link_(link),
      log_(log),
      chain_(chain),
      follower_(follower),
      patience_(reactor),
      poster_(reactor) {
  chain_.subscribe([this](const AppliedBlock&) {
    if (!waiting_.empty()) look();
  });
}

FreshRead::~FreshRead() {
  for (auto& [request, waiting] : waiting_) waiting.done(std::unexpected("the node stops"));
}

void FreshRead::read(Done done) {
  if (!follower_.following()) {
    log_.read([done = std::move(done)](const std::expected<std::uint64_t, LogFault>& read) {
      if (read) return done({});
      done(std::unexpected(no_quorum(read.error())));
    });
    return;
  }
  const NodeId leader = follower_.leader();
  v1::PeerMessage message;
  message.set_request(next_request_);
  message.mutable_height_request();
  if (leader == 0 || !link_.send(leader, Channel::kConsensus, std::move(message))) {
    poster_.post([done = std::move(done)] {
      done(std::unexpected("the quorum could not be asked: no member that leads can be reached from here"));
    });
    return;
  }
  waiting_[next_request_++] = {std::move(done), leader, 0, reactor_.now_ms() + kPatienceMs};
  if (!patience_.running()) patience_.start(kLookMs, [this] { look(); });
}

void FreshRead::receive(NodeId from, std::uint64_t request, const v1::HeightRequest&) {
  log_.read([this, from, request,
             alive = std::weak_ptr(alive_)](const std::expected<std::uint64_t, LogFault>& read) {
    if (alive.expired()) return;
    v1::PeerMessage message;
    message.set_request(request);
    v1::HeightResponse& response = *message.mutable_height_response();
    if (read) {
      response.set_height(chain_.height());
    } else {
      response.set_problem(no_quorum(read.error()));
    }
    link_.send(from, Channel::kConsensus, std::move(message));
  });
}

void FreshRead::receive(NodeId from, std::uint64_t request, const v1::HeightResponse& message) {
  const auto at = waiting_.find(request);
  if (at == waiting_.end() || at->second.asked != from || at->second.height != 0) return;
  if (message.height() == 0)
    return finish(request,
                  std::unexpected(message.problem().empty() ? "the member that leads has no ledger yet"
                                                            : message.problem()));
  at->second.height = message.height();
  look();
}

void FreshRead::look() {
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    const auto& [request, waiting] = *at++;  // it may go
    if (waiting.height != 0 && chain_.height() >= waiting.height) {
      finish(request, {});
    } else if (reactor_.now_ms() >= waiting.deadline_ms) {
      finish(request, std::unexpected(waiting.height == 0 ? "the member that leads did not answer"
                                                          : "this node has not come to block " +
                                                                std::to_string(waiting.height) + " in time"));
    }
  }
  if (!waiting_.empty()) patience_.start(kLookMs, [this] { look(); });
}

// Not from within the chain: whoever waits may do anything.
void FreshRead::finish(std::uint64_t request, std::expected<void, std::string> result) {
  auto node = waiting_.extract(request);
  poster_.post([done = std::move(node.mapped().done), result = std::move(result)] { done(result); });
}

}  // namespace swarmdns::controlplane
