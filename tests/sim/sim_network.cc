#include "tests/sim/sim_network.h"

#include <algorithm>
#include <string>

namespace swarmdns::sim {

class SimNetwork::Link final : public controlplane::PeerLink {
 public:
  Link(SimNetwork& network, NodeId node) : network_(network), node_(node), life_(network.next_life_++) {
    network_.up_[node_] = this;
  }
  ~Link() override { network_.up_.erase(node_); }

  void on_message(Handler handler) override { handler_ = std::move(handler); }
  void set_peers(std::vector<controlplane::PeerAddress> peers) override {
    peers_.clear();
    for (const controlplane::PeerAddress& peer : peers) peers_.insert(peer.id);
    bounded_ = true;
  }
  bool send(NodeId to, Channel channel, v1::PeerMessage message) override {
    if (bounded_ && !peers_.contains(to)) return false;
    return network_.send(node_, to, channel, std::move(message));
  }
  std::size_t queued_bytes(NodeId to, Channel channel) const override {
    return network_.lane(node_, to, channel).queued;
  }
  bool connected(NodeId to) const override {
    return network_.up_.contains(to) && !network_.cut_.contains({node_, to});
  }

  void deliver(NodeId from, Channel channel, v1::PeerMessage message) {
    if (bounded_ && !peers_.contains(from)) return;
    if (handler_) handler_(from, channel, std::move(message));
  }
  std::uint64_t life() const { return life_; }

 private:
  SimNetwork& network_;
  const NodeId node_;
  const std::uint64_t life_;
  Handler handler_;
  std::set<NodeId> peers_;
  bool bounded_ = false;  // set_peers() was called
};

std::unique_ptr<controlplane::PeerLink> SimNetwork::connect(NodeId node) {
  return std::make_unique<Link>(*this, node);
}

void SimNetwork::cut_off(NodeId node, const std::vector<NodeId>& others) {
  for (const NodeId other : others) {
    if (other == node) continue;
    cut(node, other);
    cut(other, node);
  }
}

bool SimNetwork::send(NodeId from, NodeId to, Channel channel, v1::PeerMessage message) {
  if (tap_ && !tap_(from, to, message)) return true;
  const auto receiver = up_.find(to);
  const bool lost =
      receiver == up_.end() || cut_.contains({from, to}) || world_.chance(options_.loss_permille);
  if (lost) {
    ++lost_;
    return receiver != up_.end();
  }
  Lane& way = lane(from, to, channel);
  std::string octets = message.SerializeAsString();  // and parsed again, as on a wire
  if (way.queued + octets.size() > options_.max_queued_bytes) {
    ++lost_;
    return false;
  }
  way.queued += octets.size();
  std::uint64_t arrives =
      std::max(way.free_us, world_.now_us() + world_.between(options_.min_delay_us, options_.max_delay_us));
  if (options_.bytes_per_second > 0) arrives += octets.size() * 1'000'000 / options_.bytes_per_second;
  way.free_us = arrives;
  // A message dies with the stream: of a sender or a receiver that went down meanwhile.
  const std::uint64_t sender_life = up_.contains(from) ? up_.at(from)->life() : 0;
  world_.at(arrives, [this, from, to, channel, sender_life, life = receiver->second->life(),
                      octets = std::move(octets)] {
    lane(from, to, channel).queued -= octets.size();
    const auto now = up_.find(to);
    const auto sender = up_.find(from);
    if (now == up_.end() || now->second->life() != life || sender == up_.end() ||
        sender->second->life() != sender_life || cut_.contains({from, to})) {
      ++lost_;
      return;
    }
    v1::PeerMessage arrived;
    if (!arrived.ParseFromString(octets)) return;
    ++delivered_;
    now->second->deliver(from, channel, std::move(arrived));
  });
  return true;
}

}  // namespace swarmdns::sim
