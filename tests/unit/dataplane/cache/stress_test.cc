// Readers beside a writer that inserts, replaces, evicts and flushes all the time. Every byte of an entry
// derives from its name and a fill octet, so a reader that were shown memory in reuse would see it; the last
// test takes the grace periods away and expects exactly that.
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/unit/dataplane/cache/helpers.h"

namespace swarmdns::cache {
namespace {

using testing::Engine;
using testing::intact;
using testing::make_image;
using testing::numbered;
using testing::TestKey;

struct Tally {
  std::uint64_t found = 0;
  std::uint64_t wrong = 0;
};

// Looks names up in bursts and checks what it finds twice: at once, and again at the end of the burst.
Tally read_until(const Table& table, const std::atomic<bool>& stop, std::uint64_t names, std::uint64_t seed,
                 unsigned dwell) {
  Reader reader(table);
  std::mt19937_64 random(seed);
  constexpr std::size_t kBurst = 32;
  std::vector<std::unique_ptr<TestKey>> keys(kBurst);
  std::array<std::uint64_t, kBurst> hashes{};
  std::array<const Entry*, kBurst> found{};
  std::array<std::byte, kBurst> fills{};
  std::uint64_t hits = 0;
  std::uint64_t wrong = 0;
  while (!stop.load(std::memory_order_relaxed)) {
    for (std::size_t i = 0; i < kBurst; ++i) {
      keys[i] = std::make_unique<TestKey>(numbered("n", random() % names, ".example"));
      reader.prefetch_bucket(hashes[i] = reader.hash(keys[i]->key));
    }
    reader.candidates(hashes, found);
    for (std::size_t i = 0; i < kBurst; ++i) {
      found[i] = reader.confirm(hashes[i], keys[i]->key, found[i]);
      if (found[i] == nullptr) continue;
      ++hits;
      if (!found[i]->has_key(keys[i]->key) || !intact(*found[i])) ++wrong;
      fills[i] = found[i]->sections()[13];
    }
    for (unsigned n = 0; n < dwell; ++n) std::this_thread::yield();
    for (std::size_t i = 0; i < kBurst; ++i) {
      if (found[i] == nullptr) continue;
      if (!found[i]->has_key(keys[i]->key) || !intact(*found[i]) || found[i]->sections()[13] != fills[i])
        ++wrong;
    }
    reader.quiescent();
  }
  return {hits, wrong};
}

// Four times the budget in names; sizes shift; a flush and removals now and then.
void write_until(Engine& engine, std::atomic<bool>& stop, std::uint64_t names, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  for (std::uint64_t n = 0; !stop.load(std::memory_order_relaxed); ++n) {
    const std::uint64_t i = random() % names;
    const std::size_t bytes = (n >> 15) % 2 == 0 ? 60 + i % 90 : 400 + i % 600;
    (void)engine.insert(make_image(numbered("n", i, ".example"),
                                   {.bytes = bytes, .fill = static_cast<std::uint8_t>(random())}));
    if (n % 32 == 0) engine.work();
    if (n % 50'000 == 49'999) {
      engine.cache->flush({.kind = FlushScope::Kind::Zone, .name = testing::dns_name("example")},
                          engine.now_ms, nullptr);
    }
    if (n % 100 == 99) {
      const TestKey key(numbered("n", random() % names, ".example"));
      (void)engine.cache->remove(key.key, engine.now_ms);
    }
  }
}

Tally run(Engine& engine, std::uint64_t names, unsigned readers, unsigned dwell,
          std::chrono::milliseconds length) {
  std::atomic<bool> stop{false};
  std::vector<Tally> tallies(readers);
  std::vector<std::thread> threads;
  for (unsigned r = 0; r < readers; ++r) {
    threads.emplace_back(
        [&, r] { tallies[r] = read_until(engine.cache->table(), stop, names, 100 + r, dwell); });
  }
  std::thread timer([&stop, length] {
    std::this_thread::sleep_for(length);
    stop = true;
  });
  write_until(engine, stop, names, 1);
  timer.join();
  Tally sum;
  for (unsigned r = 0; r < readers; ++r) {
    threads[r].join();
    sum.found += tallies[r].found;
    sum.wrong += tallies[r].wrong;
  }
  return sum;
}

TEST(Stress, ReadersNeverSeeAWrongEntryAtFourTimesTheBudget) {
  auto options = Engine::small();
  options.budget_bytes = 8U << 20;
  Engine engine(options);
  Tally tally;
  // On a machine with much else to do, readers that yield may hardly get on in two seconds.
  for (int round = 0; round < 20 && tally.found <= 1000; ++round) {
    const Tally more = run(engine, 160'000, 3, 1, std::chrono::milliseconds(2000));
    tally.found += more.found;
    tally.wrong += more.wrong;
  }
  EXPECT_GT(tally.found, 1000U);
  EXPECT_EQ(tally.wrong, 0U);
  EXPECT_GT(engine.count(stats::Counter::CacheEvictions), 0U);
  EXPECT_LE(engine.cache->stats().used_bytes, options.budget_bytes);
}

TEST(Stress, WithoutGracePeriodsReadersWouldSeeReusedEntries) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "races on purpose";
#endif
  auto options = Engine::small();
  options.budget_bytes = 4U << 20;
  options.wait_for_readers = [] {};  // slots come back while readers hold them
  std::uint64_t wrong = 0;
  for (int attempt = 0; attempt < 10 && wrong == 0; ++attempt) {
    Engine engine(options);
    wrong = run(engine, 20'000, 3, 4, std::chrono::milliseconds(500)).wrong;
  }
  EXPECT_GT(wrong, 0U) << "the check above could not fail";
}

TEST(Stress, AllThatIsInTheCacheIsFoundWhileOthersMove) {
  // A few thousand names stay, asked for all the time, while inserts fill the table to the brim and move
  // entries between buckets: none of those that stay may be missed for a moment.
  auto options = Engine::small();
  options.budget_bytes = 32U << 20;
  options.mean_entry_bytes = 700;  // too small a table on purpose: nearly every bucket is full
  Engine engine(options);
  constexpr std::uint64_t kStay = 2000;
  for (std::uint64_t i = 0; i < kStay; ++i)
    ASSERT_EQ(engine.insert(make_image(numbered("stay", i, ".example"))), Outcome::Inserted);
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> missed{0};
  std::atomic<std::uint64_t> rounds{0};
  std::thread asker([&] {
    Reader reader(engine.cache->table());
    std::vector<std::unique_ptr<TestKey>> keys;
    for (std::uint64_t i = 0; i < kStay; ++i)
      keys.push_back(std::make_unique<TestKey>(numbered("stay", i, ".example")));
    while (!stop) {
      for (const auto& key : keys) missed += reader.find(key->key) == nullptr ? 1U : 0U;
      reader.quiescent();
      ++rounds;
    }
  });
  const std::uint64_t most = engine.cache->table().cell_count() * 93 / 100;
  std::uint64_t n = kStay;
  for (; n < most; ++n) {
    ASSERT_EQ(engine.insert(make_image(numbered("n", n, ".example"))), Outcome::Inserted);
    if (n % 64 == 0) engine.work();
    if (engine.cache->table_writer().displaced() > 0) break;
  }
  while (rounds < 3) std::this_thread::yield();
  stop = true;
  asker.join();
  EXPECT_GT(engine.cache->table_writer().moves(), 100U);
  EXPECT_EQ(engine.cache->table_writer().displaced(), 0U);
  EXPECT_EQ(missed.load(), 0U);
}

}  // namespace
}  // namespace swarmdns::cache
