#include "controlplane/swarm/warm_up.h"

#include <gtest/gtest.h>

#include "tests/unit/controlplane/swarm/fakes.h"

namespace swarmdns::controlplane {
namespace {

using test::FakeCache;
using test::FakeLink;
using test::FakeNet;
using test::FakeReactor;
using test::World;

class WarmUpTest : public ::testing::Test {
 protected:
  struct Node {
    Node(World& world, FakeNet& net, NodeId number)
        : id(number), reactor(world), link(net, number), cache(reactor, number) {
      link.on_message([this](NodeId from, Channel, v1::PeerMessage message) {
        if (message.has_warm_up_request()) {
          server.receive(from, std::move(message));
        } else if (warm_up) {
          warm_up->receive(from, std::move(message));
        }
      });
      fences.dataplane_started();
    }
    Fences::Events events() {
      Fences::Events events;
      events.propose = [](const v1::FenceDone&, const std::function<void(bool)>&) {};
      events.clear = [this] {
        if (warm_up) warm_up->fences_clear();
      };
      return events;
    }
    NodeId id;
    FakeReactor reactor;
    FakeLink link;
    FakeCache cache;
    SharePeers peers;
    std::shared_ptr<const PrivateZones> zones = std::make_shared<PrivateZones>();
    Fences fences{reactor, cache, id, 3'600'000, events()};
    WarmUpServer server{reactor, link, cache, peers, fences, {id, zones}};
    std::unique_ptr<WarmUp> warm_up;
  };

  WarmUpTest() {
    for (NodeId id = 1; id <= 3; ++id) nodes_[id] = std::make_unique<Node>(world_, net_, id);
    for (auto& [id, node] : nodes_) {
      std::vector<SharePeers::Peer> peers;
      for (NodeId other = 1; other <= 3; ++other) {
        if (other != id) peers.push_back({other, "n" + std::to_string(other), "west", {}});
      }
      node->peers.set(v1::SHARE_REGION, "west", std::move(peers));
    }
    world_.run_for(100);
    report(2, 100);
    report(3, 500);
    for (int i = 0; i < 25; ++i) node(2).cache.resolve("two" + std::to_string(i) + ".example");
    node(3).cache.resolve("three.example");
  }
  // What node 1 knows of `from`.
  void report(NodeId from, std::uint32_t busy, const std::string& phase = "ready") {
    v1::NodeReport report;
    report.set_phase(phase);
    report.set_busy_permille(busy);
    const std::uint64_t wall = node(1).reactor.wall_ms();
    report.set_wall_ms(wall);
    report.set_echo_wall_ms(wall - 4);
    node(1).peers.report(from, report, world_.now_ms, wall);
  }
  void make(WarmUp::Options options = {}) {
    options.node = 1;
    options.private_zones = node(1).zones;
    if (!options.load_local) options.load_local = dump_of(0);
    node(1).warm_up = std::make_unique<WarmUp>(node(1).reactor, node(1).link, node(1).cache, node(1).peers,
                                               node(1).fences, std::move(options), [this] { ++over_; });
  }
  Node& node(NodeId id) { return *nodes_.at(id); }
  const WarmUp::State& state() { return node(1).warm_up->state(); }
  std::function<void(WarmUp::Done)> dump_of(std::uint64_t entries) {
    return [this, entries](const WarmUp::Done& done) {
      node(1).cache.calls.emplace_back("load");
      node(1).reactor.after(50, [done, entries] { done(entries); });
    };
  }

  World world_;
  FakeNet net_{world_};
  std::map<NodeId, std::unique_ptr<Node>> nodes_;
  int over_ = 0;
};

TEST_F(WarmUpTest, FencesThenItsOwnDumpThenThePeerWithTheLeastToDo) {
  v1::Fence fence;
  fence.set_epoch(1);
  fence.add_dead()->set_node(2);
  fence.mutable_dead(0)->set_first(20);
  WarmUp::Options options;
  options.load_local = dump_of(7);
  make(std::move(options));
  node(1).fences.committed(fence, node(1).reactor.wall_ms(), nullptr);
  node(1).cache.calls.clear();
  node(1).warm_up->start();
  EXPECT_EQ(state().phase, WarmUp::Phase::kFences);
  world_.run_for(2000);
  EXPECT_EQ(state().phase, WarmUp::Phase::kReady);
  EXPECT_FALSE(state().cold) << state().why;
  EXPECT_EQ(state().peer, 2U);
  EXPECT_EQ(state().local, 7U);
  EXPECT_EQ(state().from_peer, 19U) << "those behind the fence are dead";
  EXPECT_FALSE(node(1).cache.has("three.example"));
  EXPECT_EQ(over_, 1);
  const std::vector<std::string> expected = {"warming", "fence", "load", "insert 10", "insert 9", "warm"};
  std::vector<std::string> calls = node(1).cache.calls;
  EXPECT_EQ(calls.front(), "warming");
  EXPECT_EQ(calls[1], "fence");
  EXPECT_EQ(calls[2], "load");
  EXPECT_EQ(calls.back(), "warm");
  EXPECT_LE(node(1).cache.transits.at(0), 20U);
}

TEST_F(WarmUpTest, ThePeersOwnFencesHoldToo) {
  make();
  v1::Fence fence;
  fence.set_epoch(1);
  fence.add_dead()->set_node(2);
  fence.mutable_dead(0)->set_first(1);
  node(2).fences.committed(fence, node(2).reactor.wall_ms(), nullptr);
  node(1).warm_up->start();  // before the peer has carried it out: it is busy, and asked again
  world_.run_for(5000);
  EXPECT_EQ(state().phase, WarmUp::Phase::kReady);
  EXPECT_EQ(state().from_peer, 0U) << state().why << state().peer;
}

TEST_F(WarmUpTest, TakesTheNextPeerWhenOneFails) {
  make();
  int pieces = 0;
  net_.passes = [&](NodeId from, NodeId, const v1::PeerMessage& message) {
    return from != 2 || !message.has_warm_up_response() || ++pieces < 2;
  };
  node(1).warm_up->start();
  world_.run_for(20'000);
  EXPECT_EQ(state().phase, WarmUp::Phase::kReady);
  EXPECT_EQ(state().peer, 3U);
  EXPECT_TRUE(node(1).cache.has("three.example"));
  EXPECT_FALSE(state().cold);
}

TEST_F(WarmUpTest, NobodyThereIsColdAndSaysWhy) {
  make();
  report(2, 0, "initialize");
  report(3, 0, "initialize");
  node(1).warm_up->start();
  world_.run_for(10'000);
  EXPECT_EQ(state().phase, WarmUp::Phase::kReady);
  EXPECT_TRUE(state().cold);
  EXPECT_NE(state().why.find("no peer in its scope that is ready"), std::string::npos);
  EXPECT_EQ(over_, 1);
}

TEST_F(WarmUpTest, ItsOwnDumpAloneIsWarm) {
  WarmUp::Options options;
  options.load_local = dump_of(7);
  make(std::move(options));
  node(1).peers.set(v1::SHARE_NONE, "west", {});
  node(1).warm_up->start();
  world_.run_for(10'000);
  EXPECT_EQ(state().phase, WarmUp::Phase::kReady);
  EXPECT_FALSE(state().cold);
  EXPECT_EQ(state().local, 7U);
}

TEST_F(WarmUpTest, OneThatIsReadyIsNotToldToWait) {
  WarmUp::Options options;
  options.load_local = dump_of(7);
  make(std::move(options));
  node(1).warm_up->start(true);
  world_.run_for(10'000);
  EXPECT_EQ(state().local, 7U);
  EXPECT_EQ(std::ranges::count(node(1).cache.calls, "warming"), 0);
}

TEST_F(WarmUpTest, EndsAfterAMinuteAtMost) {
  WarmUp::Options options;
  options.load_local = [](const WarmUp::Done&) {};  // never done
  make(std::move(options));
  node(1).warm_up->start();
  world_.run_for(59'000);
  EXPECT_EQ(state().phase, WarmUp::Phase::kLocal);
  world_.run_for(2000);
  EXPECT_EQ(state().phase, WarmUp::Phase::kReady);
  EXPECT_TRUE(state().cold);
  EXPECT_NE(state().why.find("60 s"), std::string::npos);
}

TEST_F(WarmUpTest, ADataPlaneThatIsAwayIsToldWhenItIsBack) {
  make();
  node(1).warm_up->start();
  world_.run_for(1);
  node(1).cache.up = false;
  world_.run_for(5000);
  EXPECT_EQ(over_, 0);
  node(1).cache.up = true;
  world_.run_for(1000);
  EXPECT_EQ(over_, 1);
}

TEST_F(WarmUpTest, TheServerServesOneAtATimeAndRepeatsALostPiece) {
  make();
  // Node 3 asks first, and is slow.
  v1::PeerMessage message;
  message.set_request(1);
  message.mutable_warm_up_request()->set_cursor(0);
  node(3).link.send(2, Channel::kBulk, message);
  world_.run_for(50);
  EXPECT_EQ(node(2).server.stats().pieces, 1U);
  report(3, 0, "initialize");
  node(1).warm_up->start();
  world_.run_for(500);
  EXPECT_EQ(node(2).server.stats().turned_away, 1U);
  EXPECT_EQ(state().phase, WarmUp::Phase::kPeers) << "it waits for its turn";
  message.set_request(2);
  message.mutable_warm_up_request()->set_cursor(1);
  node(3).link.send(2, Channel::kBulk, message);
  world_.run_for(50);
  EXPECT_EQ(node(2).server.stats().pieces, 1U) << "the same again";
  message.mutable_warm_up_request()->set_cursor(7);
  node(3).link.send(2, Channel::kBulk, message);
  world_.run_for(50);
  EXPECT_EQ(node(2).server.stats().pieces, 1U);
  world_.run_for(20'000);  // node 3 is gone
  EXPECT_EQ(state().phase, WarmUp::Phase::kReady);
  EXPECT_EQ(state().from_peer, 25U) << state().why;
}

TEST_F(WarmUpTest, AStrangerGetsNothing) {
  node(2).peers.set(v1::SHARE_REGION, "east", {{1, "n1", "west", {}}, {3, "n3", "west", {}}});
  make();
  node(1).warm_up->start();
  world_.run_for(1000);
  EXPECT_EQ(node(2).server.stats().clients, 0U);
  EXPECT_EQ(state().peer, 3U);
}

}  // namespace
}  // namespace swarmdns::controlplane
