// The gRPC service that peers call. Judges each caller by its certificate before anything is read. gRPC's
// threads.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "controlplane/certs/tls_credentials.h"
#include "controlplane/core/reactor.h"
#include "controlplane/peer/inbox.h"
#include "controlplane/peer/living.h"
#include "controlplane/peer/peer_limits.h"
#include "controlplane/peer/peer_registry.h"
#include "swarmdns/v1/peer.grpc.pb.h"

namespace swarmdns::controlplane {

// Called once at most, on any thread. Dropped without a call it tells the caller that the node is busy.
using JoinAnswer = std::function<void(v1::JoinResponse)>;
// Reactor thread. `caller` is a stranger as a rule; a member that asks again is none.
using JoinHandler = std::function<void(v1::JoinRequest request, PeerVerdict caller, JoinAnswer answer)>;

class PendingJoins;

class PeerService final : public v1::Peer::CallbackService {
 public:
  // `refused` hears, on any thread, of callers that were turned away, and whether it is a node of an earlier
  // incarnation: then without the port, the same sentence each time. `tls` and `reactor` outlive the service.
  PeerService(const PeerTls& tls, Reactor& reactor, const v1::PeerHello& own, const PeerLimits& limits,
              std::shared_ptr<PeerRegistry> registry, std::shared_ptr<Inbox> inbox, Living& living,
              std::function<void(std::string, bool earlier)> refused);

  // Without a handler Join is refused.
  void on_join(JoinHandler handler);
  // Ends the Join calls that still wait, and lets none in any more.
  void close();

  grpc::ServerBidiReactor<v1::PeerFrames, v1::PeerFrames>* Exchange(
      grpc::CallbackServerContext* call) override;
  grpc::ServerUnaryReactor* Join(grpc::CallbackServerContext* call, const v1::JoinRequest* request,
                                 v1::JoinResponse* response) override;

 private:
  const PeerTls& tls_;
  Reactor& reactor_;
  const v1::PeerHello own_;
  const PeerLimits limits_;
  const std::shared_ptr<PeerRegistry> registry_;
  const std::shared_ptr<Inbox> inbox_;
  Living& living_;
  const std::function<void(std::string, bool)> refused_;
  const std::shared_ptr<PendingJoins> joins_;
  std::mutex mutex_;
  std::shared_ptr<const JoinHandler> join_;
};

}  // namespace swarmdns::controlplane
