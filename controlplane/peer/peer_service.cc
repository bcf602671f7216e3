#include "controlplane/peer/peer_service.h"

#include <atomic>
#include <set>
#include <utility>

#include "controlplane/peer/incoming_stream.h"

namespace swarmdns::controlplane {
namespace {

// "ipv4:10.54.0.2:41234" without the port.
std::string host_of(const std::string& peer) {
  return peer.substr(0, peer.rfind(':'));
}

// A stream that ends with its status and nothing else.
class RefusedStream final : public grpc::ServerBidiReactor<v1::PeerFrames, v1::PeerFrames> {
 public:
  RefusedStream(const grpc::Status& status, Living::Token living) : living_(std::move(living)) {
    Finish(status);
  }

 private:
  void OnDone() override { delete this; }

  const Living::Token living_;
};

}  // namespace

// The Join calls that wait for an answer.
class PendingJoins {
 public:
  class Call;

  explicit PendingJoins(std::size_t limit) : limit_(limit) {}

  // Nothing: there are enough, or it is closed.
  std::shared_ptr<Call> add(const std::shared_ptr<PendingJoins>& self, grpc::ServerUnaryReactor* call,
                            v1::JoinResponse* response);
  void close();

 private:
  const std::size_t limit_;
  std::mutex mutex_;
  std::set<Call*> calls_;
  bool closed_ = false;
};

// Finished by an answer, at the latest when nobody can give one any more.
class PendingJoins::Call {
 public:
  Call(std::shared_ptr<PendingJoins> owner, grpc::ServerUnaryReactor* call, v1::JoinResponse* response)
      : owner_(std::move(owner)), call_(call), response_(response) {}
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  ~Call() {
    {
      const std::scoped_lock lock(owner_->mutex_);
      owner_->calls_.erase(this);
    }
    give_up();
  }

  void answer(v1::JoinResponse response) {
    if (answered_.exchange(true)) return;
    *response_ = std::move(response);
    call_->Finish(grpc::Status::OK);
  }
  void give_up() {
    if (answered_.exchange(true)) return;
    call_->Finish({grpc::StatusCode::UNAVAILABLE, "the node is busy with itself; ask again or ask another"});
  }

 private:
  const std::shared_ptr<PendingJoins> owner_;
  grpc::ServerUnaryReactor* const call_;  // gRPC's, and with it the response, until the call is finished
  v1::JoinResponse* const response_;
  std::atomic<bool> answered_{false};
};

std::shared_ptr<PendingJoins::Call> PendingJoins::add(const std::shared_ptr<PendingJoins>& self,
                                                      grpc::ServerUnaryReactor* call,
                                                      v1::JoinResponse* response) {
  const std::scoped_lock lock(mutex_);
  if (closed_ || calls_.size() >= limit_) return nullptr;
  auto added = std::make_shared<Call>(self, call, response);
  calls_.insert(added.get());
  return added;
}

void PendingJoins::close() {
  const std::scoped_lock lock(mutex_);
  closed_ = true;
  for (Call* const call : calls_) call->give_up();
}

PeerService::PeerService(const PeerTls& tls, Reactor& reactor, const v1::PeerHello& own,
                         const PeerLimits& limits, std::shared_ptr<PeerRegistry> registry,
                         std::shared_ptr<Inbox> inbox, Living& living,
                         std::function<void(std::string, bool earlier)> refused)
    : tls_(tls),
      reactor_(reactor),
      own_(own),
      limits_(limits),
      registry_(std::move(registry)),
      inbox_(std::move(inbox)),
      living_(living),
      refused_(std::move(refused)),
      joins_(std::make_shared<PendingJoins>(limits.joins)) {}

void PeerService::close() {
  joins_->close();
}

void PeerService::on_join(JoinHandler handler) {
  const std::scoped_lock lock(mutex_);
  join_ = std::make_shared<const JoinHandler>(std::move(handler));
}

grpc::ServerBidiReactor<v1::PeerFrames, v1::PeerFrames>* PeerService::Exchange(
    grpc::CallbackServerContext* call) {
  PeerVerdict caller = tls_.caller(*call);
  if (caller.kind != PeerKind::kMember) {
    refused_((caller.earlier_incarnation ? host_of(call->peer()) : call->peer()) + ": " + caller.reason,
             caller.earlier_incarnation);
    const auto code = caller.kind == PeerKind::kStranger ? grpc::StatusCode::PERMISSION_DENIED
                                                         : grpc::StatusCode::UNAUTHENTICATED;
    return new RefusedStream({code, caller.reason}, living_.token());
  }
  const auto stream = std::make_shared<IncomingStream>(caller.id, std::move(caller.pin), own_, limits_,
                                                       registry_, inbox_, living_.token());
  stream->start();
  return stream.get();
}

grpc::ServerUnaryReactor* PeerService::Join(grpc::CallbackServerContext* call, const v1::JoinRequest* request,
                                            v1::JoinResponse* response) {
  grpc::ServerUnaryReactor* const reactor = call->DefaultReactor();
  PeerVerdict caller = tls_.caller(*call);
  if (caller.kind == PeerKind::kRefused) {
    refused_((caller.earlier_incarnation ? host_of(call->peer()) : call->peer()) + ": " + caller.reason,
             caller.earlier_incarnation);
    reactor->Finish({grpc::StatusCode::UNAUTHENTICATED, caller.reason});
    return reactor;
  }
  std::shared_ptr<const JoinHandler> handler;
  {
    const std::scoped_lock lock(mutex_);
    handler = join_;
  }
  if (!handler) {
    reactor->Finish({grpc::StatusCode::UNAVAILABLE, "this node lets nobody join yet; ask another"});
    return reactor;
  }
  auto pending = joins_->add(joins_, reactor, response);
  if (!pending) {
    reactor->Finish(
        {grpc::StatusCode::RESOURCE_EXHAUSTED, "too many nodes join at once; try again in a second"});
    return reactor;
  }
  reactor_.post(
      [handler, pending = std::move(pending), request = *request, caller = std::move(caller)]() mutable {
        (*handler)(
            std::move(request), std::move(caller),
            [pending = std::move(pending)](v1::JoinResponse answer) { pending->answer(std::move(answer)); });
      });
  return reactor;
}

}  // namespace swarmdns::controlplane
