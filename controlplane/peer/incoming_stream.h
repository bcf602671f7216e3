// One stream on which a peer speaks to this node. Made by PeerService for a caller whose certificate is a
// member's; it is admitted when its hello fits that certificate and PeerRegistry knows the peer. gRPC calls
// it on its threads.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "controlplane/core/peer_link.h"
#include "controlplane/peer/inbox.h"
#include "controlplane/peer/living.h"
#include "controlplane/peer/peer_limits.h"
#include "controlplane/peer/peer_registry.h"
#include "swarmdns/v1/peer.grpc.pb.h"

namespace swarmdns::controlplane {

class IncomingStream final : public grpc::ServerBidiReactor<v1::PeerFrames, v1::PeerFrames>,
                             public std::enable_shared_from_this<IncomingStream> {
 public:
  // `peer` and `pin` by the caller's certificate; `own` is the hello of this node, its `to` and `channel`
  // still empty.
  IncomingStream(NodeId peer, std::string pin, const v1::PeerHello& own, const PeerLimits& limits,
                 std::shared_ptr<PeerRegistry> registry, std::shared_ptr<Inbox> inbox, Living::Token living);
  void start();

  // Any thread. Ends at once with this status; nothing of it is handled any more.
  void cut_off(const grpc::Status& status);
  bool cut() const { return cut_; }

  NodeId peer() const { return peer_; }
  const std::string& pin() const { return pin_; }
  // After admission.
  Channel channel() const { return channel_; }

  // Reactor thread: so much of what it gave to the inbox is done with.
  void handled(std::size_t bytes);

 private:
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  void take_hello();
  std::string fault_of(const v1::PeerHello& hello) const;
  void finish(const grpc::Status& status);
  void read_more();

  const Living::Token living_;  // first, so that it goes last
  const NodeId peer_;
  const std::string pin_;
  const v1::PeerHello own_;
  const PeerLimits limits_;
  const std::shared_ptr<PeerRegistry> registry_;
  const std::shared_ptr<Inbox> inbox_;
  std::shared_ptr<IncomingStream> self_;  // gRPC's share of the ownership
  Channel channel_ = Channel::kConsensus;
  bool admitted_ = false;  // by the reads, which follow each other
  v1::PeerFrames in_;
  v1::PeerFrames out_;
  std::atomic<bool> cut_{false};

  std::mutex mutex_;  // all below
  bool finished_ = false;
  bool reading_ = true;  // no: too much is unhandled
  std::size_t unhandled_ = 0;
};

}  // namespace swarmdns::controlplane
