// How memory is found for inserts when the budget is used up.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <fstream>
#include <random>
#include <string>

#include "tests/unit/dataplane/cache/helpers.h"

namespace swarmdns::cache {
namespace {

using stats::Counter;
using testing::Engine;
using testing::make_image;
using testing::numbered;
using testing::TestKey;

// Inserts `count` distinct names of `bytes` each; upkeep runs as the writer thread would run it.
void fill(Engine& engine, std::uint64_t first, std::uint64_t count, std::size_t bytes) {
  for (std::uint64_t i = first; i < first + count; ++i) {
    const TestKey key(numbered("n", i, ".example"));
    ASSERT_EQ(engine.insert_patiently(make_image(key.key, {.bytes = bytes})), Outcome::Inserted);
    if (i % 64 == 0) engine.work();
  }
}

TEST(Room, BudgetIsUsedAndNeverExceeded) {
  Engine engine;
  fill(engine, 0, 300'000, 100);
  engine.settle();
  const CacheStats stats = engine.cache->stats();
  EXPECT_LE(stats.used_bytes, stats.budget_bytes);
  // The slabs are well used: what lives there is most of them.
  EXPECT_GT(static_cast<double>(stats.entry_bytes), 0.80 * static_cast<double>(stats.pages * kPageSize));
  EXPECT_EQ(stats.entries + engine.count(Counter::CacheEvictions), 300'000U);
}

TEST(Room, ResidentMemoryStaysWithinTheBudget) {
  const auto resident = [] {
    std::ifstream statm("/proc/self/statm");
    std::uint64_t total = 0;
    std::uint64_t pages = 0;
    statm >> total >> pages;
    return pages * 4096;
  };
  const std::uint64_t before = resident();
  auto options = Engine::small();
  options.budget_bytes = 64U << 20;
  Engine engine(options);
  fill(engine, 0, 600'000, 60);
  EXPECT_GT(engine.count(Counter::CacheEvictions), 0U);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  // A little is the test's own and the allocator's.
  EXPECT_LT(resident(), before + options.budget_bytes + (8U << 20));
#else
  (void)before;
#endif
}

TEST(Room, BudgetFollowsTheSizeOfAnswersAndBack) {
  Engine engine;
  const auto use = [&engine] {
    engine.settle();
    const CacheStats stats = engine.cache->stats();
    return static_cast<double>(stats.entry_bytes) / static_cast<double>(stats.pages * kPageSize);
  };
  fill(engine, 0, 200'000, 100);
  const double small_first = use();
  const std::uint64_t entries_small = engine.cache->stats().entries;
  fill(engine, 1'000'000, 60'000, 1000);
  const double large = use();
  const std::uint64_t entries_large = engine.cache->stats().entries;
  fill(engine, 2'000'000, 400'000, 100);
  const double small_again = use();
  EXPECT_GT(small_first, 0.80);
  EXPECT_GT(large, 0.80);
  EXPECT_GT(small_again, 0.80);
  EXPECT_LT(entries_large, entries_small / 4);
  EXPECT_GT(engine.cache->stats().entries, entries_small * 9 / 10);
  EXPECT_GT(engine.count(Counter::SlabPagesMoved), 100U);
}

TEST(Room, MixedSizesShareTheBudget) {
  Engine engine;
  std::mt19937_64 random(7);
  for (std::uint64_t i = 0; i < 200'000; ++i) {
    const std::size_t bytes = 30 + random() % 700;
    ASSERT_EQ(engine.insert_patiently(make_image(numbered("n", i, ".example"), {.bytes = bytes})),
              Outcome::Inserted);
    if (i % 64 == 0) engine.work();
  }
  engine.settle();
  const CacheStats stats = engine.cache->stats();
  EXPECT_GT(static_cast<double>(stats.entry_bytes), 0.75 * static_cast<double>(stats.pages * kPageSize));
}

TEST(Room, InsertsAreDroppedAndCountedWhileAReaderHoldsTheGracePeriod) {
  Engine engine;
  fill(engine, 0, 200'000, 100);
  engine.settle();
  std::uint64_t dropped = 0;
  {
    Reader reader(engine.cache->table());  // online, and reports nothing
    for (std::uint64_t i = 0; i < 50'000; ++i) {
      if (engine.insert(make_image(numbered("late", i, ".example"))) == Outcome::NoRoom) ++dropped;
      if (i % 64 == 0) engine.work();
    }
  }
  EXPECT_GT(dropped, 0U);
  EXPECT_LT(dropped, 50'000U);  // the headroom was used first
  EXPECT_GE(engine.count(Counter::CacheInsertDropped), dropped);
  engine.settle();
  EXPECT_EQ(engine.insert(make_image("after.example")), Outcome::Inserted);
}

TEST(Room, AFlushedCacheGivesEveryPageBack) {
  Engine engine;
  fill(engine, 0, 100'000, 100);
  fill(engine, 200'000, 1000, 9000);
  engine.cache->flush({}, engine.now_ms, nullptr);
  engine.settle();
  const CacheStats stats = engine.cache->stats();
  EXPECT_EQ(stats.entries, 0U);
  EXPECT_EQ(stats.pages_free, stats.pages);
}

TEST(Room, SmallestBudgetWorks) {
  auto options = Engine::small();
  options.budget_bytes = 4U << 20;
  Engine engine(options);
  Reader reader(engine.cache->table());
  reader.offline();
  std::mt19937_64 random(9);
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    const std::size_t bytes = random() % 20 == 0 ? 20'000 : 50 + random() % 300;
    ASSERT_EQ(engine.insert_patiently(make_image(numbered("n", i, ".example"), {.bytes = bytes})),
              Outcome::Inserted);
  }
  reader.online();
  EXPECT_LE(engine.cache->stats().used_bytes, options.budget_bytes);
}

}  // namespace
}  // namespace swarmdns::cache
