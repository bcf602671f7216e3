#include "controlplane/consensus/read_index.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <utility>

namespace swarmdns::controlplane {

namespace {

// Of followers, that wait; a leader under more than this is not asked in vain.
constexpr std::size_t kMaxWaiting = 65536;

}  // namespace

ReadIndex::ReadIndex(Reactor& reactor, ReadIndexView& view, std::uint64_t resend_ms, std::uint64_t timeout_ms)
    : reactor_(reactor), view_(view), resend_ms_(resend_ms), timeout_ms_(timeout_ms), timer_(reactor) {
  // Not from 1: an answer to a question of before a restart must not pass for one of now.
  std::array<std::byte, sizeof next_number_> octets{};
  reactor_.random(octets);
  std::memcpy(&next_number_, octets.data(), sizeof next_number_);
  next_number_ = (next_number_ >> 2) + 1;
}

void ReadIndex::read(LogDone<std::uint64_t> done) {
  Read read{.done = std::move(done), .deadline_ms = reactor_.now_ms() + timeout_ms_};
  if (waiting_.size() >= kMaxWaiting) {
    finish(std::move(read), std::unexpected(LogFault::kBusy));
    return;
  }
  waiting_.push_back(std::move(read));
  look();
}

void ReadIndex::on_request(NodeId from, std::uint64_t request, bool confirm) {
  if (confirm) {
    v1::PeerMessage message;
    message.set_request(request);
    v1::ReadIndexResponse* response = message.mutable_read_index_response();
    response->set_term(view_.read_term());
    response->set_confirmed(true);
    view_.read_send(from, std::move(message));
    return;
  }
  if (!view_.read_may_lead() || waiting_.size() >= kMaxWaiting) {
    answer(from, request, 0);
    return;
  }
  waiting_.push_back({.from = from, .request = request, .deadline_ms = reactor_.now_ms() + timeout_ms_});
  look();
}

void ReadIndex::on_response(NodeId from, std::uint64_t request, const v1::ReadIndexResponse& response) {
  if (round_.number == 0 || request != round_.number) return;
  if (response.confirmed()) {
    if (!round_.leading || response.term() != round_.term) return;
    round_.confirmed.insert(from);
    look();
    return;
  }
  if (round_.leading || from != round_.leader) return;
  if (response.index() == 0) return;  // not the leader (yet): asked again in a while, then perhaps another
  confirmed(response.index());
  look();
}

void ReadIndex::look() {
  if (round_.number != 0) {
    const bool still = round_.leading ? view_.read_may_lead() && view_.read_term() == round_.term
                                      : !view_.read_may_lead() && view_.read_leader() == round_.leader;
    if (!still) abandon();
  }
  if (round_.number == 0 && !waiting_.empty()) begin();
  // Also of a round that begin() has just made: the only voter needs nobody.
  while (round_.number != 0 && round_.leading && majority()) {
    confirmed(round_.index);
    if (!waiting_.empty()) begin();
  }
  const std::uint64_t applied = view_.read_applied_index();
  while (!until_applied_.empty() && until_applied_.begin()->first <= applied) {
    auto node = until_applied_.extract(until_applied_.begin());
    finish(std::move(node.mapped()), node.key());
  }
  arm();
}

void ReadIndex::fail_all(LogFault fault) {
  abandon();
  for (auto& [index, read] : std::exchange(until_applied_, {})) waiting_.push_back(std::move(read));
  for (Read& read : std::exchange(waiting_, {})) finish(std::move(read), std::unexpected(fault));
  timer_.stop();
}

void ReadIndex::begin() {
  const bool leading = view_.read_may_lead();
  const NodeId leader = view_.read_leader();
  if (!leading && (leader == 0 || leader == view_.read_self())) return;
  round_ = {.number = next_number_++, .leading = leading, .term = view_.read_term(), .leader = leader};
  if (leading) {
    round_.index = view_.read_commit_index();
    round_.confirmed.insert(view_.read_self());
  }
  round_.reads = std::exchange(waiting_, {});
  ask();
}

void ReadIndex::ask() {
  round_.sent_ms = reactor_.now_ms();
  v1::PeerMessage message;
  message.set_request(round_.number);
  message.mutable_read_index_request()->set_confirm(round_.leading);
  if (!round_.leading) {
    view_.read_send(round_.leader, std::move(message));
    return;
  }
  for (const NodeId voter : view_.read_voters())
    if (!round_.confirmed.contains(voter)) view_.read_send(voter, message);
}

// The reads wait for another round; nothing of them has been answered. Those of followers are told to look
// for another leader.
void ReadIndex::abandon() {
  for (Read& read : std::exchange(round_.reads, {})) waiting_.push_back(std::move(read));
  round_ = {};
  std::erase_if(waiting_, [&](const Read& read) {
    if (read.from == 0) return false;
    answer(read.from, read.request, 0);
    return true;
  });
}

void ReadIndex::confirmed(std::uint64_t index) {
  for (Read& read : std::exchange(round_.reads, {})) {
    if (read.from != 0)
      answer(read.from, read.request, index);
    else
      until_applied_.emplace(index, std::move(read));
  }
  round_ = {};
}

bool ReadIndex::majority() const {
  const std::vector<NodeId> voters = view_.read_voters();
  const auto count =
      std::ranges::count_if(voters, [&](NodeId voter) { return round_.confirmed.contains(voter); });
  return static_cast<std::size_t>(count) > voters.size() / 2;
}

void ReadIndex::answer(NodeId to, std::uint64_t request, std::uint64_t index) {
  v1::PeerMessage message;
  message.set_request(request);
  message.mutable_read_index_response()->set_term(view_.read_term());
  message.mutable_read_index_response()->set_index(index);
  view_.read_send(to, std::move(message));
}

void ReadIndex::expire() {
  const std::uint64_t now = reactor_.now_ms();
  const auto sweep = [&](std::vector<Read>& reads) {
    std::vector<Read> left;
    for (Read& read : reads) {
      if (read.deadline_ms > now) {
        left.push_back(std::move(read));
      } else if (read.from == 0) {
        finish(std::move(read), std::unexpected(LogFault::kTimedOut));
      }
    }
    reads = std::move(left);
  };
  sweep(waiting_);
  sweep(round_.reads);
  for (auto it = until_applied_.begin(); it != until_applied_.end();) {
    const auto next = std::next(it);
    if (it->second.deadline_ms <= now)
      finish(std::move(until_applied_.extract(it).mapped()), std::unexpected(LogFault::kTimedOut));
    it = next;
  }
  if (round_.number != 0 && round_.reads.empty()) round_ = {};
  if (round_.number != 0 && now - round_.sent_ms >= resend_ms_) ask();
}

void ReadIndex::finish(Read read, std::expected<std::uint64_t, LogFault> result) {
  reactor_.post([done = std::move(read.done), result] { done(result); });
}

void ReadIndex::arm() {
  const bool idle = waiting_.empty() && round_.number == 0 && until_applied_.empty();
  if (idle) {
    timer_.stop();
  } else if (!timer_.running()) {
    timer_.start(resend_ms_, [this] {
      expire();
      look();
    });
  }
}

}  // namespace swarmdns::controlplane
