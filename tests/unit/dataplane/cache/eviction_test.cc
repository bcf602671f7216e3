#include "dataplane/cache/eviction.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "tests/bench/replacement_policies.h"
#include "tests/unit/dataplane/cache/helpers.h"

namespace swarmdns::cache {
namespace {

using stats::Counter;
using testing::Engine;
using testing::make_image;
using testing::numbered;
using testing::TestKey;

// A seeded Zipf(1.0) trace over `names` names.
std::vector<bench::NameNumber> zipf(std::size_t names, std::size_t length, std::uint64_t seed) {
  std::vector<double> cumulative(names);
  double sum = 0;
  for (std::size_t i = 0; i < names; ++i) cumulative[i] = sum += 1.0 / static_cast<double>(i + 1);
  std::mt19937_64 random(seed);
  std::vector<bench::NameNumber> trace(length);
  for (auto& name : trace) {
    const double at = static_cast<double>(random() >> 11) * 0x1p-53 * sum;
    name = static_cast<bench::NameNumber>(std::lower_bound(cumulative.begin(), cumulative.end(), at) -
                                          cumulative.begin());
  }
  return trace;
}

double cache_hit_ratio(Engine& engine, const std::vector<bench::NameNumber>& trace, std::uint64_t skip) {
  Reader reader(engine.cache->table());
  reader.offline();
  std::uint64_t hits = 0;
  for (std::size_t n = 0; n < trace.size(); ++n) {
    const TestKey key(numbered("n", trace[n] + 1'000'000, ".example"));
    reader.online();
    const bool hit = reader.find(key.key) != nullptr;
    reader.offline();
    if (n >= skip) hits += hit ? 1U : 0U;
    if (!hit) {
      EXPECT_EQ(engine.insert_patiently(make_image(key.key)), Outcome::Inserted);
      if (n % 16 == 0) engine.work();
    }
  }
  return static_cast<double>(hits) / static_cast<double>(trace.size() - skip);
}

template <class Policy>
double hit_ratio(Policy policy, const std::vector<bench::NameNumber>& trace, std::uint64_t skip) {
  return static_cast<double>(bench::hits_of(std::move(policy), trace, skip)) /
         static_cast<double>(trace.size() - skip);
}

TEST(Eviction, HitRatioIsThatOfSieveAndAboveLru) {
  auto options = Engine::small();
  options.budget_bytes = 8U << 20;
  Engine engine(options);
  constexpr bench::NameNumber kNames = 300'000;
  const auto trace = zipf(kNames, 600'000, 1);
  const std::uint64_t skip = 300'000;
  const double ours = cache_hit_ratio(engine, trace, skip);
  const std::size_t capacity = engine.cache->stats().entries;
  const double sieve = hit_ratio(bench::Sieve(capacity, kNames), trace, skip);
  const double lru = hit_ratio(bench::Lru(capacity, kNames), trace, skip);
  RecordProperty("ours_permille", static_cast<int>(ours * 1000));
  RecordProperty("sieve_permille", static_cast<int>(sieve * 1000));
  RecordProperty("lru_permille", static_cast<int>(lru * 1000));
  EXPECT_GT(ours, sieve - 0.01) << "capacity " << capacity;
  EXPECT_GT(ours, lru + 0.01);
}

// Asks for 3,000 hot names now and then, while names asked for once each pass through, many times what fits.
// Returns how many of the hot ones are there in the end.
std::uint64_t hot_left_by_scan(std::string_view scan_prefix) {
  auto options = Engine::small();
  options.budget_bytes = 8U << 20;
  Engine engine(options);
  Reader reader(engine.cache->table());
  reader.offline();
  constexpr std::uint64_t kHot = 3000;
  const auto ask_hot = [&] {
    std::uint64_t found = 0;
    reader.online();
    for (std::uint64_t i = 0; i < kHot; ++i) {
      const TestKey key(numbered("hot", 1'000'000 + i, ".example"));
      found += reader.find(key.key) != nullptr ? 1U : 0U;
    }
    reader.offline();
    return found;
  };
  for (std::uint64_t i = 0; i < kHot; ++i) {
    EXPECT_EQ(engine.insert(make_image(numbered("hot", 1'000'000 + i, ".example"))), Outcome::Inserted);
  }
  for (std::uint64_t i = 0; i < 400'000; ++i) {
    if (i % 10'000 == 0) (void)ask_hot();
    EXPECT_EQ(engine.insert_patiently(make_image(numbered(scan_prefix, 1'000'000 + i, ".example"))),
              Outcome::Inserted);
    if (i % 16 == 0) engine.work();
  }
  return ask_hot();
}

TEST(Eviction, AScanDoesNotWashOutWhatIsAskedFor) {
  EXPECT_GT(hot_left_by_scan("one"), 2900U);  // in the same size class
}

TEST(Eviction, AScanOfOtherSizesTakesFewPagesInUse) {
  // The hot names' class sees no inserts at all, and yet keeps most of its pages.
  EXPECT_GT(hot_left_by_scan("a-much-longer-name-of-another-class-"), 2000U);
}

TEST(Eviction, StepsAreBounded) {
  Engine engine;
  // Everything marked: a round finds no victim in its budget, and says so.
  std::vector<Page> pages(64);
  auto* memory = static_cast<std::byte*>(std::aligned_alloc(kPageSize, 65 * kPageSize));
  Slab slab(memory, memory + kPageSize, pages);
  Eviction eviction(slab);
  const SizeClass c = slab.classes().of(100);
  std::vector<Ref> refs;
  while (slab.grow(c)) {
    while (const Ref ref = slab.take_slot(c)) {
      new (slab.entry(ref)) Entry{};
      slab.entry(ref)->touched = 1;
      slab.set_live(slab.place(ref), 0);
      refs.push_back(ref);
    }
  }
  std::size_t steps = 0;
  for (;; ++steps) {
    unsigned budget = 32;
    if (eviction.next_victim(c, budget) != 0) break;
    ASSERT_EQ(budget, 0U);
    ASSERT_LT(steps, refs.size());
  }
  // All marks had to be taken back once before anything was found.
  EXPECT_GE(steps * 32, refs.size());
  const auto marked = std::count_if(refs.begin(), refs.end(),
                                    [&slab](Ref ref) { return slab.entry(ref)->touched.load() != 0; });
  EXPECT_EQ(marked, 0);
  std::free(memory);
}

TEST(Eviction, AnEmptyClassHasNoVictim) {
  std::vector<Page> pages(2);
  auto* memory = static_cast<std::byte*>(std::aligned_alloc(kPageSize, 3 * kPageSize));
  Slab slab(memory, memory + kPageSize, pages);
  Eviction eviction(slab);
  unsigned budget = 10;
  EXPECT_EQ(eviction.next_victim(3, budget), 0U);
  ASSERT_TRUE(slab.grow(3));
  EXPECT_EQ(eviction.next_victim(3, budget), 0U);
  std::free(memory);
}

}  // namespace
}  // namespace swarmdns::cache
