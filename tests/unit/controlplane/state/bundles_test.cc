#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "tests/unit/controlplane/state/map_source.h"

namespace swarmdns::controlplane {
namespace {

bool admit(MapSource& source, std::uint64_t number, std::uint64_t node = 1) {
  StateView view(source);
  const bool taken = admit_bundle(view, node, number).has_value();
  source.take(view);
  return taken;
}

TEST(Bundles, EachNumberIsTakenOnce) {
  MapSource source;
  EXPECT_TRUE(admit(source, 5));
  EXPECT_FALSE(admit(source, 5));
  EXPECT_TRUE(admit(source, 4));
  EXPECT_FALSE(admit(source, 4));
  EXPECT_TRUE(admit(source, 6));
  EXPECT_FALSE(admit(source, 5));
  EXPECT_FALSE(admit(source, 0));
}

TEST(Bundles, NodesHaveTheirOwnNumbers) {
  MapSource source;
  EXPECT_TRUE(admit(source, 7, 1));
  EXPECT_TRUE(admit(source, 7, 2));
  EXPECT_FALSE(admit(source, 7, 2));
}

TEST(Bundles, WhatIsOlderThanTheWindowIsRefused) {
  MapSource source;
  EXPECT_TRUE(admit(source, 10'000));
  EXPECT_TRUE(admit(source, 10'000 - 1024));
  EXPECT_FALSE(admit(source, 10'000 - 1025));
}

TEST(Bundles, AWideStepForgetsNothingThatIsStillInTheWindow) {
  MapSource source;
  EXPECT_TRUE(admit(source, 100));
  EXPECT_TRUE(admit(source, 99));
  EXPECT_TRUE(admit(source, 100 + 1024));
  EXPECT_FALSE(admit(source, 100));
  EXPECT_FALSE(admit(source, 99));
  EXPECT_TRUE(admit(source, 100'000));
  EXPECT_TRUE(admit(source, 99'999));
}

TEST(Bundles, RandomOrderTakesEachExactlyOnce) {
  std::mt19937_64 random(7);
  std::vector<std::uint64_t> numbers;
  for (std::uint64_t base = 1; base < 20'000; base += 500) {
    std::vector<std::uint64_t> part;
    for (std::uint64_t i = 0; i < 500; ++i) part.insert(part.end(), 2, base + i);
    std::shuffle(part.begin(), part.end(), random);
    numbers.insert(numbers.end(), part.begin(), part.end());
  }
  MapSource source;
  std::set<std::uint64_t> taken;
  for (const std::uint64_t number : numbers) EXPECT_EQ(admit(source, number), taken.insert(number).second);
}

}  // namespace
}  // namespace swarmdns::controlplane
