#include "controlplane/targets/throttled.h"

#include <gtest/gtest.h>

#include "tests/unit/controlplane/targets/fake_target.h"
#include "tests/unit/controlplane/targets/fake_wait_clock.h"
#include "tests/unit/controlplane/targets/target_contract.h"

namespace swarmdns::controlplane {
namespace {

struct Throttled {
  explicit Throttled(std::uint64_t bytes_per_s) {
    auto owned = std::make_unique<FakeTarget>();
    inner = owned.get();
    target = std::make_unique<ThrottledTarget>(std::move(owned), bytes_per_s, stop.get_token(), clock);
  }

  std::stop_source stop;
  FakeWaitClock clock;
  FakeTarget* inner;
  std::unique_ptr<ThrottledTarget> target;
};

}  // namespace

TEST(ThrottledTarget, ASecondIsFreeAndTheRestIsPaced) {
  Throttled throttled(1000);
  const std::int64_t begun_us = throttled.clock.now_us();
  const std::string body = content(500);
  for (int i = 0; i < 20; ++i) EXPECT_DONE(throttled.target->put("a", octets_of(body)));
  // 10,000 octets; what the bucket held and the last object's debt need no wait.
  const std::int64_t passed_us = throttled.clock.now_us() - begun_us;
  EXPECT_GE(passed_us, 8'400'000);
  EXPECT_LE(passed_us, 9'000'000);
}

TEST(ThrottledTarget, AnObjectLargerThanTheBucketPasses) {
  Throttled throttled(1000);
  EXPECT_DONE(throttled.target->put("a", octets_of(content(10'000))));
  EXPECT_TRUE(throttled.clock.slept_us.empty());
  EXPECT_DONE(throttled.target->put("b", octets_of("x")));
  ASSERT_EQ(throttled.clock.slept_us.size(), 1u);
  EXPECT_NEAR(static_cast<double>(throttled.clock.slept_us[0]), 9'000'000, 2);
}

TEST(ThrottledTarget, ThereAndBackAreApart) {
  Throttled throttled(1000);
  EXPECT_DONE(throttled.target->put("a", octets_of(content(10'000))));
  EXPECT_DONE(throttled.target->get("a", 0, 10'000));
  EXPECT_TRUE(throttled.clock.slept_us.empty());
  EXPECT_DONE(throttled.target->get("a", 0, 1));
  EXPECT_EQ(throttled.clock.slept_us.size(), 1u);
}

TEST(ThrottledTarget, WhatHasNoOctetsPassesFreely) {
  Throttled throttled(1000);
  EXPECT_DONE(throttled.target->put("a", octets_of(content(10'000))));
  EXPECT_DONE(throttled.target->head("a"));
  EXPECT_DONE(throttled.target->remove("a"));
  EXPECT_DONE(throttled.target->list("", [](const ObjectInfo&) { return true; }));
  EXPECT_EQ(throttled.target->sweep(0).value(), 7u);
  // Nor is what was not there paid for.
  throttled.inner->failures = {TargetError::Kind::kNotFound};
  EXPECT_FAILS(throttled.target->get("b", 0, 10'000), kNotFound, "get b");
  EXPECT_DONE(throttled.target->get("a", 0, 10));
  EXPECT_TRUE(throttled.clock.slept_us.empty());
}

TEST(ThrottledTarget, TheBucketHoldsNoMoreThanASecond) {
  Throttled throttled(1000);
  throttled.clock.advance_us(3'600'000'000);
  EXPECT_DONE(throttled.target->put("a", octets_of(content(2000))));
  EXPECT_DONE(throttled.target->put("a", octets_of(content(1))));
  ASSERT_EQ(throttled.clock.slept_us.size(), 1u);
  EXPECT_NEAR(static_cast<double>(throttled.clock.slept_us[0]), 1'000'000, 2);
}

TEST(ThrottledTarget, StopsWhileItWaits) {
  Throttled throttled(1000);
  throttled.clock.asleep = [&] { throttled.stop.request_stop(); };
  EXPECT_DONE(throttled.target->put("a", octets_of(content(5000))));
  EXPECT_DONE(throttled.target->get("a", 0, 5000));
  EXPECT_FAILS(throttled.target->put("b", octets_of("x")), kCancelled, "put b");
  EXPECT_FAILS(throttled.target->get("b", 0, 1), kCancelled, "get b");
  EXPECT_EQ(throttled.inner->calls, 2);
}

}  // namespace swarmdns::controlplane
