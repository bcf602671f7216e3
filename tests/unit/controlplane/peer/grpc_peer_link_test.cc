// Links between nodes over mTLS on loopback.
#include "controlplane/peer/grpc_peer_link.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "tests/unit/controlplane/peer/peer_links.h"
#include "tests/unit/controlplane/peer/tcp_proxy.h"

namespace swarmdns::controlplane {
namespace {

using test::eventually;
using test::kNow;
using test::kSwarm;
using test::LinkNode;
using test::numbered;
using test::PeerLinks;
using test::Received;
using test::TestSwarm;
using ::testing::HasSubstr;

constexpr auto kConsensus = Channel::kConsensus;
constexpr auto kBulk = Channel::kBulk;

TEST_F(PeerLinks, TwoSpeakOnBothChannels) {
  LinkNode& one = add(1);
  LinkNode& two = add(2);
  connect();
  for (const Channel channel : {kConsensus, kBulk}) {
    EXPECT_TRUE(one.send(2, channel, numbered(7)));
    EXPECT_TRUE(two.send(1, channel, numbered(8)));
    EXPECT_TRUE(got(two, {1, channel, 7}));
    EXPECT_TRUE(got(one, {2, channel, 8}));
  }
  EXPECT_EQ(one.stats(2, kConsensus).sent, 1u);
  EXPECT_EQ(two.stats(1, kBulk).received, 1u);
  EXPECT_THAT(one.notes(), HasSubstr("consensus stream to node 2 is up"));
}

TEST_F(PeerLinks, ThreeSpeakEachWithEach) {
  for (const NodeId id : {1, 2, 3}) add(id);
  connect();
  for (const auto& from : nodes_) {
    for (const auto& to : nodes_) {
      if (from == to) continue;
      EXPECT_TRUE(from->send(to->id(), kConsensus, numbered(10 * from->id() + to->id())));
      EXPECT_TRUE(got(*to, {from->id(), kConsensus, 10 * from->id() + to->id()}));
    }
  }
}

TEST_F(PeerLinks, OrderIsKeptPerChannel) {
  LinkNode& one = add(1);
  LinkNode& two = add(2);
  connect();
  constexpr std::uint64_t kCount = 20000;
  // Now and then a message too many for the queue: it is sent again, so that none is missing.
  const auto send_all = [&](Channel channel) {
    for (std::uint64_t i = 1; i <= kCount; ++i) {
      while (!one.link().send(2, channel, numbered(i, i % 100))) std::this_thread::yield();
    }
  };
  one.reactor().run_on([&] {
    send_all(kConsensus);
    send_all(kBulk);
  });
  ASSERT_TRUE(eventually([&] { return two.received().size() == 2 * kCount; }));
  for (const Channel channel : {kConsensus, kBulk}) {
    std::uint64_t last = 0;
    for (const Received& received : two.received()) {
      if (received.channel != channel) continue;
      ASSERT_EQ(received.number, last + 1);
      last = received.number;
    }
    EXPECT_EQ(last, kCount);
  }
}

TEST_F(PeerLinks, LargeMessagesPassAndTooLargeOnesDoNot) {
  LinkNode& one = add(1);
  LinkNode& two = add(2);
  connect();
  EXPECT_TRUE(one.send(2, kConsensus, numbered(1, (16u << 20) - 100)));
  EXPECT_TRUE(got(two, {1, kConsensus, 1}));
  EXPECT_FALSE(one.send(2, kConsensus, numbered(2, 16u << 20)));
  EXPECT_EQ(one.stats(2, kConsensus).dropped_full, 1u);
  EXPECT_TRUE(one.send(2, kConsensus, numbered(3)));
  EXPECT_TRUE(got(two, {1, kConsensus, 3}));
}

// The receiver's handler stands still: what it does not take fills the buffers on the way, then the sender's
// queue, and then messages are dropped. Nothing grows beyond that, and all that was taken arrives in order.
TEST_F(PeerLinks, AFullQueueDropsAndCounts) {
  LinkNode& one = add(1);
  LinkNode& two = add(2);
  std::promise<void> go_on;
  auto released = go_on.get_future().share();
  two.handle = [&](NodeId, Channel, const v1::PeerMessage&) { released.wait(); };
  connect();
  std::vector<std::uint64_t> taken;
  ASSERT_TRUE(eventually([&] {
    for (int i = 0; i < 100; ++i) {
      const std::uint64_t number = taken.size() + 1;
      if (!one.send(2, kBulk, numbered(number, 100000))) return true;
      taken.push_back(number);
    }
    return false;
  }));
  const LaneStats stats = one.stats(2, kBulk);
  EXPECT_GE(stats.dropped_full, 1u);
  EXPECT_LE(stats.queued_bytes, one.limits.lanes[1].queued_bytes);
  EXPECT_GT(stats.queued_bytes, one.limits.lanes[1].queued_bytes / 2);
  EXPECT_TRUE(one.send(2, kConsensus, numbered(1)));  // the other channel has its own

  go_on.set_value();
  ASSERT_TRUE(eventually([&] { return two.received().size() == taken.size() + 1; }));
  std::uint64_t next = 1;
  for (const Received& received : two.received()) {
    if (received.channel == kConsensus) continue;
    ASSERT_EQ(received.number, next++);
  }
}

// CONSENSUS has its own connection, and its own place before BULK in the inbox: a message sent after a flood
// is handled before the flood is.
TEST_F(PeerLinks, AFloodOnBulkDoesNotStandBeforeConsensus) {
  LinkNode& one = add(1);
  LinkNode& two = add(2);
  std::promise<void> go_on;
  auto released = go_on.get_future().share();
  two.handle = [&, waited = false](NodeId, Channel, const v1::PeerMessage&) mutable {
    if (!std::exchange(waited, true)) released.wait();
  };
  connect();
  std::uint64_t flood = 0;
  ASSERT_TRUE(eventually([&] {
    while (one.send(2, kBulk, numbered(flood + 1, 100000))) ++flood;
    return flood > 100;
  }));
  ASSERT_TRUE(one.send(2, kConsensus, numbered(1)));
  // It has left: its connection was free, while that of BULK is stuffed.
  ASSERT_TRUE(eventually(
      [&] { return one.stats(2, kConsensus).sent == 1 && one.stats(2, kConsensus).queued_bytes == 0; }));
  EXPECT_GT(one.stats(2, kBulk).queued_bytes, 0u);
  go_on.set_value();
  ASSERT_TRUE(eventually([&] { return two.received().size() == flood + 1; }));
  const auto received = two.received();
  const auto urgent = std::ranges::find(received, Received{1, kConsensus, 1});
  ASSERT_NE(urgent, received.end());
  EXPECT_LT(urgent - received.begin(), static_cast<std::ptrdiff_t>(received.size() / 2));
}

TEST_F(PeerLinks, WithoutAStreamNothingIsTaken) {
  LinkNode& one = add(1);
  add(2);
  connect();
  EXPECT_FALSE(one.send(3, kConsensus, numbered(1)));  // no peer
  nodes_[1]->stop();
  ASSERT_TRUE(eventually([&] { return !one.connected(2); }));
  ASSERT_TRUE(eventually([&] { return !one.send(2, kConsensus, numbered(1)); }));
  EXPECT_GE(one.stats(2, kConsensus).dropped_unconnected, 1u);
  EXPECT_NE(one.stats(2, kConsensus).problem, "");
}

TEST_F(PeerLinks, ARestartedNodeIsReachedAgain) {
  LinkNode& one = add(1);
  LinkNode& two = add(2);
  connect();
  for (std::uint64_t round = 1; round <= 3; ++round) {
    two.stop();
    ASSERT_TRUE(eventually([&] { return !one.connected(2); }));
    two.start();
    two.set_peers(addresses());
    EXPECT_TRUE(gets_through(one, two, kConsensus, 100 + round)) << one.notes();
    EXPECT_TRUE(gets_through(two, one, kBulk, 100 + round)) << two.notes();
  }
}

// The pause has grown to an hour; the other's dial ends it.
TEST_F(PeerLinks, ANodeThatDialsInIsDialledBackAtOnce) {
  LinkNode& one = add(1);
  LinkNode& two = add(2);
  one.limits.first_pause_ms = 3600 * 1000;
  one.limits.longest_pause_ms = 3600 * 1000;
  connect();
  two.stop();
  ASSERT_TRUE(eventually([&] { return !one.connected(2) && one.stats(2, kBulk).problem != ""; }));
  two.start();
  two.set_peers(addresses());
  EXPECT_TRUE(gets_through(one, two, kConsensus, 5)) << one.notes();
  EXPECT_TRUE(gets_through(one, two, kBulk, 5)) << one.notes();
}

TEST_F(PeerLinks, ADeadPeerIsNoticed) {
  LinkNode& one = add(1);
  LinkNode& two = add(2);
  one.limits.connect_timeout_ms = 300;
  connect();
  const std::string address = two.address().address;
  test::TcpProxy proxy(address.substr(address.find(':') + 1));
  PeerAddress by_proxy = two.address();
  by_proxy.address = "127.0.0.1:" + std::to_string(proxy.port());
  one.set_peers({by_proxy});
  ASSERT_TRUE(eventually([&] { return one.connected(2); }));
  proxy.silence(true);
  // Nothing is sent, no connection is closed: only the pings tell.
  EXPECT_TRUE(eventually([&] { return !one.connected(2); }));
  // Nor does an attempt last that TCP lets through and nobody answers.
  const std::uint64_t dials = one.stats(2, kConsensus).dials;
  EXPECT_TRUE(eventually([&] { return one.stats(2, kConsensus).dials >= dials + 2; }));
  proxy.silence(false);
  EXPECT_TRUE(gets_through(one, two, kConsensus, 5)) << one.notes();
}

// Two cannot reach one, and is heard nevertheless when it is one who dials: each direction is by itself.
TEST_F(PeerLinks, OneDirectionDoesWithoutTheOther) {
  LinkNode& one = add(1);
  LinkNode& two = add(2);
  connect();
  PeerAddress nowhere = one.address();
  nowhere.address = "127.0.0.1:1";
  two.set_peers({nowhere});
  ASSERT_TRUE(eventually([&] { return !two.connected(1); }));
  EXPECT_TRUE(gets_through(one, two, kConsensus, 5));
  EXPECT_FALSE(two.connected(1));
}

TEST_F(PeerLinks, ARemovedPeersStreamsEndBothWays) {
  LinkNode& one = add(1);
  LinkNode& two = add(2);
  LinkNode& three = add(3);
  connect();
  one.set_peers({three.address()});
  EXPECT_FALSE(one.send(2, kConsensus, numbered(1)));  // at once
  ASSERT_TRUE(eventually([&] { return !two.connected(1); }));
  // It dials again, and is told why it is not let in.
  EXPECT_TRUE(eventually(
      [&] { return two.stats(1, kConsensus).problem.find("not a peer of this node") != std::string::npos; }));
  EXPECT_TRUE(gets_through(one, three, kConsensus, 5));  // the others' go on
  const auto before = one.received().size();
  EXPECT_FALSE(two.send(1, kConsensus, numbered(9)));
  EXPECT_TRUE(gets_through(three, one, kConsensus, 6));
  EXPECT_EQ(std::ranges::count(one.received(), NodeId{2}, &Received::from), 0) << before;
  // And back again.
  one.set_peers(addresses());
  EXPECT_TRUE(gets_through(two, one, kConsensus, 10));
  EXPECT_TRUE(gets_through(one, two, kConsensus, 11));
}

TEST_F(PeerLinks, WhatARemovedPeerHasSentIsNotHandled) {
  LinkNode& one = add(1);
  LinkNode& two = add(2);
  // The first message removes its sender: those that have arrived with it are dropped.
  one.handle = [&](NodeId, Channel, const v1::PeerMessage&) { one.link().set_peers({}); };
  connect();
  two.reactor().run_on([&] {
    for (std::uint64_t i = 1; i <= 1000; ++i) two.link().send(1, kConsensus, numbered(i));
  });
  ASSERT_TRUE(eventually([&] { return !two.connected(1); }));
  EXPECT_EQ(one.received().size(), 1u);
}

TEST_F(PeerLinks, AChangedKeyEndsTheStreams) {
  LinkNode& one = add(1);
  LinkNode& two = add(2);
  connect();
  PeerAddress other = two.address();
  other.pin = std::string(32, 'x');
  one.set_peers({other});
  ASSERT_TRUE(eventually([&] { return !two.connected(1); }));
  EXPECT_THAT(two.stats(1, kConsensus).problem, HasSubstr("not a peer of this node"));
}

TEST_F(PeerLinks, AnotherNodeThanExpectedIsRefused) {
  LinkNode& one = add(1);
  LinkNode& two = add(2);
  LinkNode& three = add(3);
  connect();
  PeerAddress wrong = two.address();
  wrong.address = three.address().address;
  one.set_peers({wrong, three.address()});
  ASSERT_TRUE(eventually([&] {
    return one.stats(2, kConsensus).problem.contains("node 3 answers where node 2 should");
  })) << one.stats(2, kConsensus).problem;
  EXPECT_FALSE(one.connected(2));
}

TEST_F(PeerLinks, ANodeOfAnotherIncarnationIsRefusedLoudly) {
  LinkNode& one = add(1);
  connect();
  const TestSwarm old_swarm{.id = kSwarm, .incarnation = 1};
  const TestSwarm recovered{.id = kSwarm, .incarnation = 2};
  LinkNode new_one(recovered, 1);
  LinkNode old_two(old_swarm, 2);
  SwarmView new_view = recovered.view();
  new_view.nodes[new_one.node().key.pin] = {1, false};
  SwarmView old_view = old_swarm.view();
  old_view.nodes[old_two.node().key.pin] = {2, false};
  new_one.know(new_view);
  old_two.know(old_view);
  new_one.start();
  old_two.start();
  old_two.set_peers({new_one.address()});
  ASSERT_TRUE(eventually([&] { return old_two.notes().contains("left behind at incarnation 1"); }))
      << old_two.notes();
  // It greets all the same, and is told: both sides know, and say so.
  ASSERT_TRUE(eventually([&] {
    return old_two.stats(1, kConsensus).problem.contains("it is at incarnation 2");
  })) << old_two.stats(1, kConsensus).problem;
  const auto troubles = [](LinkNode& node) {
    return node.reactor().run_on([&] { return node.link().troubles(); });
  };
  EXPECT_THAT(troubles(old_two), testing::Contains(HasSubstr("swarm leave here")));
  EXPECT_FALSE(old_two.connected(1));
  EXPECT_FALSE(old_two.send(1, kConsensus, numbered(1)));
  ASSERT_TRUE(eventually([&] { return !troubles(new_one).empty(); }));
  EXPECT_THAT(troubles(new_one), testing::Contains(testing::AllOf(HasSubstr("node 2 of incarnation 1"),
                                                                  HasSubstr("swarmctl swarm leave"))));
  EXPECT_THAT(new_one.notes(), HasSubstr("node 2 of incarnation 1"));
  new_one.set_peers({old_two.address()});
  ASSERT_TRUE(eventually([&] {
    return new_one.stats(2, kConsensus).problem.contains("it is at incarnation 2");
  })) << new_one.stats(2, kConsensus).problem;
  EXPECT_FALSE(one.connected(2));
}

TEST_F(PeerLinks, CertificatesAreRenewedWithoutLosingAStream) {
  LinkNode& one = add(1);
  LinkNode& two = add(2);
  connect();
  const std::uint64_t dials = one.stats(2, kConsensus).dials;
  ASSERT_TRUE(one.tls().set_identity(one.node().key.pem, swarm_.chain_for(one.node().key, 1, kNow + 60)));
  ASSERT_TRUE(two.tls().set_identity(two.node().key.pem, swarm_.chain_for(two.node().key, 2, kNow + 60)));
  EXPECT_TRUE(one.send(2, kConsensus, numbered(1)));
  EXPECT_TRUE(got(two, {1, kConsensus, 1}));
  EXPECT_EQ(one.stats(2, kConsensus).dials, dials);
  two.stop();
  two.start();
  two.set_peers(addresses());
  EXPECT_TRUE(gets_through(one, two, kConsensus, 2));
}

// Streams that are being dialled, are up, or end, when both links go at the same moment. Before the order of
// the end was right, the last channel took gRPC's callback threads down from one of them.
TEST_F(PeerLinks, LinksMayGoAtAnyMoment) {
  LinkNode& one = add(1);
  LinkNode& two = add(2);
  connect();
  for (int round = 0; round < 20; ++round) {
    ASSERT_TRUE(round % 2 == 0 || eventually([&] { return one.connected(2); }));
    auto other = std::async(std::launch::async, [&] { two.stop(); });
    one.stop();
    other.get();
    one.start();
    two.start();
    one.set_peers(addresses());
    two.set_peers(addresses());
  }
  EXPECT_TRUE(gets_through(one, two, kConsensus, 1));
}

TEST_F(PeerLinks, APortInUseIsAnError) {
  LinkNode& one = add(1);
  connect();
  const auto port = one.reactor().run_on([&] {
    GrpcPeerLink second(one.reactor(), one.tls(), {1, kSwarm, 1, "test", one.address().address, {}});
    return second.start();
  });
  ASSERT_FALSE(port);
  EXPECT_THAT(port.error(), HasSubstr("swarm.listen: cannot listen on 127.0.0.1:"));
}

}  // namespace
}  // namespace swarmdns::controlplane
