// Messages between the nodes of a swarm: one way, in order per peer and channel, now and then lost. Whoever
// needs an answer numbers its request and gives it a time-out. In production gRPC streams over mTLS (peer/),
// in tests/sim a simulated network.
//
// Reactor thread, all of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "swarmdns/v1/peer.pb.h"

namespace swarmdns::controlplane {

// A node's number in the swarm: from 1, given when it joins, never given again. 0: none.
using NodeId = std::uint64_t;

enum class Channel : std::uint8_t {
  kConsensus,  // small and urgent: the log's messages, cosignatures, forwarded transactions, fences
  kBulk,       // segments, blocks, pieces of snapshots, warm-up: never delays the other
};
inline constexpr std::size_t kChannels = 2;

struct PeerAddress {
  NodeId id = 0;
  std::string address;  // "10.54.0.2:8453", "[fd54::2]:8453"
  std::string pin;      // SHA-256 of the peer's TLS public key (SPKI), 32 bytes
};

class PeerLink {
 public:
  using Handler = std::function<void(NodeId from, Channel channel, v1::PeerMessage message)>;

  virtual ~PeerLink() = default;

  // Before anything is sent or arrives.
  virtual void on_message(Handler handler) = 0;

  // Who may be spoken with from now on. Streams with a peer that is not in the list any more end at once,
  // both ways; a changed address is dialled anew.
  virtual void set_peers(std::vector<PeerAddress> peers) = 0;

  // Takes the message into the queue of (peer, channel). False: not a peer, or the queue is full; then
  // nothing is sent, and it is counted. True promises nothing.
  virtual bool send(NodeId to, Channel channel, v1::PeerMessage message) = 0;

  // Bytes that wait to be sent there: for those who feed a queue piece by piece.
  virtual std::size_t queued_bytes(NodeId to, Channel channel) const = 0;

  // A stream is up on which this node can send. For health and for displays, not for correctness.
  virtual bool connected(NodeId to) const = 0;
};

}  // namespace swarmdns::controlplane
