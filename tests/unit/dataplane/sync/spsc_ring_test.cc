#include "dataplane/sync/spsc_ring.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <thread>
#include <vector>

namespace swarmdns::sync {
namespace {

TEST(SpscRing, RoundsItsCapacityUp) {
  EXPECT_EQ(SpscRing<int>(0).capacity(), 2U);
  EXPECT_EQ(SpscRing<int>(3).capacity(), 4U);
  EXPECT_EQ(SpscRing<int>(64).capacity(), 64U);
}

TEST(SpscRing, RefusesWhenFullAndWhenEmpty) {
  SpscRing<int> ring(4);
  int out = -1;
  EXPECT_FALSE(ring.try_pop(out));
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(ring.try_push(i));
  EXPECT_FALSE(ring.try_push(4));
  EXPECT_EQ(ring.size(), 4U);
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(ring.try_pop(out));
    EXPECT_EQ(out, i);
  }
  EXPECT_FALSE(ring.try_pop(out));
  EXPECT_TRUE(ring.empty());
}

TEST(SpscRing, ClaimedSlotsStayUnseenUntilPublished) {
  SpscRing<int> ring(4);
  *ring.try_claim(0) = 10;
  *ring.try_claim(1) = 11;
  EXPECT_EQ(ring.front(), nullptr);
  ring.publish(1);
  ASSERT_NE(ring.front(), nullptr);
  EXPECT_EQ(*ring.front(), 10);
  EXPECT_EQ(ring.front(1), nullptr);
  ring.publish(1);
  ASSERT_NE(ring.front(1), nullptr);
  EXPECT_EQ(*ring.front(1), 11);
}

TEST(SpscRing, ClaimAheadStopsAtTheCapacity) {
  SpscRing<int> ring(4);
  EXPECT_TRUE(ring.try_push(1));
  EXPECT_NE(ring.try_claim(2), nullptr);
  EXPECT_EQ(ring.try_claim(3), nullptr);
}

TEST(SpscRing, BulkTakesWhatFits) {
  SpscRing<int> ring(4);
  const std::array<int, 6> in{1, 2, 3, 4, 5, 6};
  EXPECT_EQ(ring.push_bulk(in), 4U);
  std::array<int, 3> out{};
  EXPECT_EQ(ring.pop_bulk(out), 3U);
  EXPECT_EQ(out, (std::array<int, 3>{1, 2, 3}));
  EXPECT_EQ(ring.push_bulk(std::span(in).subspan(4)), 2U);
  EXPECT_EQ(ring.pop_bulk(out), 3U);
  EXPECT_EQ(out, (std::array<int, 3>{4, 5, 6}));
  EXPECT_EQ(ring.pop_bulk(out), 0U);
}

TEST(SpscRing, MovesWhatCannotBeCopied) {
  SpscRing<std::unique_ptr<int>> ring(2);
  EXPECT_TRUE(ring.try_push(std::make_unique<int>(7)));
  std::unique_ptr<int> out;
  ASSERT_TRUE(ring.try_pop(out));
  EXPECT_EQ(*out, 7);
}

struct Wide {
  std::uint64_t first = 0;
  std::array<std::uint64_t, 84> body{};
  std::uint64_t last = 0;
};

TEST(SpscRing, TwoThreadsSeeWholeElementsInOrder) {
  constexpr std::uint64_t kCount = 200'000;
  SpscRing<Wide> ring(64);
  std::thread producer([&ring] {
    for (std::uint64_t i = 1; i <= kCount;) {
      Wide* slot = ring.try_claim();
      if (slot == nullptr) {
        std::this_thread::yield();
        continue;
      }
      slot->first = i;
      slot->body.fill(i);
      slot->last = ~i;
      ring.publish();
      ++i;
    }
  });
  std::uint64_t wrong = 0;
  for (std::uint64_t i = 1; i <= kCount;) {
    Wide* slot = ring.front();
    if (slot == nullptr) {
      std::this_thread::yield();
      continue;
    }
    if (slot->first != i || slot->body[41] != i || slot->last != ~i) ++wrong;
    ring.pop();
    ++i;
  }
  producer.join();
  EXPECT_EQ(wrong, 0U);
  EXPECT_TRUE(ring.empty());
}

TEST(SpscRing, TwoThreadsInBulkLoseNothing) {
  constexpr std::uint64_t kCount = 500'000;
  SpscRing<std::uint64_t> ring(128);
  std::thread producer([&ring] {
    std::array<std::uint64_t, 33> batch{};
    std::uint64_t next = 0;
    while (next < kCount) {
      const std::size_t n = std::min<std::uint64_t>(batch.size(), kCount - next);
      for (std::size_t i = 0; i < n; ++i) batch[i] = next + i;
      const std::size_t done = ring.push_bulk(std::span(batch).first(n));
      next += done;
      if (done == 0) std::this_thread::yield();
    }
  });
  std::array<std::uint64_t, 17> batch{};
  std::uint64_t expected = 0;
  std::uint64_t wrong = 0;
  while (expected < kCount) {
    const std::size_t n = ring.pop_bulk(batch);
    for (std::size_t i = 0; i < n; ++i) wrong += batch[i] != expected++ ? 1U : 0U;
    if (n == 0) std::this_thread::yield();
  }
  producer.join();
  EXPECT_EQ(wrong, 0U);
}

}  // namespace
}  // namespace swarmdns::sync
