#include "dataplane/cache/cache.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

#include "tests/unit/dataplane/cache/helpers.h"

namespace swarmdns::cache {
namespace {

using stats::Counter;
using testing::Engine;
using testing::intact;
using testing::make_image;
using testing::TestKey;

TEST(Cache, FindsWhatWasInserted) {
  Engine engine;
  Reader reader(engine.cache->table());
  const TestKey key("www.example.com");
  EXPECT_EQ(reader.find(key.key), nullptr);
  EXPECT_EQ(engine.insert(make_image(key.key, {.bytes = 100, .fill = 3})), Outcome::Inserted);
  const Entry* entry = reader.find(key.key);
  ASSERT_NE(entry, nullptr);
  EXPECT_TRUE(intact(*entry));
  EXPECT_EQ(entry->expires, Clock::kStart + 300);
  EXPECT_EQ(entry->epoch, engine.cache->epoch());
  EXPECT_EQ(engine.cache->stats().entries, 1U);
}

TEST(Cache, EveryPartOfTheKeyCounts) {
  Engine engine;
  Reader reader(engine.cache->table());
  const TestKey stored("a.example", 16, kKeyDnssecOk);
  ASSERT_EQ(engine.insert(make_image(stored.key)), Outcome::Inserted);
  EXPECT_NE(reader.find(stored.key), nullptr);
  TestKey other_name("b.example", 16, kKeyDnssecOk);
  TestKey other_type("a.example", 17, kKeyDnssecOk);
  TestKey other_flags("a.example", 16, kKeyCheckingDisabled);
  TestKey other_view("a.example", 16, kKeyDnssecOk);
  other_view.key.view = 1;
  for (const TestKey* key : {&other_name, &other_type, &other_flags, &other_view}) {
    EXPECT_EQ(reader.find(key->key), nullptr);
  }
}

TEST(Cache, StagedLookupEqualsFind) {
  Engine engine;
  Reader reader(engine.cache->table());
  std::vector<std::unique_ptr<TestKey>> keys;
  for (int i = 0; i < 64; ++i) {
    keys.push_back(std::make_unique<TestKey>(testing::numbered("n", i, ".example")));
    if (i % 2 == 0) {
      ASSERT_EQ(engine.insert(make_image(keys.back()->key)), Outcome::Inserted);
    }
  }
  std::array<std::uint64_t, 64> hashes{};
  std::array<const Entry*, 64> found{};
  for (std::size_t i = 0; i < 64; ++i) reader.prefetch_bucket(hashes[i] = reader.hash(keys[i]->key));
  reader.candidates(hashes, found);
  for (std::size_t i = 0; i < 64; ++i) {
    const Entry* expected = reader.find(keys[i]->key);
    EXPECT_EQ(expected != nullptr, i % 2 == 0);
    EXPECT_EQ(reader.confirm(hashes[i], keys[i]->key, found[i]), expected);
    EXPECT_EQ(reader.confirm(hashes[i], keys[i]->key, reader.candidate(hashes[i])), expected);
  }
}

TEST(Cache, ReplacesAndTellsARefreshFromAChange) {
  Engine engine;
  Reader reader(engine.cache->table());
  const TestKey key("www.example.com");
  EXPECT_EQ(engine.insert(make_image(key.key, {.fill = 1})), Outcome::Inserted);
  const Origin first = engine.cache->origin(*reader.find(key.key));
  EXPECT_EQ(engine.insert(make_image(key.key, {.fill = 1, .ttl = 600})), Outcome::Refreshed);
  EXPECT_EQ(reader.find(key.key)->expires, Clock::kStart + 600);
  EXPECT_EQ(engine.cache->origin(*reader.find(key.key)).sequence, first.sequence);
  EXPECT_EQ(engine.insert(make_image(key.key, {.fill = 2})), Outcome::Replaced);
  EXPECT_EQ(reader.find(key.key)->sections()[13], std::byte{2});
  EXPECT_EQ(engine.cache->stats().entries, 1U);
  reader.quiescent();
  EXPECT_EQ(engine.count(Counter::CacheReplaces), 2U);
  // The refresh is no mutation.
  EXPECT_EQ(engine.cache->journal().next(), 3U);
}

TEST(Cache, RefreshKeepsTheEvictionMark) {
  Engine engine;
  Reader reader(engine.cache->table());
  const TestKey key("hot.example");
  engine.insert(make_image(key.key));
  ASSERT_NE(reader.find(key.key), nullptr);
  engine.insert(make_image(key.key, {.ttl = 400}));
  EXPECT_EQ(reader.peek(key.key)->touched.load(), 1);
  EXPECT_EQ(reader.peek(key.key)->prefetch_asked.load(), 0);
}

TEST(Cache, OnlyIfLaterKeepsWhatLivesLonger) {
  Engine engine;
  Reader reader(engine.cache->table());
  const TestKey key("x.example");
  engine.insert(make_image(key.key, {.fill = 1, .ttl = 300}));
  EXPECT_EQ(engine.insert(make_image(key.key, {.fill = 2, .ttl = 300}), {.only_if_later = true}),
            Outcome::NotLater);
  EXPECT_EQ(reader.find(key.key)->sections()[13], std::byte{1});
  EXPECT_EQ(engine.insert(make_image(key.key, {.fill = 2, .ttl = 301}), {.only_if_later = true}),
            Outcome::Replaced);
}

TEST(Cache, RemoteEntriesKeepTheirOriginAndStayOutOfTheJournal) {
  Engine engine;
  Reader reader(engine.cache->table());
  const TestKey key("x.example");
  engine.insert(make_image(key.key), {.origin = {.node = 77, .sequence = 0x1234'5678'9abc}});
  const Origin origin = engine.cache->origin(*reader.find(key.key));
  EXPECT_EQ(origin.node, 77);
  EXPECT_EQ(origin.sequence, 0x1234'5678'9abcU);
  EXPECT_EQ(engine.cache->journal().next(), 1U);
}

TEST(Cache, TooOldAnswersAreNotAdmitted) {
  auto options = Engine::small();
  options.stale_max = 100;
  Engine engine(options);
  const TestKey key("x.example");
  engine.now_ms = std::uint64_t{Clock::kStart + 400} * 1000;
  EXPECT_EQ(engine.insert(make_image(key.key, {.ttl = 300})), Outcome::Expired);
  EXPECT_EQ(engine.insert(make_image(key.key, {.ttl = 301})), Outcome::Inserted);
  EXPECT_EQ(engine.insert(make_image(key.key, {.ttl = 350, .flags = Entry::kFailure})), Outcome::Expired);
}

TEST(Cache, LifetimeIsBounded) {
  auto options = Engine::small();
  options.ttl_max = 1000;
  Engine engine(options);
  Reader reader(engine.cache->table());
  const TestKey key("x.example");
  engine.insert(make_image(key.key, {.ttl = 0x7fff'ffff}));
  EXPECT_EQ(reader.find(key.key)->expires, Clock::kStart + 1000);
}

TEST(Cache, ExpiresAfterTheStaleTime) {
  auto options = Engine::small();
  options.stale_max = 50;
  Engine engine(options);
  Reader reader(engine.cache->table());
  const TestKey ordinary("ordinary.example");
  const TestKey failure("failure.example");
  engine.insert(make_image(ordinary.key, {.ttl = 100}));
  engine.insert(make_image(failure.key, {.ttl = 100, .flags = Entry::kFailure}));
  const auto at = [&](Seconds s) {
    engine.now_ms = std::uint64_t{Clock::kStart + s} * 1000;
    reader.offline();
    engine.settle();
    reader.online();
  };
  at(99);
  EXPECT_NE(reader.find(failure.key), nullptr);
  at(100);
  EXPECT_EQ(reader.find(failure.key), nullptr);  // RFC 9520: never stale
  at(149);
  EXPECT_NE(reader.find(ordinary.key), nullptr);
  at(150);
  EXPECT_EQ(reader.find(ordinary.key), nullptr);
  EXPECT_EQ(engine.cache->stats().entries, 0U);
  EXPECT_EQ(engine.count(Counter::CacheExpiries), 2U);
  EXPECT_EQ(engine.cache->stats().pages_free, engine.cache->stats().pages);
}

TEST(Cache, StormOfExpiriesIsSlicedAndCompletes) {
  auto options = Engine::small();
  options.stale_max = 0;
  Engine engine(options);
  constexpr int kEntries = 20'000;
  for (int i = 0; i < kEntries; ++i) {
    ASSERT_EQ(engine.insert_patiently(make_image(testing::numbered("n", i, ".example"), {.ttl = 60})),
              Outcome::Inserted);
  }
  engine.now_ms += 60'000;
  const std::uint64_t before = engine.cache->stats().entries;
  engine.work();
  EXPECT_GE(engine.cache->stats().entries + 1024, before);  // one round does not do it all
  engine.settle();
  EXPECT_EQ(engine.cache->stats().entries, 0U);
  EXPECT_EQ(engine.cache->stats().entry_bytes, 0U);
}

TEST(Cache, RemoveTakesOutOneKey) {
  Engine engine;
  Reader reader(engine.cache->table());
  const TestKey a("a.example");
  const TestKey b("b.example");
  engine.insert(make_image(a.key));
  engine.insert(make_image(b.key));
  EXPECT_TRUE(engine.cache->remove(a.key, engine.now_ms));
  EXPECT_FALSE(engine.cache->remove(a.key, engine.now_ms));
  EXPECT_EQ(reader.find(a.key), nullptr);
  EXPECT_NE(reader.find(b.key), nullptr);
}

TEST(Cache, FlushesByNameByZoneAndAll) {
  Engine engine;
  std::vector<std::string> names;
  for (const char* zone : {"example.com", "notexample.com", "example.org"}) {
    names.emplace_back(zone);
    for (int i = 0; i < 100; ++i) names.push_back(testing::numbered("h", i, std::string(".").append(zone)));
  }
  for (const auto& name : names) {
    for (const std::uint16_t type : {16, 28}) {
      const TestKey key(name, type);
      ASSERT_EQ(engine.insert(make_image(key.key)), Outcome::Inserted);
    }
  }
  const auto flush = [&engine](FlushScope scope) {
    std::uint64_t removed = ~0ULL;
    engine.cache->flush(scope, engine.now_ms,
                        [&removed](const FlushResult& result) { removed = result.removed; });
    engine.settle();
    return removed;
  };
  using enum FlushScope::Kind;
  EXPECT_EQ(flush({.kind = Name, .name = testing::dns_name("H3.Example.COM"), .qtype = 28}), 1U);
  EXPECT_EQ(flush({.kind = Name, .name = testing::dns_name("h3.example.com"), .qtype = 0}), 1U);
  EXPECT_EQ(flush({.kind = Name, .name = testing::dns_name("h3.example.com"), .qtype = 0}), 0U);
  EXPECT_EQ(flush({.kind = Zone, .name = testing::dns_name("example.com")}), 200U);
  EXPECT_EQ(engine.cache->stats().entries, 404U);
  EXPECT_EQ(flush({.kind = Zone, .name = testing::dns_name("org")}), 202U);
  EXPECT_EQ(flush({}), 202U);
  EXPECT_EQ(engine.cache->stats().entries, 0U);
  EXPECT_EQ(engine.count(Counter::CacheFlushed), 606U);
}

TEST(Cache, FlushSparesWhatComesAfterItBegan) {
  Engine engine;
  Reader reader(engine.cache->table());
  for (int i = 0; i < 20'000; ++i) engine.insert(make_image(testing::numbered("old", i, ".example")));
  const std::uint16_t asked = engine.cache->epoch();
  bool done = false;
  engine.cache->flush({}, engine.now_ms, [&done](const FlushResult&) { done = true; });
  engine.work();
  ASSERT_FALSE(done);
  for (int i = 0; i < 500; ++i) {
    const auto name = testing::numbered("new", i, ".example");
    ASSERT_EQ(engine.insert(make_image(name)), Outcome::Inserted);
    // Replaced while the flush runs: the new one stays, too.
    ASSERT_EQ(
        engine.insert(make_image(testing::numbered("old", i, ".example"), {.fill = 9})) == Outcome::NoRoom,
        false);
  }
  // An answer to a question asked before the flush is not admitted.
  EXPECT_EQ(engine.insert(make_image("late.example"), {.asked_epoch = asked}), Outcome::Outdated);
  EXPECT_EQ(engine.insert(make_image("timely.example"), {.asked_epoch = engine.cache->epoch()}),
            Outcome::Inserted);
  reader.offline();
  engine.settle();
  reader.online();
  EXPECT_TRUE(done);
  EXPECT_EQ(engine.cache->stats().entries, 1001U);
  // And the next flush takes them all.
  std::uint64_t removed = 0;
  engine.cache->flush({}, engine.now_ms, [&removed](const FlushResult& result) { removed = result.removed; });
  reader.offline();
  engine.settle();
  reader.online();
  EXPECT_EQ(removed, 1001U);
}

TEST(Cache, FlushesRunOneAfterAnother) {
  Engine engine;
  for (int i = 0; i < 1000; ++i) engine.insert(make_image(testing::numbered("n", i, ".example")));
  std::vector<std::uint64_t> removed;
  const auto note = [&removed](const FlushResult& result) { removed.push_back(result.removed); };
  engine.cache->flush({.kind = FlushScope::Kind::Name, .name = testing::dns_name("n5.example")},
                      engine.now_ms, note);
  engine.cache->flush({}, engine.now_ms, note);
  engine.cache->flush({}, engine.now_ms, note);
  engine.settle();
  EXPECT_EQ(removed, (std::vector<std::uint64_t>{1, 999, 0}));
}

TEST(Cache, RefusesImpossibleOptions) {
  stats::Block counters;
  for (const std::uint64_t budget : {0ULL, 4ULL << 19, 33ULL << 30}) {
    auto options = Engine::small();
    options.budget_bytes = budget;
    const auto made = Cache::create(options, counters);
    ASSERT_FALSE(made);
    EXPECT_NE(made.error().find("cache budget"), std::string::npos);
  }
  auto options = Engine::small();
  options.mean_entry_bytes = 10;
  ASSERT_FALSE(Cache::create(options, counters));
}

TEST(Cache, LargeEntriesUpToTheLimitAreKept) {
  Engine engine;
  Reader reader(engine.cache->table());
  for (const std::size_t bytes : {13UL, 1000UL, 5000UL, 20'000UL, 40'000UL, 65'400UL}) {
    const TestKey key(testing::numbered("big", bytes, ".example"));
    ASSERT_EQ(engine.insert(make_image(key.key, {.bytes = bytes, .fill = 42})), Outcome::Inserted) << bytes;
    const Entry* entry = reader.find(key.key);
    ASSERT_NE(entry, nullptr);
    EXPECT_TRUE(intact(*entry)) << bytes;
  }
}

}  // namespace
}  // namespace swarmdns::cache
