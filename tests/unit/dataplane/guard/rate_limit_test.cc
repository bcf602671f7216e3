#include "dataplane/guard/rate_limit.h"

#include <gtest/gtest.h>

#include <cmath>
#include <thread>
#include <vector>

namespace swarmdns::guard {
namespace {

net::Address at(const std::string& text) {
  return *net::Address::parse(text);
}

// How many of `count` responses, evenly spread over `seconds`, pass.
unsigned passed(RateLimiter& limiter, const net::Address& client, unsigned count, double seconds,
                std::uint32_t& now_ms) {
  unsigned out = 0;
  const std::uint32_t start = now_ms;
  for (unsigned i = 0; i < count; ++i) {
    now_ms = start + static_cast<std::uint32_t>(1000.0 * seconds * i / count);
    out += limiter.charge(client, now_ms) == RateVerdict::Pass ? 1 : 0;
  }
  return out;
}

TEST(RateLimiter, LetsTheRateThrough) {
  const auto limiter = RateLimiter::create({.responses_per_second = 1000, .prefix_scale = 100, .slip = 0});
  std::uint32_t now = 12345;
  EXPECT_EQ(passed(*limiter, at("192.0.2.1"), 9000, 10, now), 9000U);
}

TEST(RateLimiter, DropsAfterBurst) {
  const auto limiter = RateLimiter::create({.responses_per_second = 1000, .prefix_scale = 100, .slip = 0});
  const net::Address client = at("192.0.2.1");
  std::uint32_t now = 77;
  unsigned burst = 0;
  while (limiter->charge(client, now) == RateVerdict::Pass) ++burst;
  EXPECT_NEAR(burst, 1000, 60);
  EXPECT_EQ(limiter->charge(client, now), RateVerdict::Drop);
}

TEST(RateLimiter, HoldsAFloodToTheRate) {
  for (const unsigned rate : {20U, 1000U, 20000U}) {
    const auto limiter = RateLimiter::create({.responses_per_second = rate, .prefix_scale = 100, .slip = 0});
    std::uint32_t now = 5000;
    // Ten times the rate for ten seconds, after a second that uses up the burst.
    passed(*limiter, at("192.0.2.1"), rate * 10, 1, now);
    const unsigned through = passed(*limiter, at("192.0.2.1"), rate * 100, 10, now);
    EXPECT_NEAR(through, rate * 10.0, rate * 1.0) << rate;
  }
}

TEST(RateLimiter, SlowestRateStillAnswers) {
  const auto limiter = RateLimiter::create({.responses_per_second = 1, .prefix_scale = 1, .slip = 0});
  std::uint32_t now = 0;
  const unsigned through = passed(*limiter, at("192.0.2.1"), 1000, 20, now);
  EXPECT_GE(through, 15U);
  EXPECT_LE(through, 45U);
}

TEST(RateLimiter, ForgivesWithTime) {
  const auto limiter = RateLimiter::create({.responses_per_second = 100, .prefix_scale = 100, .slip = 0});
  const net::Address client = at("192.0.2.1");
  while (limiter->charge(client, 1000) == RateVerdict::Pass) {
  }
  EXPECT_EQ(limiter->charge(client, 1005), RateVerdict::Drop);
  EXPECT_EQ(limiter->charge(client, 31000), RateVerdict::Pass);
  EXPECT_EQ(limiter->charge(client, 31000), RateVerdict::Pass);
}

TEST(RateLimiter, ClockMayWrapAndStepBackALittle) {
  const auto limiter = RateLimiter::create({.responses_per_second = 100, .prefix_scale = 100, .slip = 0});
  const net::Address client = at("192.0.2.1");
  while (limiter->charge(client, 0xffffffff) == RateVerdict::Pass) {
  }
  EXPECT_EQ(limiter->charge(client, 0xffffff00), RateVerdict::Drop);  // another worker's older clock
  EXPECT_EQ(limiter->charge(client, 3), RateVerdict::Drop);
  EXPECT_EQ(limiter->charge(client, 20000), RateVerdict::Pass);
}

TEST(RateLimiter, OthersAreNotLimited) {
  const auto limiter = RateLimiter::create({.responses_per_second = 50, .prefix_scale = 10'000, .slip = 0});
  for (unsigned i = 0; i < 10000; ++i) (void)limiter->charge(at("192.0.2.1"), 1000);
  ASSERT_EQ(limiter->charge(at("192.0.2.1"), 1000), RateVerdict::Drop);
  for (unsigned i = 0; i < 256; ++i) {
    EXPECT_EQ(limiter->charge(at("198.51.100." + std::to_string(i)), 1000), RateVerdict::Pass);
    if (i != 1) {
      EXPECT_EQ(limiter->charge(at("192.0.2." + std::to_string(i)), 1000), RateVerdict::Pass);
    }
  }
}

TEST(RateLimiter, PrefixHasItsOwnLimit) {
  const auto limiter = RateLimiter::create({.responses_per_second = 100, .prefix_scale = 4, .slip = 0});
  unsigned through = 0;
  for (unsigned i = 0; i < 20000; ++i) {
    through += limiter->charge(at("192.0.2." + std::to_string(i % 200)), 1000) == RateVerdict::Pass ? 1 : 0;
  }
  EXPECT_NEAR(through, 400, 60);
  EXPECT_EQ(limiter->charge(at("192.0.2.250"), 1000), RateVerdict::Drop);  // never asked, but of that prefix
  EXPECT_EQ(limiter->charge(at("192.0.3.250"), 1000), RateVerdict::Pass);
}

TEST(RateLimiter, Ipv6HostsAreTheir64) {
  const auto limiter = RateLimiter::create({.responses_per_second = 100, .prefix_scale = 4, .slip = 0});
  unsigned through = 0;
  for (unsigned i = 0; i < 5000; ++i) {
    through += limiter->charge(at("2001:db8:1:1::" + std::to_string(i)), 1000) == RateVerdict::Pass ? 1 : 0;
  }
  EXPECT_NEAR(through, 100, 30);
  EXPECT_EQ(limiter->charge(at("2001:db8:1:2::1"), 1000), RateVerdict::Pass);
  unsigned of_48 = 0;
  for (unsigned i = 0; i < 5000; ++i) {
    const std::string net = "2001:db8:1:" + std::to_string(i % 50 + 100) + "::1";
    of_48 += limiter->charge(at(net), 1000) == RateVerdict::Pass ? 1 : 0;
  }
  EXPECT_NEAR(of_48, 300, 60);  // a hundred are spent
  EXPECT_EQ(limiter->charge(at("2001:db8:2:1::1"), 1000), RateVerdict::Pass);
}

TEST(RateLimiter, EveryNthLimitedAnswerSlips) {
  for (const unsigned slip : {1U, 2U, 5U}) {
    const auto limiter = RateLimiter::create({.responses_per_second = 10, .prefix_scale = 100, .slip = slip});
    while (limiter->charge(at("192.0.2.1"), 1000) == RateVerdict::Pass) {
    }
    unsigned slips = 0;
    for (unsigned i = 0; i < 1000; ++i)
      slips += limiter->charge(at("192.0.2.1"), 1000) == RateVerdict::Slip ? 1 : 0;
    EXPECT_NEAR(slips, 1000 / slip, 1) << slip;
  }
}

TEST(RateLimiter, RatesChangeOnALiveTable) {
  const auto limiter = RateLimiter::create({.responses_per_second = 10, .prefix_scale = 100, .slip = 0});
  std::uint32_t now = 1000;
  EXPECT_LT(passed(*limiter, at("192.0.2.1"), 1000, 1, now), 40U);
  limiter->set_rates({.responses_per_second = 100000, .prefix_scale = 100, .slip = 0});
  now += 2000;
  EXPECT_EQ(passed(*limiter, at("192.0.2.1"), 1000, 1, now), 1000U);
}

// A flood from ever new addresses neither grows anything nor gets an innocent limited, and does not hide the
// busy one.
TEST(RateLimiter, SurvivesAFloodOfAddresses) {
  const auto limiter = RateLimiter::create({.responses_per_second = 1000,
                                            .prefix_scale = 10'000,
                                            .slip = 0,
                                            .table_bytes = std::size_t{64} << 10});
  unsigned busy = 0;
  unsigned innocent = 0;
  for (unsigned i = 0; i < 200000; ++i) {
    const std::string flood = std::to_string(1 + i % 200) + "." + std::to_string(i / 200 % 250) + "." +
                              std::to_string(i % 7) + ".9";
    (void)limiter->charge(at(flood), 1000);
    if (i % 4 == 0) busy += limiter->charge(at("203.0.113.1"), 1000) == RateVerdict::Pass ? 1 : 0;
    if (i % 1000 == 0) innocent += limiter->charge(at("198.51.100.1"), 1000) == RateVerdict::Pass ? 1 : 0;
  }
  EXPECT_EQ(innocent, 200U);
  EXPECT_LT(busy, 5000U);  // of 50,000
}

TEST(RateLimiter, ThreadsShareATable) {
  const auto limiter = RateLimiter::create({.responses_per_second = 2000, .prefix_scale = 100, .slip = 0});
  std::atomic<unsigned> through{0};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 2; ++t) {
    threads.emplace_back([&] {
      for (unsigned i = 0; i < 20000; ++i) {
        if (limiter->charge(at("192.0.2.1"), 1000) == RateVerdict::Pass) through.fetch_add(1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(through.load(), 1900U);
  EXPECT_LE(through.load(), 8000U);  // counts may be lost, but not most of them
}

}  // namespace
}  // namespace swarmdns::guard
