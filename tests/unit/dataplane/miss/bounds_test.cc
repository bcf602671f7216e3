// Bounds: quotas, full tables, full rings, and that everything comes back.
#include "tests/unit/dataplane/miss/fixture.h"

namespace swarmdns::miss::test {
namespace {

TEST_F(EngineTest, AFloodFromOnePrefixLeavesRoomForOthers) {
  options.quota_per_prefix = 20;
  make();
  for (int i = 0; i < 100; ++i) {
    ask({.qname = "r" + std::to_string(i) + ".a" + std::to_string(i) + ".test",
         .client = "192.0.2." + std::to_string(i)});
  }
  poll();
  EXPECT_EQ(upstream.take().size(), 20U);
  EXPECT_EQ(count(Counter::DropPrefixQuota), 80U);
  ask({.qname = "www.example.com", .client = "198.51.100.1"});
  poll();
  const auto asked = upstream.take();
  ASSERT_EQ(asked.size(), 1U);
  upstream.answer(asked[0]);
  poll();
  EXPECT_EQ(replies().size(), 1U);
}

TEST_F(EngineTest, PrefixQuotaOfIpv6CountsA56) {
  options.quota_per_prefix = 2;
  make();
  ask({.qname = "a.a.test", .client = "2001:db8:0:100::1"});
  ask({.qname = "b.b.test", .client = "2001:db8:0:1ff::2"});
  ask({.qname = "c.c.test", .client = "2001:db8:0:180::3"});
  ask({.qname = "d.d.test", .client = "2001:db8:0:200::3"});
  poll();
  EXPECT_EQ(upstream.take().size(), 3U);
  EXPECT_EQ(count(Counter::DropPrefixQuota), 1U);
}

TEST_F(EngineTest, AFloodBelowOneNameLeavesRoomForOthers) {
  options.quota_per_zone = 10;
  make();
  for (int i = 0; i < 50; ++i) {
    ask({.qname = "r" + std::to_string(i) + ".victim.test", .client = "10.0." + std::to_string(i) + ".1"});
  }
  poll();
  EXPECT_EQ(upstream.take().size(), 10U);
  EXPECT_EQ(count(Counter::DropZoneQuota), 40U);
  ask({.qname = "www.other.test"});
  poll();
  EXPECT_EQ(upstream.take().size(), 1U);
  // Who asks for what is under way costs the zone nothing.
  ask({.qname = "r0.victim.test"});
  poll();
  EXPECT_EQ(count(Counter::DropZoneQuota), 40U);
}

TEST_F(EngineTest, QuotasComeBack) {
  options.quota_per_prefix = 5;
  options.quota_per_zone = 5;
  options.deadline_ms = 500;
  options.servfail_ttl_s = 1;
  make();
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 5; ++i) ask({.qname = "n" + std::to_string(round * 5 + i) + ".zone.test"});
    poll();
    EXPECT_EQ(upstream.take().size(), 5U) << round;
    if (round % 2 == 0) {
      advance_ms(510);  // all fail
    } else {
      give_back();
      advance_ms(510);
    }
    EXPECT_EQ(replies().size(), 5U) << round;
    give_back();
  }
  EXPECT_EQ(count(Counter::DropPrefixQuota), 0U);
  EXPECT_EQ(count(Counter::DropZoneQuota), 0U);
  EXPECT_EQ(engine->waiters(), 0U);
}

TEST_F(EngineTest, AFullTableDropsAndRecovers) {
  limits.max_pending = 16;
  options.deadline_ms = 500;
  make();
  for (int i = 0; i < 20; ++i) ask({.qname = "n.z" + std::to_string(i) + ".test"});
  poll();
  EXPECT_EQ(upstream.take().size(), 16U);
  EXPECT_EQ(count(Counter::DropMissTableFull), 4U);
  advance_ms(510);
  EXPECT_EQ(replies().size(), 16U);
  give_back();
  // What lingers gives way.
  EXPECT_EQ(engine->questions(), 16U);
  ask({.qname = "another.test"});
  poll();
  EXPECT_EQ(upstream.take().size(), 1U);
  EXPECT_EQ(count(Counter::DropMissTableFull), 4U);
}

TEST_F(EngineTest, WaitersAreBounded) {
  limits.max_waiters = 8;
  make();
  for (std::uint16_t i = 0; i < 12; ++i) ask({.id = i});
  poll();
  EXPECT_EQ(count(Counter::DropWaitersFull), 4U);
  upstream.answer(upstream.take().at(0));
  poll();
  EXPECT_EQ(replies().size(), 8U);
  ask({.qname = "b.test"});  // still none free
  poll();
  EXPECT_EQ(count(Counter::DropWaitersFull), 5U);
  EXPECT_TRUE(upstream.take().empty());
  give_back();
  ask({.qname = "b.test"});
  poll();
  EXPECT_EQ(upstream.take().size(), 1U);
}

TEST_F(EngineTest, OverTcpTheRefusedAreTold) {
  options.quota_per_zone = 1;
  make();
  ask({.qname = "a.zone.test", .transport = dns::Transport::Tcp});
  ask({.qname = "b.zone.test", .id = 99, .transport = dns::Transport::Tcp});
  poll();
  const auto got = replies();
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0]->request.id, 99);
  EXPECT_EQ(got[0]->answer, nullptr);
  EXPECT_EQ(got[0]->rcode, 2);
}

TEST_F(EngineTest, RepliesBeyondTheRingWaitForTheAsker) {
  make(4);
  for (std::uint16_t i = 0; i < 4; ++i) ask({.id = i});
  poll();
  for (std::uint16_t i = 4; i < 8; ++i) ask({.id = i});
  poll();
  upstream.answer(upstream.take().at(0));
  poll();
  EXPECT_EQ(replies().size(), 4U);
  poll();
  EXPECT_TRUE(replies().empty());  // as many are out as the done ring holds
  give_back();
  EXPECT_EQ(replies().size(), 4U);
  give_back();
  EXPECT_EQ(engine->waiters(), 0U);
}

TEST_F(EngineTest, RepliesForAnAskerThatNeverLooksAreGivenUp) {
  options.deadline_ms = 500;
  make(2);
  ask({.id = 1});
  ask({.id = 2});
  poll();
  ask({.id = 3});
  ask({.id = 4});
  poll();
  upstream.answer(upstream.take().at(0));
  poll();
  EXPECT_EQ(engine->waiters(), 4U);
  advance_ms(1100);
  EXPECT_EQ(engine->waiters(), 2U);  // those in the ring are the asker's
  EXPECT_EQ(count(Counter::DropReplyRingFull), 2U);
}

TEST_F(EngineTest, AskersGetOnlyTheirOwnReplies) {
  slot = std::make_unique<OptionsSlot>(std::make_shared<const Options>(options));
  channel = std::make_unique<Channel>(16);
  Channel second(16);
  engine = std::make_unique<Engine>(limits, *slot, store, *counters);
  engine->attach(*channel);
  engine->attach(second);
  engine->poll_once(now_us);
  ask({.id = 1});
  Request* request = second.claim();
  ASSERT_NE(request, nullptr);
  ask({.id = 2});
  *request = *channel->next_request();
  request->id = 77;
  second.publish();
  poll();
  upstream.answer(upstream.take().at(0));
  poll();
  EXPECT_EQ(replies().size(), 2U);
  std::array<const Reply*, 4> theirs;
  ASSERT_EQ(second.take(theirs), 1U);
  EXPECT_EQ(theirs[0]->request.id, 77);
}

}  // namespace
}  // namespace swarmdns::miss::test
