#include "dataplane/restart/snapshot.h"

#include <gtest/gtest.h>
#include <sodium.h>

#include <array>
#include <memory>
#include <thread>

#include "dataplane/cache/reader.h"
#include "tests/unit/dataplane/cache/helpers.h"
#include "tests/unit/dataplane/restart/scratch.h"

namespace swarmdns::restart {
namespace {

using cache::Origin;
using cache::testing::make_image;
using cache::testing::Spec;
using cache::testing::TestKey;

constexpr std::uint64_t kNumbering = 99;
constexpr auto kPatience = std::chrono::seconds(60);

// What stands still while data planes come and go.
struct World {
  Scratch scratch;
  std::uint64_t wall_ms = 1'700'000'000'000;
  std::uint64_t every_ms = 300'000;
  std::uint64_t next_number = 1000;  // of mutations, which rise over restarts
  std::uint32_t stale_max_s = 3600;
};

// One life of a data plane's cache.
class Life {
 public:
  explicit Life(World& world, bool member = false, std::uint64_t numbering = kNumbering)
      : first_(world.next_number) {
    cache::CacheOptions options;
    options.budget_bytes = std::uint64_t{16} << 20;
    options.hugepages = false;
    auto made = cache::Cache::create(options, counters_);
    EXPECT_TRUE(made) << made.error();
    cache_ = std::move(*made);
    cache_->journal().start_at(first_);
    world.next_number += 10'000;
    writer_ = std::make_unique<cache::Writer>(*cache_, clock_, counters_, cache::Writer::Options{});
    writer_->start();
    Snapshot::Options snapshot;
    snapshot.state_dir = world.scratch.path();
    snapshot.numbering = numbering;
    snapshot.member = member;
    snapshot.rest = 0;
    snapshot.settings = [&world] { return Snapshot::Settings{world.every_ms, 86'400, world.stale_max_s}; };
    snapshot.moment = [&world](std::uint64_t clock_ms) { return Moment{world.wall_ms, 0, clock_ms, {}}; };
    snapshot_ =
        std::make_unique<Snapshot>(*writer_, clock_, flushes_, snapshot_counters_, std::move(snapshot));
    snapshot_->start();
    while (snapshot_->loading()) std::this_thread::yield();
  }
  ~Life() {
    if (snapshot_) stop();
  }
  Life(const Life&) = delete;
  Life& operator=(const Life&) = delete;

  void stop() {
    EXPECT_TRUE(snapshot_->stop(kPatience));
    last_ = snapshot_->status();
    snapshot_.reset();
  }
  void insert(const std::string& name, const Origin& origin = {}, cache::Seconds ttl = 600,
              std::uint8_t fill = 1, bool journal = true, std::uint8_t flags = 0) {
    cache::InsertOptions options;
    options.origin = origin;
    options.journal = journal && origin.node == 0;
    ASSERT_TRUE(writer_->insert(
        make_image(name, Spec{.fill = fill, .born = clock_.seconds(), .ttl = ttl, .flags = flags}), options));
    writer_->drain();
  }
  // As the control calls do it.
  void flush(cache::FlushScope scope) {
    flushes_.note(scope);
    writer_->flush(std::move(scope)).get();
    flushes_.through();
  }
  void fence(std::uint16_t node, std::uint64_t first, std::uint64_t last) {
    cache::FlushScope scope;
    scope.kind = cache::FlushScope::Kind::Origins;
    scope.origins = cache::OriginSet(std::array{cache::OriginSet::Range{node, first, last}}, true);
    flush(std::move(scope));
  }
  // Seconds it has left; nothing: it is not there.
  std::optional<std::int64_t> left(const std::string& name) {
    cache::Reader reader(cache_->table());
    const TestKey key(name);
    const cache::Entry* entry = reader.peek(key.key);
    if (entry == nullptr) return std::nullopt;
    EXPECT_TRUE(cache::testing::intact(*entry));
    return std::int64_t{entry->expires} - clock_.seconds();
  }
  bool has(const std::string& name) { return left(name).has_value(); }
  std::optional<Origin> origin(const std::string& name) {
    cache::Reader reader(cache_->table());
    const TestKey key(name);
    const cache::Entry* entry = reader.peek(key.key);
    if (entry == nullptr) return std::nullopt;
    return cache_->origin(*entry);
  }
  std::uint64_t journaled() { return cache_->journal().next() - first_; }
  Snapshot& snapshot() { return *snapshot_; }
  Snapshot::Status status() { return snapshot_ ? snapshot_->status() : last_; }
  std::uint64_t entries() { return cache_->stats().entries; }
  bool troubled(const std::string& words) {
    for (const std::string& trouble : status().troubles) {
      if (trouble.find(words) != std::string::npos) return true;
    }
    return false;
  }

 private:
  const std::uint64_t first_;  // number of a mutation
  cache::Clock clock_{cache::Clock::Manual{}};
  stats::Block counters_;
  stats::Block snapshot_counters_;
  FlushLog flushes_;
  std::unique_ptr<cache::Cache> cache_;
  std::unique_ptr<cache::Writer> writer_;
  std::unique_ptr<Snapshot> snapshot_;
  Snapshot::Status last_;
};

class SnapshotTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_GE(sodium_init(), 0); }
  std::string path() const { return snapshot_path(world_.scratch.path()); }
  World world_;
};

TEST_F(SnapshotTest, AStopAndAStartLoseNothingButTime) {
  {
    Life life(world_);
    for (int i = 0; i < 500; ++i) life.insert("n" + std::to_string(i) + ".example");
    life.insert("short.example", {}, 5);
    life.stop();
    EXPECT_EQ(life.status().written_entries, 501U);
    EXPECT_EQ(life.status().written_bytes, std::filesystem::file_size(path()));
  }
  world_.wall_ms += 60'000;
  Life life(world_);
  EXPECT_EQ(life.entries(), 501U);
  EXPECT_EQ(life.left("n499.example"), 540);
  EXPECT_EQ(life.left("short.example"), -55) << "stale, as it would be by now";
  EXPECT_EQ(life.origin("n0.example")->sequence, 1000U) << "whose mutation it is, is kept";
  EXPECT_EQ(life.journaled(), 0U) << "it is no news";
  EXPECT_EQ(life.status().loaded.entries, 501U);
  EXPECT_EQ(life.status().loaded_wall_ms, world_.wall_ms - 60'000);
  EXPECT_TRUE(life.status().troubles.empty());
}

TEST_F(SnapshotTest, FailuresAndWhatIsStaleBeyondUseDoNotComeBack) {
  {
    Life life(world_);
    life.insert("gone.example", {}, 5);
    life.insert("stays.example");
    life.insert("failed.example", {}, 600, 1, true, cache::Entry::kFailure);
    life.stop();
    EXPECT_EQ(life.status().written_entries, 2U);
  }
  world_.wall_ms += (world_.stale_max_s + 5) * 1000;
  Life life(world_);
  EXPECT_FALSE(life.has("gone.example"));
  EXPECT_TRUE(life.has("stays.example"));
  EXPECT_EQ(life.status().loaded.expired, 1U);
}

TEST_F(SnapshotTest, AClockThatWasSetBackMakesNothingLiveLonger) {
  { Life(world_).insert("a.example"); }
  world_.wall_ms -= 3'600'000;
  Life life(world_);
  EXPECT_EQ(life.entries(), 0U);
  EXPECT_TRUE(life.troubled("s in the future by this machine's clock")) << "and the operator is told";
}

TEST_F(SnapshotTest, EntriesOfOthersWaitForTheFencesThatWereMissed) {
  {
    Life life(world_, true);
    life.insert("own.example");
    life.insert("poison.example", {7, 50});
    life.insert("good.example", {7, 10});
    life.insert("private.example", {7, 11});
    life.insert("unknown.example", {}, 600, 1, false);
  }
  Life life(world_, true);
  EXPECT_TRUE(life.has("own.example"));
  EXPECT_EQ(life.entries(), 1U);
  EXPECT_EQ(life.status().held, 4U);
  life.fence(7, 50, 60);
  const auto restored = life.snapshot().restore({std::string("\7private\7example\0", 17)});
  ASSERT_TRUE(restored) << restored.error();
  EXPECT_EQ(restored->entries, 2U) << "both its own and others'";
  EXPECT_EQ(restored->left_out, 3U);
  EXPECT_TRUE(life.has("good.example"));
  EXPECT_EQ(life.origin("good.example")->node, 7);
  EXPECT_FALSE(life.has("poison.example"));
  EXPECT_FALSE(life.has("private.example")) << "its zone is this node's own by now";
  EXPECT_FALSE(life.has("unknown.example")) << "a fence takes what nobody knows the origin of";
  EXPECT_EQ(life.status().held, 0U);
  EXPECT_EQ(life.snapshot().restore({})->entries, 2U) << "a second time changes nothing";
}

TEST_F(SnapshotTest, AFenceThatComesLaterPurgesItsOwn) {
  {
    Life life(world_, true);
    life.insert("first.example");
    life.insert("second.example");
  }
  Life life(world_, true);
  EXPECT_EQ(life.entries(), 2U);
  life.fence(0, 1001, 60'000);
  EXPECT_TRUE(life.has("first.example"));
  EXPECT_FALSE(life.has("second.example"));
}

TEST_F(SnapshotTest, HeldEntriesOutliveStartsWithoutAControlPlane) {
  {
    Life life(world_, true);
    life.insert("good.example", {7, 10});
    life.insert("flushed.example", {7, 11});
    life.insert("short.example", {7, 12}, 5);
  }
  {
    world_.wall_ms += 10'000;
    world_.stale_max_s = 0;
    Life life(world_, true);
    EXPECT_EQ(life.entries(), 0U);
    EXPECT_EQ(life.status().held, 3U);
    cache::FlushScope scope;
    scope.kind = cache::FlushScope::Kind::Name;
    scope.name = cache::testing::dns_name("flushed.example");
    life.flush(std::move(scope));
    life.stop();
    EXPECT_EQ(life.status().written_entries, 1U);
  }
  world_.wall_ms += 10'000;
  Life life(world_, true);
  EXPECT_EQ(life.status().held, 1U);
  EXPECT_EQ(life.snapshot().restore({})->entries, 1U);
  EXPECT_EQ(life.left("good.example"), 580) << "both times are taken off";
}

TEST_F(SnapshotTest, NumbersOfAnotherNumberingAreNobodysAndWaitToo) {
  { Life(world_, true).insert("a.example"); }
  {
    Life life(world_, true, kNumbering + 1);
    EXPECT_EQ(life.entries(), 0U);
    ASSERT_TRUE(life.snapshot().restore({}));
    EXPECT_EQ(life.origin("a.example")->sequence, 0U);
  }
}

TEST_F(SnapshotTest, InNoSwarmNothingWaitsAndNothingOfOthersIsLeft) {
  {
    Life life(world_, true);
    life.insert("others.example", {7, 10});
    life.insert("unknown.example", {}, 600, 1, false);
  }
  Life life(world_);
  EXPECT_FALSE(life.has("others.example"));
  EXPECT_TRUE(life.has("unknown.example"));
  EXPECT_EQ(life.status().held, 0U);
  EXPECT_EQ(life.status().loaded.left_out, 1U);
}

TEST_F(SnapshotTest, ADamagedOneIsNamedAndReplaced) {
  { Life(world_).insert("a.example"); }
  const std::string good = Scratch::read(path());
  for (const std::size_t at : {std::size_t{3}, std::size_t{70}, good.size() - 1}) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    Scratch::write(path(), bad);
    Life life(world_);
    EXPECT_TRUE(life.troubled(path())) << at;
    life.insert("b.example");
    life.stop();
    EXPECT_EQ(life.status().troubles.size(), 0U) << "the next one is good";
  }
  Life life(world_);
  EXPECT_TRUE(life.has("b.example"));
}

TEST_F(SnapshotTest, AnotherKeyIsAColdStart) {
  { Life(world_).insert("a.example"); }
  std::filesystem::remove(node_key_path(world_.scratch.path()));
  Life life(world_);
  EXPECT_EQ(life.entries(), 0U);
  EXPECT_TRUE(life.troubled("another key"));
}

TEST_F(SnapshotTest, IsWrittenAtIntervalsAndAKillCostsWhatCameSince) {
  world_.every_ms = 20;
  std::string by_interval;
  {
    Life life(world_);
    life.insert("a.example");
    while (life.status().written_entries == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    by_interval = Scratch::read(path());
  }
  Scratch::write(path(), by_interval);  // as if it had been killed then
  Life life(world_);
  EXPECT_TRUE(life.has("a.example"));
}

TEST_F(SnapshotTest, WhatWasFlushedDoesNotComeBackWheneverItDies) {
  {
    Life life(world_);
    life.insert("flushed.example");
    life.insert("stays.example");
  }
  std::string octets;
  {
    Life life(world_);
    cache::FlushScope scope;
    scope.kind = cache::FlushScope::Kind::Name;
    scope.name = cache::testing::dns_name("flushed.example");
    life.flush(std::move(scope));
    // The former one is gone by now; the next does not wait for its interval.
    while (life.status().written_entries == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    EXPECT_EQ(life.status().written_entries, 1U);
    octets = Scratch::read(path());
  }
  Scratch::write(path(), octets);
  Life life(world_);
  EXPECT_TRUE(life.has("stays.example"));
  EXPECT_FALSE(life.has("flushed.example"));
}

TEST_F(SnapshotTest, AFlushTakesTheFormerOneAwayAtOnce) {
  { Life(world_).insert("a.example"); }
  Life life(world_);
  std::filesystem::create_directory(path() + ".new");  // so that none can be written
  Scratch::write(path() + ".new/x", "");
  life.flush({});
  EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(SnapshotTest, TurnedOffItLeavesNothingOnDisk) {
  { Life(world_).insert("a.example"); }
  EXPECT_TRUE(std::filesystem::exists(path()));
  world_.every_ms = 0;
  {
    Life life(world_);
    EXPECT_EQ(life.entries(), 0U);
    life.insert("b.example");
  }
  EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(SnapshotTest, AStateDirectoryThatIsGoneCostsTheSnapshotAndNothingElse) {
  Life life(world_);
  life.insert("a.example");
  std::filesystem::remove_all(world_.scratch.path());
  life.stop();
  EXPECT_TRUE(
      life.troubled("cannot create " + path() + ".new: No such file or directory; a former one stays"));
}

}  // namespace
}  // namespace swarmdns::restart
