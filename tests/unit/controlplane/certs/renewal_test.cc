#include "controlplane/certs/renewal.h"

#include <gtest/gtest.h>

#include <set>

namespace swarmdns::controlplane {
namespace {

constexpr std::int64_t kDay = 86400;

TEST(Renewal, IsDueWhenAThirdIsLeftOrALittleEarlier) {
  std::set<std::int64_t> times;
  for (std::uint64_t node = 1; node <= 100; ++node) {
    const std::int64_t due = next_renewal({0, kDay, node, 0, 0});
    EXPECT_LE(due, kDay - kDay / 3);
    EXPECT_GT(due, kDay - kDay / 3 - kDay / 20);
    EXPECT_EQ(due, next_renewal({0, kDay, node, 0, 12345}));
    times.insert(due);
  }
  EXPECT_GT(times.size(), 80u);  // they do not renew together
}

TEST(Renewal, AfterFailuresItWaitsLongerUpToALimit) {
  std::int64_t shortest_before = 0;
  for (unsigned failures = 1; failures <= 7; ++failures) {
    const std::int64_t wait = next_renewal({0, kDay, 1, failures, kDay}) - kDay;
    const std::int64_t pause = 5 << (failures - 1);
    EXPECT_GE(wait, pause);
    EXPECT_LE(wait, pause + pause / 2);
    EXPECT_GT(wait, shortest_before);
    shortest_before = pause;
  }
  for (const unsigned failures : {8u, 11u, 1000u, 4294967295u}) {
    const std::int64_t wait = next_renewal({0, kDay, 1, failures, kDay}) - kDay;
    EXPECT_GE(wait, 600);
    EXPECT_LE(wait, 900);
  }
}

TEST(Renewal, NeverEarlierThanDueForAFailureOfLongAgo) {
  EXPECT_EQ(next_renewal({0, kDay, 1, 1, 100}), next_renewal({0, kDay, 1, 0, 0}));
}

TEST(Renewal, ACertificateThatWasNeverGoodIsDueAtOnce) {
  EXPECT_LE(next_renewal({0, 0, 1, 0, 0}), 0);
  EXPECT_LE(next_renewal({kDay, 0, 1, 0, 0}), 0);
}

}  // namespace
}  // namespace swarmdns::controlplane
