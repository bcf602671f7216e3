// Fences: flushes by origin. And whose an entry is in the first place.
#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <optional>
#include <thread>

#include "dataplane/cache/writer.h"
#include "tests/unit/dataplane/cache/helpers.h"

namespace swarmdns::cache {
namespace {

using stats::Counter;
using testing::Engine;
using testing::make_image;
using testing::numbered;
using testing::TestKey;

constexpr std::uint64_t kToTheEnd = std::numeric_limits<std::uint64_t>::max();

FlushScope dead(std::initializer_list<OriginSet::Range> ranges, bool unknown = false) {
  FlushScope scope;
  scope.kind = FlushScope::Kind::Origins;
  scope.origins = OriginSet(ranges, unknown);
  return scope;
}

struct Fenced : Engine {
  using Engine::Engine;
  FlushResult fence(const FlushScope& scope) {
    std::optional<FlushResult> result;
    cache->flush(scope, now_ms, [&result](const FlushResult& r) { result = r; });
    settle();
    EXPECT_TRUE(result);
    return result.value_or(FlushResult{});
  }
  std::optional<Origin> origin(std::string_view name) {
    const TestKey key(name);
    Reader reader(cache->table());
    const Entry* entry = reader.find(key.key);
    if (entry == nullptr) return std::nullopt;
    return cache->origin(*entry);
  }
  Outcome remote(std::string_view name, std::uint16_t node, std::uint64_t number, testing::Spec spec = {}) {
    return insert(make_image(name, spec), {.origin = {node, number}});
  }
  std::uint64_t journaled() { return cache->journal().given() - 1; }
};

TEST(Fence, RemovesExactlyWhatComesFromTheDeadOrigins) {
  Fenced engine;
  for (std::uint64_t i = 1; i <= 200; ++i) {
    engine.insert(make_image(numbered("own", i, ".example")));
    engine.remote(numbered("far", i, ".example"), 7, i);
    engine.remote(numbered("near", i, ".example"), 8, i);
  }
  const std::uint16_t before = engine.cache->epoch();
  const FlushResult result = engine.fence(dead({{0, 101, kToTheEnd}, {7, 51, 60}, {7, 151, kToTheEnd}}));
  EXPECT_EQ(result.removed, 100U + 10 + 50);
  EXPECT_EQ(result.looked_at, 600U);
  EXPECT_EQ(result.epoch, static_cast<std::uint16_t>(before + 1));
  EXPECT_EQ(engine.cache->epoch(), result.epoch);
  EXPECT_EQ(engine.count(Counter::CacheFenced), 160U);
  EXPECT_EQ(engine.count(Counter::CacheFlushed), 0U);
  for (std::uint64_t i = 1; i <= 200; ++i) {
    EXPECT_EQ(engine.origin(numbered("own", i, ".example")).has_value(), i <= 100) << i;
    EXPECT_EQ(engine.origin(numbered("far", i, ".example")).has_value(), i <= 150 && (i < 51 || i > 60)) << i;
    EXPECT_TRUE(engine.origin(numbered("near", i, ".example"))) << i;
  }
  EXPECT_EQ(engine.journaled(), 200U) << "a fence is not in the journal";
}

TEST(Fence, UnknownOriginsGoWhenTheyAreMeant) {
  Fenced engine;
  engine.insert(make_image("loaded.example"), {.journal = false});
  engine.insert(make_image("own.example"));
  EXPECT_EQ(engine.fence(dead({{0, 1, kToTheEnd}})).removed, 1U);
  EXPECT_TRUE(engine.origin("loaded.example"));
  EXPECT_EQ(engine.fence(dead({}, true)).removed, 1U);
  EXPECT_EQ(engine.cache->stats().entries, 0U);
}

TEST(Fence, WhatWasAskedForBeforeIsNotAdmittedEvenBehindALongFlush) {
  Fenced engine;
  for (int i = 0; i < 20'000; ++i) engine.insert(make_image(numbered("old", i, ".example")));
  engine.cache->flush({.kind = FlushScope::Kind::Zone, .name = testing::dns_name("org")}, engine.now_ms, {});
  engine.work();
  ASSERT_TRUE(engine.cache->flushing());
  const std::uint16_t asked = engine.cache->epoch();
  bool done = false;
  engine.cache->flush(dead({{7, 1, kToTheEnd}}), engine.now_ms, [&done](const FlushResult&) { done = true; });
  // The fence waits for its turn, but holds already.
  EXPECT_EQ(engine.insert(make_image("late.example"), {.asked_epoch = asked}), Outcome::Outdated);
  EXPECT_EQ(engine.remote("dead.example", 7, 5), Outcome::Outdated);
  EXPECT_EQ(engine.remote("alive.example", 8, 5), Outcome::Inserted);
  EXPECT_EQ(engine.insert(make_image("timely.example"), {.asked_epoch = engine.cache->epoch()}),
            Outcome::Inserted);
  engine.settle();
  EXPECT_TRUE(done);
  EXPECT_EQ(engine.remote("dead.example", 7, 5), Outcome::Inserted) << "only the order of things was meant";
  EXPECT_EQ(engine.count(Counter::CacheRemoteRefused), 1U);
}

TEST(Fence, NumbersGivenAfterItBeganAreNotInIt) {
  Fenced engine;
  for (int i = 0; i < 20'000; ++i) engine.insert(make_image(numbered("n", i, ".example")));
  std::optional<FlushResult> result;
  engine.cache->flush(dead({{0, 1, kToTheEnd}}), engine.now_ms,
                      [&result](const FlushResult& r) { result = r; });
  engine.work();
  ASSERT_FALSE(result);
  // The same content again, and other content: answers to questions of after the fence.
  for (int i = 0; i < 300; ++i) engine.insert(make_image(numbered("n", i, ".example")));
  for (int i = 300; i < 600; ++i) engine.insert(make_image(numbered("n", i, ".example"), {.fill = 9}));
  for (int i = 0; i < 300; ++i) engine.insert(make_image(numbered("new", i, ".example")));
  engine.settle();
  ASSERT_TRUE(result);
  EXPECT_EQ(engine.cache->stats().entries, 900U);
  for (int i = 0; i < 600; ++i) {
    const auto origin = engine.origin(numbered("n", i, ".example"));
    ASSERT_TRUE(origin) << i;
    EXPECT_GT(origin->sequence, 20'000U) << i;
  }
}

TEST(Fence, BesideInsertsOfOtherThreadsNothingDeadIsLeft) {
  Engine engine;
  Clock clock(Clock::Manual{});
  Writer writer(*engine.cache, clock, engine.counters, {.queue = 1024, .cpus = {}});
  writer.start();
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> inserted{0};
  std::vector<std::thread> threads;
  for (std::uint16_t node = 0; node < 3; ++node) {
    threads.emplace_back([&, node] {
      for (std::uint64_t i = 1; !stop; ++i) {
        InsertOptions options;
        if (node > 0) options.origin = {node, i};
        const auto name = numbered(numbered("n", node, "-"), i % 5000, ".example");
        if (writer.insert(make_image(name, {.ttl = static_cast<Seconds>(300 + i / 5000)}), options)) {
          inserted.fetch_add(1);
        }
        if (i % 64 == 0) std::this_thread::yield();
      }
    });
  }
  for (int round = 0; round < 20; ++round) {
    const std::uint64_t target = inserted.load() + 2000;
    while (inserted.load() < target) std::this_thread::yield();
    const std::uint64_t own = engine.cache->journal().next();
    const FlushResult result = writer.flush(dead({{0, 1, kToTheEnd}, {2, 1, kToTheEnd}})).get();
    EXPECT_GT(result.looked_at, 0U);
    // Own entries that are there now have numbers of after the fence began.
    Reader reader(engine.cache->table());
    for (int i = 0; i < 5000; ++i) {
      const TestKey key(numbered("n0-", static_cast<std::uint64_t>(i), ".example"));
      if (const Entry* entry = reader.find(key.key)) {
        EXPECT_GE(engine.cache->origin(*entry).sequence, own);
      }
    }
  }
  stop = true;
  for (auto& thread : threads) thread.join();
  const FlushResult last = writer.flush(dead({{2, 1, kToTheEnd}})).get();
  EXPECT_EQ(writer.flush(dead({{2, 1, kToTheEnd}})).get().removed, 0U);
  EXPECT_GT(writer.flush(dead({{1, 1, kToTheEnd}})).get().removed, 0U) << last.removed;
  writer.stop();
}

TEST(RemoteEntries, NeverTakeThePlaceOfAFreshAnswerOfThisNode) {
  Fenced engine;
  engine.insert(make_image("a.example", {.fill = 1, .ttl = 100}));
  EXPECT_EQ(engine.remote("a.example", 7, 1, {.fill = 2, .ttl = 500}), Outcome::KeptLocal);
  EXPECT_EQ(engine.origin("a.example")->node, 0);
  // Expired, it gives way to what lives longer.
  engine.now_ms += 100'000;
  EXPECT_EQ(engine.remote("a.example", 7, 1, {.fill = 2, .ttl = 90}), Outcome::NotLater);
  EXPECT_EQ(engine.remote("a.example", 7, 1, {.fill = 2, .ttl = 500}), Outcome::Replaced);
  EXPECT_EQ(engine.origin("a.example")->node, 7);
  EXPECT_EQ(engine.count(Counter::CacheRemoteKept), 2U);
  EXPECT_EQ(engine.count(Counter::CacheRemoteAccepted), 1U);
}

TEST(RemoteEntries, OfTwoTheOneThatLivesLongerStays) {
  Fenced engine;
  EXPECT_EQ(engine.remote("a.example", 7, 1, {.fill = 1, .ttl = 300}), Outcome::Inserted);
  EXPECT_EQ(engine.remote("a.example", 8, 1, {.fill = 2, .ttl = 300}), Outcome::NotLater);
  EXPECT_EQ(engine.origin("a.example")->node, 7);
  EXPECT_EQ(engine.remote("a.example", 8, 1, {.fill = 2, .ttl = 301}), Outcome::Replaced);
  EXPECT_EQ(engine.origin("a.example")->node, 8);
  EXPECT_EQ(engine.journaled(), 0U);
}

TEST(RemoteEntries, WhatThisNodeFoundItselfIsItsOwnEvenIfItSaysTheSame) {
  Fenced engine;
  engine.remote("a.example", 7, 1, {.ttl = 300});
  EXPECT_EQ(engine.insert(make_image("a.example", {.ttl = 400})), Outcome::Refreshed);
  EXPECT_EQ(engine.origin("a.example")->node, 0);
  EXPECT_EQ(engine.origin("a.example")->sequence, 1U);
  EXPECT_EQ(engine.journaled(), 1U);
  // And is refreshed without news from then on.
  EXPECT_EQ(engine.insert(make_image("a.example", {.ttl = 500})), Outcome::Refreshed);
  EXPECT_EQ(engine.origin("a.example")->sequence, 1U);
  EXPECT_EQ(engine.journaled(), 1U);
  EXPECT_EQ(engine.remote("a.example", 7, 2, {.fill = 6, .ttl = 900}), Outcome::KeptLocal);
}

}  // namespace
}  // namespace swarmdns::cache
