// PeerLink in production: gRPC streams over mTLS.
//
// Each node dials each peer, once for each channel, and speaks only on the streams that it has dialled
// itself; on those that a peer has dialled it listens. So a direction that cannot be dialled (a firewall, a
// wrong address) costs that direction only, nobody must agree on who dials, a node that has restarted reaches
// everyone at once by itself, and with one stream for each direction and channel there is nothing to put in
// order. A peer that dials in is dialled back without waiting for the pause that may be left. The price is
// four connections for a pair of nodes.
//
// A channel has connections of its own, for streams of one HTTP/2 connection share its flow control and its
// TCP: what BULK has written would stand before CONSENSUS.
//
// No thread a peer: gRPC's few threads write and read; they and the reactor thread meet in the queues of
// OutgoingStream and Inbox. The first message to an idle stream is written by the reactor thread itself.
//
// Made, used and destroyed on the reactor thread, not by a handler of its own; the destructor waits until
// gRPC is done with it.
#pragma once

#include <grpcpp/server.h>

#include <array>
#include <atomic>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/certs/tls_credentials.h"
#include "controlplane/core/peer_link.h"
#include "controlplane/core/reactor.h"
#include "controlplane/peer/inbox.h"
#include "controlplane/peer/living.h"
#include "controlplane/peer/outgoing_stream.h"
#include "controlplane/peer/peer_limits.h"
#include "controlplane/peer/peer_registry.h"
#include "controlplane/peer/peer_service.h"
#include "controlplane/supervise/back_off.h"

namespace swarmdns::controlplane {

struct PeerLinkOptions {
  NodeId node = 0;       // this one
  std::string swarm_id;  // 16 octets
  std::uint32_t incarnation = 0;
  std::string version;  // of the program, for the hello
  std::string listen;   // "10.54.0.1:8453", "[::]:8453"; port 0: any
  PeerLimits limits;
};

struct LaneStats {
  bool up = false;
  std::size_t queued_bytes = 0;
  std::uint64_t sent = 0;  // messages
  std::uint64_t sent_bytes = 0;
  std::uint64_t received = 0;
  std::uint64_t dropped_full = 0;
  std::uint64_t dropped_unconnected = 0;
  std::uint64_t lost = 0;  // had waited when a stream ended
  std::uint64_t dials = 0;
  std::string problem;  // why the stream is not up, in the peer's or the system's words
};

class GrpcPeerLink final : public PeerLink {
 public:
  // `tls` has identity and swarm, and outlives the link. When it gets another swarm view, set_peers()
  // follows.
  GrpcPeerLink(Reactor& reactor, PeerTls& tls, PeerLinkOptions options);
  ~GrpcPeerLink() override;
  GrpcPeerLink(const GrpcPeerLink&) = delete;
  GrpcPeerLink& operator=(const GrpcPeerLink&) = delete;

  void on_message(Handler handler) override;
  void on_join(JoinHandler handler);
  // Streams that come up, end, or are refused: sentences for the log, on the reactor thread. A repeated
  // attempt that fails as before is not told again; of refused callers one a second.
  void on_note(std::function<void(const std::string&)> note);

  // After the handlers are set, before set_peers(). The port that it listens on.
  std::expected<int, std::string> start();

  void set_peers(std::vector<PeerAddress> peers) override;
  bool send(NodeId to, Channel channel, v1::PeerMessage message) override;
  std::size_t queued_bytes(NodeId to, Channel channel) const override;
  bool connected(NodeId to) const override;
  // Nothing: not a peer.
  std::optional<LaneStats> stats(NodeId to, Channel channel) const;

  // A member is of a later incarnation of this swarm, as it says: this node was left behind by a recovery. ""
  // = no.
  const std::string& left_behind() const { return left_behind_; }
  // Sentences for whoever looks at the swarm: that, and callers of an earlier incarnation in the last minute.
  std::vector<std::string> troubles() const;

 private:
  // One peer, one channel, outwards.
  struct Lane {
    Lane(Reactor& reactor, const BackOffOptions& options, const std::function<double()>& random)
        : back_off(options, random), pause(reactor) {}

    std::shared_ptr<OutgoingStream> stream;  // being dialled or up; null while it pauses
    std::uint64_t attempt = 0;               // the number of the stream's
    std::uint64_t dialled_ms = 0;            // when it was dialled
    bool up = false;
    BackOff back_off;
    Timer pause;
    std::shared_ptr<LaneCounters> counters = std::make_shared<LaneCounters>();
    std::uint64_t received = 0;
    std::uint64_t dials = 0;
    std::string problem;
    std::shared_ptr<std::atomic<bool>> later = std::make_shared<std::atomic<bool>>(false);
    bool greets_only = false;  // dialled to say that this node is there, and to hear why it may not be
  };
  struct Peer {
    PeerAddress address;
    std::array<std::unique_ptr<Lane>, kChannels> lanes;
  };

  Lane* find(NodeId peer, Channel channel) const;
  Peer make_peer(PeerAddress address);
  void dial(NodeId peer, Channel channel);
  void hang_up(Lane& lane);
  void stream_up(NodeId peer, Channel channel, std::uint64_t attempt);
  void stream_ended(NodeId peer, Channel channel, std::uint64_t attempt, const std::string& why);
  void dialled_by(NodeId peer, Channel channel);
  void refused(const std::string& text, bool shown);
  void note(const std::string& text) const;
  v1::PeerHello own_hello() const;
  // A function for any thread that runs `task` on the reactor thread, unless the link is gone then.
  template <typename... Arguments, typename Task>
  std::function<void(Arguments...)> posting(Task task);

  Reactor& reactor_;
  PeerTls& tls_;
  const PeerLinkOptions options_;
  Handler handler_;
  JoinHandler join_;
  std::function<void(const std::string&)> note_;
  std::map<NodeId, Peer> peers_;
  std::uint64_t attempts_ = 0;
  std::uint64_t refusal_noted_ms_ = 0;
  std::uint64_t refusals_untold_ = 0;
  std::string left_behind_;
  std::map<std::string, std::uint64_t> refused_ms_;  // what was said to callers, and when last
  std::shared_ptr<GrpcPeerLink*> alive_;             // what posted tasks look at, on the reactor thread

  Living outgoing_;
  Living incoming_;
  std::shared_ptr<PeerRegistry> registry_;
  std::shared_ptr<Inbox> inbox_;
  std::unique_ptr<PeerService> service_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace swarmdns::controlplane
