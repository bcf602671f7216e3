// The parts of the miss path by themselves.
#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <map>
#include <random>
#include <set>
#include <string>

#include "dataplane/miss/in_flight.h"
#include "dataplane/miss/pool.h"
#include "dataplane/miss/quota.h"
#include "dataplane/miss/servers.h"
#include "dataplane/miss/timers.h"
#include "dataplane/miss/udp_sockets.h"
#include "dataplane/miss/upstream_query.h"
#include "proto/dns/message.h"
#include "proto/dns/name_text.h"

namespace swarmdns::miss {
namespace {

net::Address address(std::string_view text) {
  return *net::Address::parse(text);
}
dns::Name name(std::string_view text) {
  return *dns::name_from_text(text);
}

TEST(Pool, NeverExceedsItsBoundAndReuses) {
  Pool<int> pool(300);
  std::set<std::uint32_t> taken;
  for (int i = 0; i < 300; ++i) EXPECT_TRUE(taken.insert(pool.take()).second);
  EXPECT_EQ(pool.take(), kNone);
  pool[17] = 5;
  pool.give(17);
  EXPECT_EQ(pool.take(), 17U);
  EXPECT_EQ(pool[17], 5);
  EXPECT_EQ(pool.take(), kNone);
}

TEST(Timers, FireOnceNotEarlyAndInOrderOfTicks) {
  Timers timers;
  const std::uint64_t start = 5'000'000'000;
  timers.advance(start, [](std::uint32_t) { FAIL(); });
  timers.set(1, start + 10'000);
  timers.set(2, start + 5'000);
  timers.set(3, start + 60'000'000);  // more than a turn of the wheel away
  std::vector<std::uint32_t> fired;
  const auto fire = [&](std::uint32_t i) { fired.push_back(i); };
  timers.advance(start + 4'000, fire);
  EXPECT_TRUE(fired.empty());
  timers.advance(start + 20'000, fire);
  EXPECT_EQ(fired, (std::vector<std::uint32_t>{2, 1}));
  for (std::uint64_t t = 1; t < 60; ++t) timers.advance(start + t * 1'000'000, fire);
  EXPECT_EQ(fired.size(), 2U);
  timers.advance(start + 60'003'000, fire);
  EXPECT_EQ(fired.size(), 3U);
  EXPECT_EQ(timers.armed(), 0U);
}

TEST(Timers, ALongSleepLosesNone) {
  Timers timers;
  timers.advance(1'000'000'000, [](std::uint32_t) {});
  for (std::uint32_t i = 0; i < 100; ++i) timers.set(i, 1'000'000'000 + std::uint64_t{i} * 977'000);
  std::set<std::uint32_t> fired;
  timers.advance(9'000'000'000, [&](std::uint32_t i) { fired.insert(i); });
  EXPECT_EQ(fired.size(), 100U);
}

TEST(Timers, FiringMaySetAndCancelOthers) {
  Timers timers;
  const std::uint64_t start = 1'000'000'000;
  timers.advance(start, [](std::uint32_t) {});
  for (std::uint32_t i = 0; i < 4; ++i) timers.set(i, start + 2'000);
  int fired = 0;
  timers.advance(start + 4'000, [&](std::uint32_t i) {
    ++fired;
    for (std::uint32_t other = 0; other < 4; ++other) timers.cancel(other);
    timers.set(i, start + 100'000);
  });
  EXPECT_EQ(fired, 1);
  EXPECT_EQ(timers.armed(), 1U);
}

// Against a plain map, with random moves.
TEST(Timers, AgreeWithAMap) {
  Timers timers;
  std::map<std::uint32_t, std::uint64_t> model;
  std::mt19937 random(7);
  std::uint64_t now = 3'000'000'000;
  timers.advance(now, [](std::uint32_t) {});
  for (int step = 0; step < 20'000; ++step) {
    const std::uint32_t index = random() % 50;
    switch (random() % 4) {
      case 0:
      case 1: {
        const std::uint64_t due = now + random() % 10'000'000;
        timers.set(index, due);
        model[index] = due;
        break;
      }
      case 2:
        timers.cancel(index);
        model.erase(index);
        break;
      default:
        now += random() % 400'000;
        timers.advance(now, [&](std::uint32_t i) {
          ASSERT_TRUE(model.contains(i));
          ASSERT_LE(model[i], now);
          model.erase(i);
        });
        for (const auto& [i, due] : model) ASSERT_GT(due + 2'048, now) << i;
    }
    ASSERT_EQ(timers.armed(), model.size());
  }
}

TEST(Quota, CountsExactly) {
  Quota quota(100);
  EXPECT_TRUE(quota.take(1, 2));
  EXPECT_TRUE(quota.take(1, 2));
  EXPECT_FALSE(quota.take(1, 2));
  EXPECT_TRUE(quota.take(1 + (1ULL << 40), 2));  // the same bucket, another key
  EXPECT_EQ(quota.held(1), 2U);
  quota.give(1);
  EXPECT_TRUE(quota.take(1, 2));
  quota.give(1);
  quota.give(1);
  EXPECT_EQ(quota.held(1), 0U);
  EXPECT_EQ(quota.keys(), 1U);
  EXPECT_FALSE(quota.take(9, 0));
}

TEST(Quota, RegisteredNames) {
  const auto registered = [](std::string_view text) {
    const dns::Name whole = name(text);  // must outlive the view
    return dns::to_text(registered_name(whole));
  };
  EXPECT_EQ(registered("a.b.example.com"), "example.com.");
  EXPECT_EQ(registered("example.com"), "example.com.");
  EXPECT_EQ(registered("com"), "com.");
  EXPECT_EQ(registered("."), ".");
  EXPECT_EQ(registered("x.shop.co.uk"), "shop.co.uk.");
  EXPECT_EQ(registered("x.y.shop.com.au"), "shop.com.au.");
  EXPECT_EQ(registered("co.uk"), "co.uk.");
  EXPECT_EQ(registered("a.co.example"), "co.example.");
  EXPECT_EQ(registered("4.3.2.1.in-addr.arpa"), "2.1.in-addr.arpa.");
  EXPECT_EQ(registered("0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"), "8.b.d.0.1.0.0.2.ip6.arpa.");
}

TEST(Quota, PrefixesAre24And56) {
  const QuotaKeys keys;
  EXPECT_EQ(keys.prefix(address("192.0.2.1")), keys.prefix(address("192.0.2.200")));
  EXPECT_NE(keys.prefix(address("192.0.2.1")), keys.prefix(address("192.0.3.1")));
  EXPECT_EQ(keys.prefix(address("2001:db8:0:100::1")), keys.prefix(address("2001:db8:0:1ff::1")));
  EXPECT_NE(keys.prefix(address("2001:db8:0:100::1")), keys.prefix(address("2001:db8:0:200::1")));
  EXPECT_NE(QuotaKeys().prefix(address("192.0.2.1")), keys.prefix(address("192.0.2.1")));  // keyed
}

TEST(InFlight, FindsRenumbersAndForgets) {
  InFlight flights(8);
  for (std::uint16_t i = 0; i < 8; ++i) EXPECT_TRUE(flights.add({i, 7}, {i, 0}));
  EXPECT_FALSE(flights.add({9, 7}, {9, 0}));  // the bound
  EXPECT_FALSE(flights.add({3, 7}, {9, 0}));  // taken
  ASSERT_NE(flights.find({3, 7}), nullptr);
  EXPECT_EQ(flights.find({3, 7})->question, 3U);
  EXPECT_EQ(flights.find({3, 8}), nullptr);
  flights.renumber({3, 7}, 2);
  EXPECT_EQ(flights.find({3, 7})->attempt, 2);
  flights.remove({3, 7});
  EXPECT_EQ(flights.find({3, 7}), nullptr);
  EXPECT_TRUE(flights.add({9, 7}, {9, 0}));
}

TEST(Servers, PreferTheFasterAndTryTheOtherNow) {
  Servers servers;
  const std::vector<Server> two = {{address("192.0.2.1"), 53}, {address("192.0.2.2"), 53}};
  EXPECT_EQ(servers.configure(two), 0U);
  servers.replied(0, 50'000, 1);
  servers.replied(1, 1'000, 1);
  Random random;
  int second = 0;
  for (int i = 0; i < 1000; ++i) second += *servers.choose(0, 2, random) == 1 ? 1 : 0;
  EXPECT_GT(second, 900);
  EXPECT_LT(second, 1000);                         // the slower one is looked at now and then
  EXPECT_EQ(*servers.choose(0b10, 2, random), 0);  // tried already
}

TEST(Servers, SilentAboutEverythingIsDownAndAnswersBringItBack) {
  Servers servers;
  const std::vector<Server> two = {{address("192.0.2.1"), 53}, {address("192.0.2.2"), 53}};
  servers.configure(two);
  Random random;
  std::uint64_t now = 100'000'000;
  servers.replied(1, 1'000, now);
  for (int i = 0; i < 20; ++i) servers.timed_out(0, now += 500'000);
  EXPECT_FALSE(servers.status().at(0).healthy);
  EXPECT_FALSE(servers.all_down());
  int first = 0;
  for (int i = 0; i < 100; ++i) first += *servers.choose(0, now + 1, random) == 0 ? 1 : 0;
  EXPECT_EQ(first, 0);
  // One probe when its back-off is over, not a hundred.
  now += 20'000'000;
  for (int i = 0; i < 100; ++i) first += *servers.choose(0, now, random) == 0 ? 1 : 0;
  EXPECT_EQ(first, 1);
  servers.replied(0, 1'000, now);
  EXPECT_TRUE(servers.status().at(0).healthy);
}

TEST(Servers, OneSilentNameDoesNotMakeAServerDown) {
  Servers servers;
  const std::vector<Server> one = {{address("192.0.2.1"), 53}};
  servers.configure(one);
  std::uint64_t now = 100'000'000;
  for (int i = 0; i < 100; ++i) {
    now += 100'000;
    servers.timed_out(0, now);
    if (i % 6 == 0) servers.replied(0, 1'000, now);
  }
  EXPECT_TRUE(servers.status().at(0).healthy);
}

TEST(Servers, ReconfiguringKeepsWhatStays) {
  Servers servers;
  const std::vector<Server> before = {{address("192.0.2.1"), 53}, {address("192.0.2.2"), 53}};
  servers.configure(before);
  servers.asked(1);
  const std::vector<Server> after = {{address("192.0.2.3"), 53}, {address("192.0.2.2"), 53}};
  EXPECT_EQ(servers.configure(after), 0b1U);
  const auto status = servers.status();
  ASSERT_EQ(status.size(), 2U);
  EXPECT_EQ(status[0].server, after[0]);
  EXPECT_EQ(status[1].server, after[1]);
  EXPECT_EQ(status[1].queries, 1U);
  EXPECT_EQ(servers.configure({}), 0b11U);
  Random random;
  EXPECT_FALSE(servers.choose(0, 1, random).has_value());
}

class UdpSocketsTest : public ::testing::Test {
 protected:
  ~UdpSocketsTest() override { ::close(epoll); }
  int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  Random random;
  Server server{address("127.0.0.1"), 9};
};

// RFC 5452 9.2. (On a loopback address, but treated as one that is far away.)
TEST_F(UdpSocketsTest, OffLoopbackPortsAreManyAndChange) {
  UdpSockets sockets(epoll, random, {}, {});
  std::set<std::uint16_t> ports;
  std::uint64_t now = 1'000'000;
  for (int i = 0; i < 500; ++i) {
    const std::uint32_t socket = sockets.pick(0, server, false, now += 200'000);  // each after a pause
    ASSERT_NE(socket, kNone);
    sockets.hold(socket);
    ports.insert(sockets.local_port(socket));
    sockets.release(socket);
  }
  EXPECT_GT(ports.size(), 450U);
  EXPECT_GT(*ports.rbegin() - *ports.begin(), 50'000);  // over the whole range
  EXPECT_GE(*ports.begin(), 1024);
  EXPECT_LE(sockets.open_sockets(), 64U);
}

TEST_F(UdpSocketsTest, AWornSocketStaysUntilItsLastAnswer) {
  UdpSockets sockets(epoll, random, {}, {});
  const std::uint32_t first = sockets.pick(0, server, false, 1);
  sockets.hold(first);
  const std::uint16_t port = sockets.local_port(first);
  for (std::uint64_t i = 0; i < 5'000; ++i) {
    const std::uint32_t socket = sockets.pick(0, server, false, 2 + i);
    ASSERT_NE(socket, kNone);
    sockets.hold(socket);
    sockets.release(socket);
  }
  EXPECT_EQ(sockets.local_port(first), port);  // still there, for the answer
  const std::size_t open = sockets.open_sockets();
  sockets.release(first);
  EXPECT_EQ(sockets.open_sockets(), open - 1);
}

TEST_F(UdpSocketsTest, RetiredServersLeaveNothingOpen) {
  UdpSockets sockets(epoll, random, {}, {});
  for (std::uint64_t i = 0; i < 100; ++i) (void)sockets.pick(3, server, true, i);
  EXPECT_GT(sockets.open_sockets(), 1U);
  sockets.retire(3);
  EXPECT_EQ(sockets.open_sockets(), 0U);
}

TEST_F(UdpSocketsTest, SourceAddressIsUsed) {
  UdpSockets sockets(epoll, random, address("127.0.0.77"), {});
  const std::uint32_t socket = sockets.pick(0, server, false, 1);
  ASSERT_NE(socket, kNone);
  UdpSockets elsewhere(epoll, random, address("203.0.113.250"), {});  // no address of ours
  EXPECT_EQ(elsewhere.pick(0, server, false, 1), kNone);
}

TEST(UpstreamQuery, CaseIsRandomAndChecked) {
  const dns::Name qname = name("a-rather-long-name-with-many-letters.example.com");
  UpstreamQuery query;
  query.key = {qname.wire().data(), static_cast<std::uint8_t>(qname.size()), cache::kKeyDnssecOk, 0, 28};
  query.id = 0xabcd;
  query.case_seed = 42;
  std::array<std::byte, 512> out;
  const std::size_t size = write_upstream_query(query, out);
  ASSERT_GT(size, 0U);
  const auto message = dns::Message::parse(std::span(out).first(size));
  ASSERT_TRUE(message.has_value());
  EXPECT_EQ(message->question()->name, qname.view());
  EXPECT_FALSE(identical(message->question()->name, qname));
  EXPECT_TRUE(message->opt()->dnssec_ok);
  EXPECT_EQ(message->opt()->payload_size, 1232);

  out[2] |= std::byte{0x80};  // as a response
  EXPECT_TRUE(answers_question(std::span(out).first(size), query));
  UpstreamQuery other = query;
  other.case_seed = 43;
  EXPECT_FALSE(answers_question(std::span(out).first(size), other));
  other.case_seed = 0;  // case was not sent at random: any is good
  EXPECT_TRUE(answers_question(std::span(out).first(size), other));
  other.key.qtype = 1;
  EXPECT_FALSE(answers_question(std::span(out).first(size), other));
  other = query;
  other.id = 1;
  EXPECT_FALSE(answers_question(std::span(out).first(size), other));
  for (std::size_t cut = 0; cut < dns::kHeaderSize + qname.size() + 4; ++cut) {
    EXPECT_FALSE(answers_question(std::span(out).first(cut), query));
  }
}

}  // namespace
}  // namespace swarmdns::miss
