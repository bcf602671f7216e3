// PeerLink between simulated nodes: delay, loss, partitions of one direction or both. In order per pair and
// channel, never twice, as PeerLink promises.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "controlplane/core/peer_link.h"
#include "tests/sim/sim_reactor.h"

namespace swarmdns::sim {

using controlplane::Channel;
using controlplane::NodeId;

struct SimNetworkOptions {
  std::uint64_t min_delay_us = 100;
  std::uint64_t max_delay_us = 3000;
  unsigned loss_permille = 0;
  // Bytes a second of a pair and channel, so that large messages delay what follows; 0 = no limit.
  std::uint64_t bytes_per_second = 100'000'000;
  std::size_t max_queued_bytes = std::size_t{64} << 20;
};

class SimNetwork {
 public:
  SimNetwork(SimWorld& world, SimNetworkOptions options) : world_(world), options_(options) {}

  // The link of a node that comes up. What was under way to it before is lost. It goes down with the link.
  std::unique_ptr<controlplane::PeerLink> connect(NodeId node);

  // --- Faults ---
  // What is under way is lost as well. One direction.
  void cut(NodeId from, NodeId to) { cut_.insert({from, to}); }
  void cut_off(NodeId node, const std::vector<NodeId>& others);  // both directions
  void heal() { cut_.clear(); }
  SimNetworkOptions& options() { return options_; }

  // Sees, and may change, every message that is sent; false: it is lost.
  using Tap = std::function<bool(NodeId from, NodeId to, v1::PeerMessage& message)>;
  void set_tap(Tap tap) { tap_ = std::move(tap); }
  // As if that node had sent it.
  bool send(NodeId from, NodeId to, Channel channel, v1::PeerMessage message);

  std::uint64_t delivered() const { return delivered_; }
  std::uint64_t lost() const { return lost_; }

 private:
  class Link;
  struct Lane {
    std::uint64_t free_us = 0;  // when the last message has arrived
    std::size_t queued = 0;
  };

  Lane& lane(NodeId from, NodeId to, Channel channel) { return lanes_[{from, to, channel}]; }

  SimWorld& world_;
  SimNetworkOptions options_;
  Tap tap_;
  std::map<NodeId, Link*> up_;
  std::set<std::pair<NodeId, NodeId>> cut_;
  std::map<std::tuple<NodeId, NodeId, Channel>, Lane> lanes_;
  std::uint64_t next_life_ = 1;
  std::uint64_t delivered_ = 0;
  std::uint64_t lost_ = 0;
};

}  // namespace swarmdns::sim
