#include "dataplane/cache/table.h"

#include <gtest/gtest.h>

#include <random>

#include "dataplane/cache/reader.h"
#include "tests/unit/dataplane/cache/helpers.h"
#include "tests/unit/dataplane/cache/write_fault.h"

namespace swarmdns::cache {
namespace {

using stats::Counter;
using testing::Engine;
using testing::make_image;
using testing::numbered;
using testing::TestKey;

TEST(Bucket, VectorMatchEqualsThePortableOne) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 20'000; ++round) {
    Bucket bucket{};
    // Few different values, so that there are several matches; neighbours of the tags differ from them as a
    // vector compare must not mistake them.
    for (auto& tag : bucket.tags) tag = static_cast<std::uint16_t>(random() % 4 * 0x7fff);
    bucket.spilled = static_cast<std::uint32_t>(random());
    for (auto& ref : bucket.refs) ref = static_cast<Ref>(random());
    for (const std::uint16_t tag : {std::uint16_t{0}, std::uint16_t{0x7fff}, std::uint16_t{0xfffe},
                                    static_cast<std::uint16_t>(random())}) {
      ASSERT_EQ(bucket.match(tag), bucket.match_portable(tag));
    }
  }
}

TEST(Table, SecondBucketIsNeverTheFirst) {
  std::mt19937_64 random(2);
  for (const std::uint32_t buckets : {2U, 3U, 1000U}) {
    std::vector<Bucket> memory(buckets);
    const Table table(memory.data(), buckets, nullptr, HashKey::from_seed(1));
    for (int i = 0; i < 10'000; ++i) {
      const std::uint64_t hash = random();
      EXPECT_LT(table.first_index(hash), buckets);
      EXPECT_LT(table.second_index(hash), buckets);
      EXPECT_NE(table.first_index(hash), table.second_index(hash));
    }
  }
}

TEST(Table, TakesEightyFivePercentWithoutDisplacing) {
  // Churn at a load of 85 %: random entries go, others come. Nothing may be displaced for want of a cell.
  auto options = Engine::small();
  options.budget_bytes = 32U << 20;
  options.mean_entry_bytes = 800;
  Engine engine(options);
  const std::uint64_t load = engine.cache->table().cell_count() * 85 / 100;
  std::vector<std::uint64_t> live;
  std::mt19937_64 random(3);
  std::uint64_t next = 0;
  const auto insert = [&] {
    ASSERT_EQ(engine.insert_patiently(make_image(numbered("n", next, ".example"))), Outcome::Inserted);
    live.push_back(next++);
  };
  while (live.size() < load) insert();
  for (std::uint64_t n = 0; n < 2 * load; ++n) {
    std::swap(live[random() % live.size()], live.back());
    const TestKey key(numbered("n", live.back(), ".example"));
    live.pop_back();
    while (!engine.cache->remove(key.key, engine.now_ms)) engine.settle();
    insert();
    if (n % 64 == 0) engine.work();
  }
  EXPECT_EQ(engine.cache->table_writer().displaced(), 0U);
  EXPECT_GT(engine.cache->table_writer().moves(), 0U);
  Reader reader(engine.cache->table());
  for (const std::uint64_t i : live) {
    const TestKey key(numbered("n", i, ".example"));
    ASSERT_NE(reader.find(key.key), nullptr);
  }
}

TEST(Table, OverfullTableDisplacesAndStaysRight) {
  // Far more entries than cells: the slabs have room, the table has not.
  auto options = Engine::small();
  options.budget_bytes = 16U << 20;
  options.mean_entry_bytes = 4096;
  Engine engine(options);
  const std::uint64_t cells = engine.cache->table().cell_count();
  for (std::uint64_t i = 0; i < 3 * cells; ++i) {
    ASSERT_EQ(engine.insert_patiently(make_image(numbered("n", i, ".example"))), Outcome::Inserted);
  }
  EXPECT_LE(engine.cache->stats().entries, cells);
  EXPECT_GT(engine.cache->stats().entries, cells * 9 / 10);
  Reader reader(engine.cache->table());
  std::uint64_t found = 0;
  for (std::uint64_t i = 0; i < 3 * cells; ++i) {
    const TestKey key(numbered("n", i, ".example"));
    const Entry* entry = reader.find(key.key);
    if (entry == nullptr) continue;
    ++found;
    ASSERT_TRUE(testing::intact(*entry));
  }
  EXPECT_EQ(found, engine.cache->stats().entries);
  EXPECT_EQ(engine.count(Counter::CacheEvictions), 3 * cells - found);
}

TEST(Table, HitsRunOnReadOnlyMemoryOnceTheMarksAreSet) {
  Engine engine;
  Reader reader(engine.cache->table());
  std::vector<std::unique_ptr<TestKey>> keys;
  for (std::uint64_t i = 0; i < 30'000; ++i) {
    keys.push_back(std::make_unique<TestKey>(numbered("n", i, ".example")));
    ASSERT_EQ(engine.insert(make_image(keys.back()->key)), Outcome::Inserted);
  }
  for (const auto& key : keys) ASSERT_NE(reader.find(key->key), nullptr);  // sets the marks
  ASSERT_TRUE(engine.cache->arena().protect(true));
  std::uint64_t found = 0;
  std::array<std::uint64_t, 1> hash{};
  std::array<const Entry*, 1> candidate{};
  for (const auto& key : keys) {
    hash[0] = reader.hash(key->key);
    reader.candidates(hash, candidate);
    found += reader.confirm(hash[0], key->key, candidate[0]) != nullptr ? 1U : 0U;
  }
  ASSERT_TRUE(engine.cache->arena().protect(false));
  EXPECT_EQ(found, keys.size());
}

TEST(TableDeathTest, AFirstHitOnReadOnlyMemoryFaults) {
  // That the test above can fail: setting a mark writes.
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  Engine engine;
  const TestKey key("n.example");
  ASSERT_EQ(engine.insert(make_image(key.key)), Outcome::Inserted);
  Reader reader(engine.cache->table());
  const Entry* entry = reader.peek(key.key);
  ASSERT_NE(entry, nullptr);
  EXPECT_EXIT(
      {
        testing::exit_on_fault_at(&entry->touched);
        (void)engine.cache->arena().protect(true);
        (void)reader.find(key.key);
        std::exit(0);
      },
      ::testing::ExitedWithCode(testing::kWroteThere), "");
}

}  // namespace
}  // namespace swarmdns::cache
