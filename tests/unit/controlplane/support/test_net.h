// Links between nodes in memory, over one reactor: a millisecond on the way, in order; loss and partitions by
// switch.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "controlplane/core/peer_link.h"
#include "controlplane/core/reactor.h"

namespace swarmdns::controlplane {

class TestNet {
 public:
  class Link;

  explicit TestNet(Reactor& reactor) : reactor_(reactor) {}

  // A node's link; it knows everybody until set_peers() says otherwise. Of a node that starts again: a new
  // one.
  Link& add(NodeId id);
  Link& link(NodeId id) { return *links_.at(id); }

  // Nothing reaches this node or leaves it.
  void cut(NodeId id) { cut_.insert(id); }
  void mend(NodeId id) { cut_.erase(id); }
  // What it says of a message is lost on its way: true.
  std::function<bool(NodeId from, NodeId to, const v1::PeerMessage& message)> lose;

  struct Passed {
    NodeId from = 0;
    NodeId to = 0;
    v1::PeerMessage message;
  };
  // All that was sent and not refused, lost or not.
  std::vector<Passed> sent;
  std::size_t count(v1::PeerMessage::BodyCase kind) const {
    return static_cast<std::size_t>(
        std::ranges::count(sent, kind, [](const Passed& each) { return each.message.body_case(); }));
  }

 private:
  Reactor& reactor_;
  std::map<NodeId, std::shared_ptr<Link>> links_;
  std::set<NodeId> cut_;
};

class TestNet::Link final : public PeerLink {
 public:
  Link(TestNet& net, NodeId self) : net_(net), self_(self) {}

  void on_message(Handler handler) override { handler_ = std::move(handler); }
  void set_peers(std::vector<PeerAddress> wanted) override {
    peers = std::move(wanted);
    told_peers = true;
  }
  bool send(NodeId to, Channel channel, v1::PeerMessage message) override {
    if (told_peers && !knows(to)) return false;
    net_.sent.push_back({self_, to, message});
    if (net_.cut_.contains(self_) || net_.cut_.contains(to)) return true;
    if (net_.lose && net_.lose(self_, to, message)) return true;
    net_.reactor_.after(1, [this, to, channel, message = std::move(message)] {
      const auto at = net_.links_.find(to);
      if (at == net_.links_.end()) return;
      Link& there = *at->second;
      if ((there.told_peers && !there.knows(self_)) || !there.handler_) return;
      there.handler_(self_, channel, message);
    });
    return true;
  }
  std::size_t queued_bytes(NodeId, Channel) const override { return 0; }
  bool connected(NodeId to) const override {
    return net_.links_.contains(to) && !net_.cut_.contains(to) && !net_.cut_.contains(self_);
  }
  bool knows(NodeId id) const { return std::ranges::find(peers, id, &PeerAddress::id) != peers.end(); }

  std::vector<PeerAddress> peers;
  bool told_peers = false;

 private:
  TestNet& net_;
  const NodeId self_;
  Handler handler_;
};

inline TestNet::Link& TestNet::add(NodeId id) {
  auto& link = links_[id];
  if (!link) link = std::make_shared<Link>(*this, id);
  return *link;
}

}  // namespace swarmdns::controlplane
