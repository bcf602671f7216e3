#include "dataplane/cache/journal.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/unit/dataplane/cache/helpers.h"

namespace swarmdns::cache {
namespace {

using std::chrono::milliseconds;
using testing::make_image;
using testing::numbered;

Mutation insert_of(std::uint64_t number, std::size_t bytes = 60) {
  Mutation mutation;
  mutation.image = make_image(numbered("n", number, ".example"), {.bytes = bytes});
  return mutation;
}

TEST(Journal, NumbersFromOneAndKeepsTheOrder) {
  Journal journal({});
  EXPECT_EQ(journal.first(), 1U);
  EXPECT_EQ(journal.next(), 1U);
  for (std::uint64_t i = 1; i <= 5; ++i) EXPECT_EQ(journal.append(insert_of(i)), i);
  const auto batch = journal.read(0, 100, 1 << 20, milliseconds(0));
  ASSERT_EQ(batch.mutations.size(), 5U);
  for (std::uint64_t i = 0; i < 5; ++i) EXPECT_EQ(batch.mutations[i].sequence, i + 1);
  EXPECT_EQ(batch.next, 6U);
  EXPECT_TRUE(journal.read(6, 100, 1 << 20, milliseconds(0)).mutations.empty());
}

TEST(Journal, GoesOnFromWhatAnEarlierLifeGave) {
  constexpr std::uint64_t kFirst = std::uint64_t{1} << 40;
  Journal journal({.records = 2, .bytes = 1 << 20});
  journal.start_at(kFirst);
  EXPECT_EQ(journal.first(), kFirst);
  EXPECT_EQ(journal.next(), kFirst);
  for (std::uint64_t i = 0; i < 3; ++i) EXPECT_EQ(journal.append(insert_of(i)), kFirst + i);
  EXPECT_EQ(journal.given(), kFirst + 3);
  // A reader of the life before misses what it never saw, and what was overwritten.
  const auto batch = journal.read(100, 100, 1 << 20, milliseconds(0));
  ASSERT_EQ(batch.mutations.size(), 3U);
  EXPECT_EQ(batch.mutations[0].kind, MutationKind::Gap);
  EXPECT_EQ(batch.mutations[0].sequence, 100U);
  EXPECT_EQ(batch.mutations[0].gap_last, kFirst);
  EXPECT_EQ(batch.mutations[1].sequence, kFirst + 1);
}

TEST(Journal, BatchesAreBounded) {
  Journal journal({});
  for (std::uint64_t i = 1; i <= 100; ++i) journal.append(insert_of(i, 1000));
  auto batch = journal.read(1, 10, 1 << 20, milliseconds(0));
  EXPECT_EQ(batch.mutations.size(), 10U);
  EXPECT_EQ(batch.next, 11U);
  batch = journal.read(11, 1000, 5000, milliseconds(0));
  EXPECT_GE(batch.mutations.size(), 1U);
  EXPECT_LE(batch.mutations.size(), 5U);
  // One that is larger than the bound comes alone rather than never.
  batch = journal.read(50, 1000, 1, milliseconds(0));
  EXPECT_EQ(batch.mutations.size(), 1U);
  EXPECT_EQ(batch.next, 51U);
}

TEST(Journal, OverflowIsANumberedGap) {
  Journal journal({.records = 10, .bytes = 1 << 20});
  for (std::uint64_t i = 1; i <= 25; ++i) journal.append(insert_of(i));
  EXPECT_EQ(journal.first(), 16U);
  EXPECT_EQ(journal.dropped(), 15U);
  const auto batch = journal.read(4, 100, 1 << 20, milliseconds(0));
  ASSERT_EQ(batch.mutations.size(), 11U);
  EXPECT_EQ(batch.mutations[0].kind, MutationKind::Gap);
  EXPECT_EQ(batch.mutations[0].sequence, 4U);
  EXPECT_EQ(batch.mutations[0].gap_last, 15U);
  EXPECT_EQ(batch.mutations[1].sequence, 16U);
  EXPECT_EQ(batch.next, 26U);
  // From the oldest kept on there is none.
  EXPECT_EQ(journal.read(0, 100, 1 << 20, milliseconds(0)).mutations[0].sequence, 16U);
}

TEST(Journal, BytesAreBoundedToo) {
  Journal journal({.records = 1000, .bytes = 50'000});
  for (std::uint64_t i = 1; i <= 100; ++i) journal.append(insert_of(i, 5000));
  EXPECT_LT(journal.next() - journal.first(), 11U);
  EXPECT_GT(journal.next() - journal.first(), 5U);
}

TEST(Journal, NumbersNeverGivenAreAGap) {
  Journal journal({});
  journal.append(insert_of(1));
  const auto batch = journal.read(1000, 100, 1 << 20, milliseconds(0));
  ASSERT_EQ(batch.mutations.size(), 1U);
  EXPECT_EQ(batch.mutations[0].kind, MutationKind::Gap);
  EXPECT_EQ(batch.next, 2U);
}

TEST(Journal, ReadersWaitAndAreWokenOrCancelled) {
  Journal journal({});
  std::thread writer([&journal] {
    std::this_thread::sleep_for(milliseconds(20));
    journal.append(insert_of(1));
  });
  EXPECT_EQ(journal.read(1, 10, 1 << 20, milliseconds(60'000)).mutations.size(), 1U);
  writer.join();

  std::jthread reader([&journal](std::stop_token stop) {
    EXPECT_TRUE(journal.read(2, 10, 1 << 20, milliseconds(60'000), stop).mutations.empty());
  });
  std::this_thread::sleep_for(milliseconds(10));
  reader.request_stop();
  reader.join();
  EXPECT_TRUE(journal.read(2, 10, 1 << 20, milliseconds(1)).mutations.empty());
}

TEST(Journal, AReaderBesideTheWriterSeesEveryNumberOrAGap) {
  Journal journal({.records = 64, .bytes = 1 << 20});
  constexpr std::uint64_t kCount = 30'000;
  std::thread writer([&journal] {
    const EntryImage image = make_image("x.example");
    for (std::uint64_t i = 1; i <= kCount; ++i) {
      Mutation mutation;
      mutation.image = image;
      EXPECT_EQ(journal.append(std::move(mutation)), i);
    }
    // As the cache's writer does at every round: one call may find the reader at the lock.
    while (journal.next() <= kCount) {
      journal.settle();
      std::this_thread::yield();
    }
  });
  std::uint64_t expected = 1;
  std::uint64_t wrong = 0;
  while (expected <= kCount) {
    const auto batch = journal.read(expected, 16, 1 << 20, milliseconds(1000));
    for (const Mutation& mutation : batch.mutations) {
      wrong += mutation.sequence != expected ? 1U : 0U;
      expected = mutation.kind == MutationKind::Gap ? mutation.gap_last + 1 : mutation.sequence + 1;
    }
    wrong += batch.next != expected ? 1U : 0U;
  }
  writer.join();
  EXPECT_EQ(wrong, 0U);
}

TEST(UpstreamNames, HaveOneNumberEachUntilThereAreNoMore) {
  UpstreamNames names;
  const UpstreamId first = names.id_of("192.0.2.1@53");
  EXPECT_NE(first, 0);
  EXPECT_EQ(names.name_of(first), "192.0.2.1@53");
  EXPECT_EQ(names.name_of(0), "");
  EXPECT_EQ(names.name_of(static_cast<UpstreamId>(first + 1)), "");
  for (unsigned i = 1; i < 65'535; ++i) EXPECT_NE(names.id_of(std::to_string(i)), 0);
  EXPECT_EQ(names.id_of("one more"), 0);
  EXPECT_EQ(names.id_of("192.0.2.1@53"), first);
}

TEST(Journal, TheEngineWritesChangesAndOnlyChanges) {
  testing::Engine engine;
  Journal& journal = engine.cache->journal();
  const testing::TestKey a("a.example");
  const testing::TestKey b("b.sub.example");
  engine.insert(make_image(a.key, {.fill = 1}));
  engine.insert(make_image(a.key, {.fill = 1, .ttl = 500}));   // refresh
  engine.insert(make_image(a.key, {.fill = 2}));               // change
  engine.insert(make_image(b.key), {.origin = {.node = 9}});   // of another node
  engine.insert(make_image("c.example"), {.journal = false});  // loaded from a dump
  engine.cache->remove(a.key, engine.now_ms);
  engine.cache->flush({.kind = FlushScope::Kind::Zone, .name = testing::dns_name("Sub.example")},
                      engine.now_ms, {});
  engine.settle();
  engine.cache->flush({}, engine.now_ms, {});
  engine.settle();
  const auto batch = journal.read(1, 100, 1 << 20, milliseconds(0));
  std::vector<MutationKind> kinds;
  for (const Mutation& mutation : batch.mutations) kinds.push_back(mutation.kind);
  using enum MutationKind;
  ASSERT_EQ(kinds, (std::vector<MutationKind>{Insert, Replace, Remove, FlushZone, FlushAll}));
  EXPECT_TRUE(batch.mutations[0].image.entry().has_key(a.key));
  EXPECT_EQ(batch.mutations[1].image.entry().sections()[13], std::byte{2});
  EXPECT_EQ(batch.mutations[2].name, a.name);
  EXPECT_EQ(batch.mutations[2].qtype, 16);
  EXPECT_EQ(batch.mutations[3].name, testing::wire_name("sub.example"));
}

}  // namespace
}  // namespace swarmdns::cache
