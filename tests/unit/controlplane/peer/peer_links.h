// Nodes with links that know each other.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "tests/unit/controlplane/peer/link_node.h"

namespace swarmdns::controlplane::test {

class PeerLinks : public ::testing::Test {
 protected:
  LinkNode& add(NodeId id) {
    nodes_.push_back(std::make_unique<LinkNode>(swarm_, id));
    return *nodes_.back();
  }
  // Everyone knows everyone and is connected.
  void connect() {
    for (const auto& node : nodes_) view_.nodes[node->node().key.pin] = {node->id(), false};
    for (const auto& node : nodes_) {
      node->know(view_);
      node->start();
    }
    for (const auto& node : nodes_) node->set_peers(addresses());
    for (const auto& one : nodes_) {
      for (const auto& other : nodes_) {
        if (one == other) continue;
        ASSERT_TRUE(eventually([&] { return one->connected(other->id()); })) << one->notes();
      }
    }
  }
  std::vector<PeerAddress> addresses() const {
    std::vector<PeerAddress> all;
    for (const auto& node : nodes_) all.push_back(node->address());
    return all;
  }
  static bool got(LinkNode& node, const Received& what) {
    return eventually([&] {
      const auto received = node.received();
      return std::ranges::find(received, what) != received.end();
    });
  }
  // Messages may be lost around a reconnection: one that is sent again and again is not.
  static bool gets_through(LinkNode& from, LinkNode& to, Channel channel, std::uint64_t number) {
    return eventually([&] {
      from.send(to.id(), channel, numbered(number));
      const auto received = to.received();
      return std::ranges::find(received, Received{from.id(), channel, number}) != received.end();
    });
  }

  TestSwarm swarm_;
  SwarmView view_ = swarm_.view();
  std::vector<std::unique_ptr<LinkNode>> nodes_;
};

}  // namespace swarmdns::controlplane::test
