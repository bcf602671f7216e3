#include "dataplane/cache/writer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <map>
#include <set>
#include <thread>

#include "dataplane/cache/dump.h"
#include "tests/unit/dataplane/cache/helpers.h"

namespace swarmdns::cache {
namespace {

using testing::Engine;
using testing::make_image;
using testing::numbered;
using testing::TestKey;

struct Running : Engine {
  Clock clock{Clock::Manual{}};
  Writer writer;

  explicit Running(std::size_t queue = 1024, CacheOptions options = Engine::small())
      : Engine(options), writer(*cache, clock, counters, {.queue = queue, .cpus = {}}) {
    writer.start();
  }
  void insert_all(std::uint64_t first, std::uint64_t count) {
    for (std::uint64_t i = first; i < first + count; ++i) {
      while (!writer.insert(make_image(numbered("n", i, ".example")))) std::this_thread::yield();
    }
    writer.drain();
  }
};

TEST(Writer, InsertsAreSeenByReaders) {
  Running running;
  std::promise<Outcome> outcome;
  const TestKey key("www.example.com");
  ASSERT_TRUE(
      running.writer.insert(make_image(key.key), {}, [&outcome](Outcome o) { outcome.set_value(o); }));
  EXPECT_EQ(outcome.get_future().get(), Outcome::Inserted);
  Reader reader(running.cache->table());
  EXPECT_NE(reader.find(key.key), nullptr);
}

TEST(Writer, FlushesReportHowManyWentAndRaiseTheEpoch) {
  Running running;
  running.insert_all(0, 5000);
  const std::uint16_t epoch = running.writer.epoch();
  EXPECT_EQ(running.writer.flush({.kind = FlushScope::Kind::Name, .name = testing::dns_name("n7.example")})
                .get()
                .removed,
            1U);
  EXPECT_EQ(running.writer.flush({}).get().removed, 4999U);
  EXPECT_EQ(running.writer.epoch(), static_cast<std::uint16_t>(epoch + 2));
  ASSERT_TRUE(running.writer.insert(make_image("late.example"), {.asked_epoch = epoch}));
  running.writer.drain();
  EXPECT_EQ(running.cache->stats().entries, 0U);
}

TEST(Writer, AFullQueueDropsAndCounts) {
  Engine engine;
  Clock clock(Clock::Manual{});
  Writer writer(*engine.cache, clock, engine.counters,
                {.queue = 8, .cpus = {}});  // not started: nobody takes
  std::uint64_t refused = 0;
  for (std::uint64_t i = 0; i < 20; ++i)
    refused += writer.insert(make_image(numbered("n", i, ".x"))) ? 0U : 1U;
  EXPECT_EQ(refused, 12U);
  writer.start();
  writer.drain();
  writer.stop();
  EXPECT_EQ(engine.cache->stats().entries, 8U);
  EXPECT_EQ(engine.count(stats::Counter::CacheInsertDropped), 12U);
}

TEST(Writer, StopCarriesOutWhatWasCommanded) {
  Running running;
  running.insert_all(0, 3000);
  auto removed = running.writer.flush({});
  running.writer.stop();
  running.writer.stop();
  ASSERT_EQ(removed.wait_for(std::chrono::seconds(0)), std::future_status::ready);
  EXPECT_EQ(removed.get().removed, 3000U);
}

TEST(Writer, ExpiresOnItsOwn) {
  Running running;
  running.writer.set_stale_max(0);
  running.insert_all(0, 100);
  EXPECT_EQ(running.cache->stats().entries, 100U);
  running.clock.advance(300);
  while (running.cache->stats().entries > 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  running.writer.stop();
  EXPECT_EQ(running.count(stats::Counter::CacheExpiries), 100U);
}

TEST(Writer, ManyThreadsInsertAtOnce) {
  Running running(256);
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&running, t] { running.insert_all(t * 10'000, 2000); });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(running.cache->stats().entries, 8000U);
}

TEST(Dump, MeetsEveryKeyThatStaysExactlyOnceWhileTheWriterGoesOn) {
  auto options = Engine::small();
  options.mean_entry_bytes = 1500;  // a full table, so that entries would be moved if they could
  Running running(1024, options);
  const std::uint64_t cells = running.cache->table().cell_count();
  const std::uint64_t stay = cells * 7 / 10;
  running.insert_all(0, stay);
  std::atomic<bool> stop{false};
  std::thread others([&] {
    for (std::uint64_t i = 0; !stop; ++i) {
      (void)running.writer.insert(make_image(numbered("n", 1'000'000 + i % (cells / 10), ".example"),
                                             {.fill = static_cast<std::uint8_t>(i)}));
      // Those that stay are refreshed meanwhile: still once.
      (void)running.writer.insert(make_image(numbered("n", i % stay, ".example"), {.ttl = 400}));
      if (i % 64 == 0) std::this_thread::yield();
    }
  });
  running.writer.begin_dump();
  std::map<std::string, int> seen;
  {
    Reader reader(running.cache->table());
    DumpCursor cursor;
    while (!cursor.done(running.cache->table())) {
      cursor.next(running.cache->table(), 16, [&seen](const Entry& entry) {
        EXPECT_TRUE(testing::intact(entry));
        ++seen[std::string(reinterpret_cast<const char*>(entry.qname_data()), entry.qname_len)];
      });
      reader.offline();
      std::this_thread::yield();
      reader.online();
    }
  }
  running.writer.end_dump();
  stop = true;
  others.join();
  running.writer.drain();
  const std::uint64_t displaced = running.cache->table_writer().displaced();
  std::uint64_t missing = 0;
  std::uint64_t again = 0;
  for (std::uint64_t i = 0; i < stay; ++i) {
    const auto name = testing::wire_name(numbered("n", i, ".example"));
    const auto found = seen.find(std::string(reinterpret_cast<const char*>(name.data()), name.size()));
    if (found == seen.end()) {
      ++missing;
    } else if (found->second > 1) {
      ++again;
    }
  }
  // Without moves a full pair of buckets displaces a few, which did not stay: they may be missed, or come
  // again elsewhere.
  EXPECT_LE(missing + again, displaced);
  EXPECT_LT(missing + again, stay / 20);
}

}  // namespace
}  // namespace swarmdns::cache
