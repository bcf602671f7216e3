#include "controlplane/swarm/sharing.h"

#include <gtest/gtest.h>

#include "tests/unit/controlplane/swarm/fakes.h"

namespace swarmdns::controlplane {
namespace {

using test::Chain;
using test::FakeCache;
using test::FakeDatabase;
using test::FakeLink;
using test::FakeNet;
using test::FakeReactor;
using test::World;

// All of a node that shares: cache, writer, fences, store.
struct Node {
  Node(FakeNet& net, NodeId number, Sharing::Options sharing_options = {}) : id(number), link(net, number) {
    sharing_options.node = id;
    sharing_options.private_zones = zones;
    sharing =
        std::make_unique<Sharing>(reactor, link, cache, store, peers, fences, std::move(sharing_options));
    SegmentWriter::Options options;
    options.node = id;
    options.key = test::key_of(id).secret_key;
    options.private_zones = zones;
    SegmentWriter::Events events;
    events.cut = [this](const CutSegment& segment) { sharing->cut(segment); };
    events.dataplane_started = [this] { fences.dataplane_started(); };
    writer = std::make_unique<SegmentWriter>(reactor, cache, store, std::move(options), std::move(events));
    link.on_message([this](NodeId from, Channel, v1::PeerMessage message) {
      if (message.has_report()) {
        heard[from] = {message.report().wall_ms(), reactor.now_ms()};
        sharing->report(from, message.report());
      } else {
        sharing->receive(from, std::move(message));
      }
    });
    fences.dataplane_started();
    writer->start({});
    sharing->start();
  }
  Fences::Events fence_events() {
    Fences::Events events;
    events.propose = [this](const v1::FenceDone& receipt, const std::function<void(bool)>& done) {
      receipts.push_back(receipt);
      reactor.post([done] { done(true); });
    };
    events.carried_out = [this](std::uint64_t epoch, std::uint64_t next) {
      writer->carried_out(epoch, next);
    };
    events.clear = [this] { sharing->fences_clear(); };
    return events;
  }
  void report_to(NodeId to) {
    v1::PeerMessage message;
    v1::NodeReport& report = *message.mutable_report();
    report.set_node(id);
    report.set_phase("ready");
    report.set_wall_ms(reactor.wall_ms());
    report.set_fence_epoch(fences.epoch());
    report.set_segment(writer->stats().head);
    if (const auto last = heard.find(to); last != heard.end()) {
      report.set_echo_wall_ms(last->second.first);
      report.set_echo_age_ms(reactor.now_ms() - last->second.second);
    }
    link.send(to, Channel::kConsensus, std::move(message));
  }

  NodeId id;
  World& world() { return *world_; }
  static inline World* world_ = nullptr;
  FakeReactor reactor{*world_};
  FakeLink link;
  FakeCache cache{reactor, id};
  FakeDatabase database;
  SegmentStore store{database.columns(), test::name_key()};
  std::shared_ptr<const PrivateZones> zones = std::make_shared<PrivateZones>();
  SharePeers peers;
  std::vector<v1::FenceDone> receipts;
  Fences fences{reactor, cache, id, 3'600'000, fence_events()};
  std::unique_ptr<Sharing> sharing;
  std::unique_ptr<SegmentWriter> writer;
  std::map<NodeId, std::pair<std::uint64_t, std::uint64_t>> heard;
};

class SharingTest : public ::testing::Test {
 protected:
  SharingTest() { Node::world_ = &world_; }
  void make(std::vector<std::string> regions, v1::SharingScope scope = v1::SHARE_REGION,
            const Sharing::Options& options = {}) {
    for (NodeId id = 1; id <= regions.size(); ++id) nodes_[id] = std::make_unique<Node>(net_, id, options);
    for (auto& [id, node] : nodes_) {
      std::vector<SharePeers::Peer> peers;
      for (NodeId other = 1; other <= regions.size(); ++other) {
        if (other != id)
          peers.push_back(
              {other, "n" + std::to_string(other), regions[other - 1], test::key_of(other).public_key});
      }
      node->peers.set(scope, regions[id - 1], std::move(peers));
    }
    run(3000);
  }
  // With reports once a second.
  void run(std::uint64_t ms) {
    for (std::uint64_t spent = 0; spent < ms; spent += 500) {
      if (spent % 1000 == 0) {
        for (auto& [id, node] : nodes_) {
          for (auto& [other, peer] : nodes_) {
            if (id != other) node->report_to(other);
          }
        }
      }
      world_.run_for(500);
    }
  }
  Node& node(NodeId id) { return *nodes_.at(id); }
  void send(NodeId from, NodeId to, const v1::SegmentBody& body) {
    v1::PeerMessage message;
    *message.mutable_segment() = body;
    net_.links.at(from)->send(to, Channel::kBulk, std::move(message));
  }
  void fence_everywhere(const v1::Fence& fence) {
    for (auto& [id, at] : nodes_) at->fences.committed(fence, at->reactor.wall_ms(), nullptr);
  }

  World world_;
  FakeNet net_{world_};
  std::map<NodeId, std::unique_ptr<Node>> nodes_;
};

TEST_F(SharingTest, ANameResolvedHereIsAHitInItsRegionAndNowhereElse) {
  make({"west", "west", "east"});
  node(1).cache.resolve("www.example");
  world_.run_for(400);
  EXPECT_TRUE(node(2).cache.has("www.example")) << "within less than a second";
  EXPECT_FALSE(node(3).cache.has("www.example"));
  const v1::CacheEntry& entry = node(2).cache.entries[FakeCache::wire("www.example")];
  EXPECT_EQ(entry.origin().node(), 1U);
  EXPECT_EQ(entry.origin().sequence(), 1U);
  EXPECT_FALSE(entry.authenticated());
  ASSERT_EQ(node(2).cache.transits.size(), 1U);
  EXPECT_GE(node(2).cache.transits[0], 252U) << "since it was made, not since it was sent";
  EXPECT_LE(node(2).cache.transits[0], 300U);
  EXPECT_EQ(node(2).store.history(as_octets(FakeCache::wire("www.example")), 0, 5)->mutations_size(), 1);
  EXPECT_EQ(node(2).writer->stats().segments, 0U) << "what came from elsewhere is no mutation of its own";
}

TEST_F(SharingTest, TheOperatorMaySayTheSwarmOrNone) {
  make({"west", "east"}, v1::SHARE_SWARM);
  node(1).cache.resolve("www.example");
  run(500);
  EXPECT_TRUE(node(2).cache.has("www.example"));
  nodes_.clear();
  make({"west", "west"}, v1::SHARE_NONE);
  node(1).cache.resolve("www.example");
  run(500);
  EXPECT_FALSE(node(2).cache.has("www.example"));
}

TEST_F(SharingTest, WhatIsNeverSharedStaysWhereItIs) {
  make({"west", "west"});
  node(1).cache.resolve("printer.home.arpa");
  node(1).cache.resolve("1.0.0.10.in-addr.arpa");
  node(1).cache.resolve("servfail.example");
  node(1).cache.journal.back().mutable_entry()->set_rcode(2);
  node(1).cache.resolve("view.example");
  node(1).cache.journal.back().mutable_entry()->mutable_key()->set_view(3);
  node(1).cache.resolve("old.example", 200);
  node(1).cache.resolve("good.example");
  run(1000);
  EXPECT_EQ(node(2).cache.entries.size(), 1U);
  EXPECT_TRUE(node(2).cache.has("good.example"));
}

TEST_F(SharingTest, NothingIsSharedWithANodeWhoseClockIsWrong) {
  make({"west", "west"});
  node(2).reactor.wall_offset_ms += 3000;
  run(3000);
  node(1).cache.resolve("a.example");
  node(2).cache.resolve("b.example");
  run(1000);
  EXPECT_FALSE(node(2).cache.has("a.example"));
  EXPECT_FALSE(node(1).cache.has("b.example"));
  EXPECT_GE(node(1).sharing->stats().left_out_skewed, 1U);
  ASSERT_FALSE(node(1).sharing->troubles().empty());
  EXPECT_NE(node(1).sharing->troubles()[0].find("ahead"), std::string::npos);
  node(2).reactor.wall_offset_ms -= 2500;  // half a second is allowed, and reckoned with
  run(3000);
  EXPECT_TRUE(node(1).sharing->troubles().empty());
  node(2).cache.resolve("c.example");
  run(1000);
  EXPECT_TRUE(node(1).cache.has("c.example"));
  EXPECT_GE(node(1).cache.transits.back(), 252U);
  EXPECT_LE(node(1).cache.transits.back(), 310U);
}

TEST_F(SharingTest, AClockThatIsSetMeanwhileLengthensNoLife) {
  make({"west", "west"});
  node(1).cache.resolve("a.example");
  node(2).reactor.wall_offset_ms -= 5000;  // the next report has not come yet
  world_.run_for(400);
  EXPECT_FALSE(node(2).cache.has("a.example"));
  EXPECT_EQ(node(2).sharing->stats().entries_skewed, 1U);
}

TEST_F(SharingTest, TamperedAndForeignSegmentsAreRefusedAndNamed) {
  make({"west", "west", "west"});
  const std::uint64_t now = node(1).reactor.wall_ms();
  v1::SegmentBody tampered = Chain(1).add({"a.example"}, now);
  tampered.mutable_leaves(0)->mutable_mutation()->back() ^= 1;
  send(1, 2, tampered);
  send(3, 2, Chain(1).add({"b.example"}, now));  // node 1's, by node 3
  v1::SegmentBody signed_by_three = Chain(3).add({"c.example"}, now);
  send(1, 2, signed_by_three);
  send(3, 2, Chain(1, 3).add({"d.example"}, now));  // node 3 speaks for node 1
  run(500);
  EXPECT_TRUE(node(2).cache.entries.empty());
  EXPECT_EQ(node(2).sharing->stats().received_bad, 4U);
  EXPECT_EQ(node(2).store.head(1)->number, 0U);
  EXPECT_NE(node(2).sharing->troubles().at(0).find("node 1"), std::string::npos);
}

TEST_F(SharingTest, AReplayedSegmentIsTakenOnce) {
  make({"west", "west"});
  const v1::SegmentBody body = Chain(1).add({"a.example"}, node(1).reactor.wall_ms());
  for (int i = 0; i < 5; ++i) send(1, 2, body);
  run(500);
  EXPECT_EQ(node(2).sharing->stats().received_segments, 1U);
  EXPECT_EQ(node(2).sharing->stats().received_again, 4U);
  EXPECT_EQ(node(2).sharing->stats().entries_accepted, 1U);
}

TEST_F(SharingTest, TwoSegmentsOfOneNumberAreAForkAndLoud) {
  make({"west", "west"});
  const std::uint64_t now = node(1).reactor.wall_ms();
  Chain chain(1);
  send(1, 2, chain.add({"a.example"}, now));
  run(500);
  send(1, 2, Chain(1).add({"evil.example"}, now));
  run(500);
  ASSERT_EQ(node(2).sharing->troubles().size(), 1U);
  EXPECT_NE(node(2).sharing->troubles()[0].find("FORK: segment 1 of node 1 exists twice"), std::string::npos);
  EXPECT_FALSE(node(2).cache.has("evil.example"));
  send(1, 2, chain.add({"b.example"}, now));
  run(500);
  EXPECT_FALSE(node(2).cache.has("b.example")) << "nothing of it any more";
}

TEST_F(SharingTest, LostSegmentsAreFetchedLaterForTheirHistory) {
  make({"west", "west"});
  node(1).cache.resolve("first.example");
  run(1000);
  int lost = 0;
  net_.passes = [&](NodeId, NodeId, const v1::PeerMessage& message) {
    return !message.has_segment() || ++lost > 3;
  };
  for (int i = 0; i < 6; ++i) {
    node(1).cache.resolve("n" + std::to_string(i) + ".example");
    run(500);
  }
  EXPECT_FALSE(node(2).cache.has("n0.example"));
  EXPECT_TRUE(node(2).cache.has("n5.example"));
  run(6000);
  EXPECT_EQ(*node(2).store.first_missing(1, 1, 8), 8U) << "the chain is whole again";
  EXPECT_EQ(node(2).sharing->stats().mended_segments, 3U);
  EXPECT_FALSE(node(2).cache.has("n0.example")) << "history is not put into the cache";
  EXPECT_EQ(node(2).store.history(as_octets(FakeCache::wire("n0.example")), 0, 5)->mutations_size(), 1);
}

TEST_F(SharingTest, MendsUnderRandomLoss) {
  make({"west", "west", "west"});
  for (NodeId id = 1; id <= 3; ++id) node(id).cache.resolve("first" + std::to_string(id) + ".example");
  run(1000);
  net_.passes = [this](NodeId, NodeId, const v1::PeerMessage& message) {
    return message.has_report() || world_.random() % 3 != 0;
  };
  for (int i = 0; i < 20; ++i) {
    for (NodeId id = 1; id <= 3; ++id)
      node(id).cache.resolve("n" + std::to_string(i) + "of" + std::to_string(id) + ".example");
    run(500);
  }
  net_.passes = {};
  run(40'000);
  for (NodeId id = 1; id <= 3; ++id) {
    const std::uint64_t end = node(id).store.head(id)->number + 1;
    for (NodeId other = 1; other <= 3; ++other) {
      const std::uint64_t begin = *node(other).store.oldest(id);
      EXPECT_EQ(*node(other).store.first_missing(id, begin, end), end) << id << " at " << other;
    }
  }
}

TEST_F(SharingTest, TheBudgetLeavesSegmentsOutAndCounts) {
  Sharing::Options options;
  options.bytes_per_second = 1000;  // and 4 MiB at once
  make({"west", "west"}, v1::SHARE_REGION, options);
  const std::string filler(60'000, 'x');
  for (int i = 0; i < 200; ++i) {
    node(1).cache.resolve("n" + std::to_string(i) + ".example");
    node(1).cache.journal.back().mutable_entry()->set_sections(filler);
  }
  run(2000);
  const Sharing::Stats& stats = node(1).sharing->stats();
  EXPECT_GE(stats.left_out_budget, 3U);
  EXPECT_LE(stats.sent_bytes, (std::uint64_t{4} << 20) + 20'000);
  EXPECT_EQ(node(1).writer->stats().lost, 0U) << "the chain itself has no gap";
  EXPECT_LT(node(2).cache.entries.size(), 200U);
  EXPECT_GT(node(2).cache.entries.size(), 10U);
}

TEST_F(SharingTest, ASlowPeerDoesNotHoldUpTheOthers) {
  make({"west", "west", "west"});
  node(1).link.queued[2] = 100 << 20;
  node(1).cache.resolve("a.example");
  run(1000);
  EXPECT_FALSE(node(2).cache.has("a.example"));
  EXPECT_TRUE(node(3).cache.has("a.example"));
  EXPECT_EQ(node(1).sharing->stats().left_out_queue, 1U);
}

TEST_F(SharingTest, EntriesThatWaitForTheDataPlaneAreBounded) {
  Sharing::Options options;
  options.waiting_entries = 100;
  make({"west", "west"}, v1::SHARE_REGION, options);
  node(2).cache.delay_ms = 60'000;  // it hangs
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 30; ++i) node(1).cache.resolve("n" + std::to_string(round * 30 + i) + ".example");
    run(500);
  }
  EXPECT_EQ(node(2).cache.transits.size(), 1U) << "one insert under way";
  EXPECT_GE(node(2).sharing->stats().entries_overflow, 150U);
}

TEST_F(SharingTest, ADataPlaneThatIsAwayLosesNothingButTheBatch) {
  make({"west", "west"});
  node(2).cache.up = false;
  node(1).cache.resolve("a.example");
  run(1000);
  EXPECT_EQ(node(2).sharing->stats().inserts_failed, 1U);
  node(2).cache.up = true;
  node(1).cache.resolve("b.example");
  run(1000);
  EXPECT_TRUE(node(2).cache.has("b.example"));
  EXPECT_EQ(node(2).store.head(1)->number, 2U) << "the history is whole";
}

// The poisoning drill: everything behind a number is purged everywhere, also what is on its way, and what
// comes after the fence is shared again.
TEST_F(SharingTest, AFencePurgesWhatHasSpreadAndWhatIsUnderWay) {
  make({"west", "west", "west"});
  node(1).cache.resolve("good.example");
  run(1000);
  node(1).cache.resolve("poison.example");
  run(1000);
  EXPECT_TRUE(node(2).cache.has("poison.example"));
  v1::Fence fence;
  fence.set_epoch(1);
  for (const v1::MutationRange& range : dead_ranges(std::vector<ReachedThen>{{1, 1}, {2, 0}, {3, 0}}, {}))
    *fence.add_dead() = range;
  // Made before, arrives after.
  net_.delay_ms = 700;
  node(1).cache.resolve("late.example");
  world_.run_for(300);
  fence_everywhere(fence);
  run(2000);
  net_.delay_ms = 2;
  for (NodeId id = 1; id <= 3; ++id) {
    EXPECT_TRUE(node(id).cache.has("good.example")) << id;
    EXPECT_FALSE(node(id).cache.has("poison.example")) << id;
    EXPECT_FALSE(node(id).cache.has("late.example")) << id;
    EXPECT_EQ(node(id).receipts.size(), 1U);
  }
  EXPECT_EQ(node(2).sharing->stats().entries_fenced, 1U);
  run(2000);
  node(1).cache.resolve("new.example");
  run(1000);
  EXPECT_TRUE(node(2).cache.has("new.example")) << "made under the fence";
  // The wrong entry stays in history.
  EXPECT_EQ(node(2).store.history(as_octets(FakeCache::wire("poison.example")), 0, 5)->mutations_size(), 1);
}

TEST_F(SharingTest, ANodeThatWasAwayTakesNothingSharedBeforeItsFences) {
  make({"west", "west"});
  net_.passes = [](NodeId from, NodeId to, const v1::PeerMessage&) { return from != 2 && to != 2; };
  v1::Fence fence;
  fence.set_epoch(1);
  for (const v1::MutationRange& range : dead_ranges(std::vector<ReachedThen>{{1, 0}, {2, 0}}, {}))
    *fence.add_dead() = range;
  node(2).cache.resolve("poison.example");  // of its own
  node(1).fences.committed(fence, node(1).reactor.wall_ms(), nullptr);
  run(1000);
  net_.passes = {};
  run(2000);
  node(1).cache.resolve("a.example");
  run(1000);
  EXPECT_FALSE(node(2).cache.has("a.example")) << "it has heard of a fence that it does not know";
  EXPECT_FALSE(node(2).fences.troubles().empty());
  node(2).fences.committed(fence, node(2).reactor.wall_ms(), nullptr);
  run(1000);
  EXPECT_FALSE(node(2).cache.has("poison.example"));
  EXPECT_TRUE(node(2).cache.has("a.example")) << "it waited, and was made under the fence";
}

}  // namespace
}  // namespace swarmdns::controlplane
