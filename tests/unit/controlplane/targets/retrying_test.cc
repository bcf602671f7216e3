#include "controlplane/targets/retrying.h"

#include <gtest/gtest.h>

#include "tests/unit/controlplane/targets/fake_target.h"
#include "tests/unit/controlplane/targets/fake_wait_clock.h"
#include "tests/unit/controlplane/targets/target_contract.h"

namespace swarmdns::controlplane {
namespace {

using Kind = TargetError::Kind;

struct Tried {
  explicit Tried(RetryPolicy policy = {}) {
    auto owned = std::make_unique<FakeTarget>();
    inner = owned.get();
    target = std::make_unique<RetryingTarget>(std::move(owned), policy, stop.get_token(), clock);
  }

  std::stop_source stop;
  FakeWaitClock clock;
  FakeTarget* inner;
  std::unique_ptr<RetryingTarget> target;
};

}  // namespace

TEST(RetryingTarget, TriesAgainWhatMayHelp) {
  Tried tried;
  tried.inner->failures = {Kind::kUnavailable, Kind::kUnavailable, Kind::kBroken};
  EXPECT_DONE(tried.target->put("a", octets_of("x")));
  EXPECT_EQ(tried.inner->calls, 4);
  ASSERT_EQ(tried.clock.slept_us.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_GE(tried.clock.slept_us[i], 250'000 << i);
    EXPECT_LE(tried.clock.slept_us[i], 500'000 << i);
  }
}

TEST(RetryingTarget, EveryCall) {
  const std::function<bool(Target&)> calls[] = {
      [](Target& target) { return target.put("a", {}).has_value(); },
      [](Target& target) { return target.get("a", 0, 3).value().size() == 3; },
      [](Target& target) { return target.head("a").value().name == "a"; },
      [](Target& target) { return target.list("", [](const ObjectInfo&) { return true; }).has_value(); },
      [](Target& target) { return target.remove("a").has_value(); },
      [](Target& target) { return target.sweep(0).value() == 7; },
  };
  for (const auto& call : calls) {
    Tried tried;
    tried.inner->failures = {Kind::kUnavailable};
    EXPECT_TRUE(call(*tried.target));
    EXPECT_EQ(tried.inner->calls, 2);
  }
}

TEST(RetryingTarget, NotWhatCannotHelp) {
  for (const Kind kind : {Kind::kNotFound, Kind::kExists, Kind::kRefused, Kind::kFull, Kind::kInvalid,
                          Kind::kUnsupported, Kind::kCancelled}) {
    Tried tried;
    tried.inner->failures = {kind};
    const auto done = tried.target->head("a");
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind, kind);
    EXPECT_EQ(done.error().what, "fake: cannot head a");
    EXPECT_EQ(tried.inner->calls, 1);
  }
}

TEST(RetryingTarget, WhatIsBrokenTwiceStaysSo) {
  Tried tried;
  tried.inner->failures = {Kind::kBroken, Kind::kBroken, Kind::kBroken};
  EXPECT_FAILS(tried.target->get("a", 0, 1), kBroken, "(tried 2 times");
  EXPECT_EQ(tried.inner->calls, 2);
}

TEST(RetryingTarget, TriesAreBounded) {
  Tried tried({.tries = 3});
  tried.inner->failures.assign(10, Kind::kUnavailable);
  EXPECT_FAILS(tried.target->remove("a"), kUnavailable, "fake: cannot remove a (tried 3 times");
  EXPECT_EQ(tried.inner->calls, 3);
}

TEST(RetryingTarget, WaitsAndTheirSumAreBounded) {
  Tried tried({.tries = 1000, .first_wait_ms = 1000, .longest_wait_ms = 8000, .longest_total_ms = 60'000});
  tried.inner->called = [&] { tried.clock.advance_us(1'000'000); };
  tried.inner->failures.assign(1000, Kind::kUnavailable);
  EXPECT_FAILS(tried.target->remove("a"), kUnavailable, "times in");
  std::int64_t sum = 0;
  for (const std::int64_t us : tried.clock.slept_us) {
    EXPECT_LE(us, 8'000'000);
    sum += us;
  }
  EXPECT_GT(tried.inner->calls, 6);
  EXPECT_LE(sum + (tried.inner->calls - 1) * 1'000'000, 60'000'000);
}

TEST(RetryingTarget, StopsWhileItWaits) {
  Tried tried;
  tried.inner->failures.assign(10, Kind::kUnavailable);
  tried.clock.asleep = [&] { tried.stop.request_stop(); };
  EXPECT_FAILS(tried.target->remove("a"), kCancelled, "after: fake: cannot remove a");
  EXPECT_EQ(tried.inner->calls, 1);
}

TEST(RetryingTarget, AListingGoesOnWhereItBroke) {
  Tried tried;
  tried.inner->names = {"a", "b", "c", "d"};
  tried.inner->names_before_failure = 2;
  tried.inner->failures = {Kind::kUnavailable};
  EXPECT_EQ(names_of(*tried.target), (std::vector<std::string>{"a", "b", "c", "d"}));
}

TEST(WaitClock, ASleepEndsWhenAskedToStop) {
  std::stop_source stop;
  EXPECT_TRUE(real_wait_clock().sleep_us(1, stop.get_token()));
  stop.request_stop();
  const std::int64_t before = real_wait_clock().now_us();
  EXPECT_FALSE(real_wait_clock().sleep_us(3'600'000'000, stop.get_token()));
  EXPECT_LT(real_wait_clock().now_us() - before, 3'600'000'000);
}

}  // namespace swarmdns::controlplane
