#include "controlplane/backup/snapshot_writer.h"

#include <atomic>

#include "tests/unit/controlplane/backup/backup_fixture.h"

namespace swarmdns::controlplane {
namespace {

using Kind = BackupError::Kind;

class SnapshotWriterTest : public BackupTest {};

TEST_F(SnapshotWriterTest, WhatIsWrittenIsRestoredFromEachTarget) {
  const Contents saved = contents();
  const SnapshotResult result = written(saved);
  EXPECT_TRUE(result.notes.empty());
  EXPECT_EQ(one_.objects.size(), two_.objects.size());
  EXPECT_GT(result.manifest.header.packs.size(), 4u);
  for (MemoryTarget* target : {&one_, &two_}) {
    SnapshotReader from = reader(result.manifest.header.name(), {target});
    EXPECT_EQ(from.header().hash, result.manifest.header.hash);
    expect_same(restored(from), saved);
  }
}

TEST_F(SnapshotWriterTest, SeveralEncodersMakeTheSame) {
  const Contents saved = contents();
  WriterOptions with = options();
  with.encoders = 3;
  SnapshotReader from = reader(written(saved, with).manifest.header.name(), {&one_});
  expect_same(restored(from), saved);
}

TEST_F(SnapshotWriterTest, SecondSnapshotSendsOnlyWhatIsNew) {
  Contents saved = contents();
  const SnapshotResult first = written(saved);
  const std::uint64_t puts = one_.puts;
  saved["ledger"].octets.insert(saved["ledger"].octets.begin() + (1 << 20), std::byte{1});
  for (const bool with_base : {true, false}) {
    WriterOptions with = options();
    if (with_base) with.bases = {first.manifest.header.name()};
    const SnapshotResult second = written(saved, with);
    EXPECT_EQ(second.chunks_new, with_base ? second.chunks_new : 0u);
    EXPECT_LE(second.chunks_new, 3u);
    EXPECT_LE(one_.puts, puts + 5);
    SnapshotReader from = reader(second.manifest.header.name(), {&one_});
    expect_same(restored(from), saved);
  }
}

TEST_F(SnapshotWriterTest, RunThatFailedIsGoneOnWith) {
  Contents saved = contents();
  Gate gate;
  int puts = 0;
  one_.fault = [&](std::string_view call, const std::string& name) -> TargetResult<void> {
    if (call == "put" && name.starts_with("packs/") && ++puts == 4) gate.open();  // three are there
    return {};
  };
  auto parts = sources(saved);
  parts.push_back(
      {"zones", "zones", "", [&](std::span<std::byte>) -> std::expected<std::size_t, std::string> {
         gate.pass();
         return std::unexpected("the disk says no");
       }});
  const std::vector<Target*> to = {&one_, &two_};
  SnapshotWriter writer(epoch_, recipients_, node_, to, options());
  const auto failed = writer.write(facts(), parts);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, Kind::kInput);
  EXPECT_EQ(failed.error().what, "part zones cannot be read: the disk says no");
  EXPECT_TRUE(one_.names("snapshots/").empty());
  EXPECT_GE(one_.names("packs/").size(), 3u);
  one_.fault = nullptr;
  const SnapshotResult result = written(saved);
  EXPECT_GT(result.total.octets_reused, std::uint64_t{512} << 10);
  for (const auto& outcome : result.targets)
    EXPECT_LT(outcome.packs_sent, result.manifest.header.packs.size());
  SnapshotReader from = reader(result.manifest.header.name(), {&two_});
  expect_same(restored(from), saved);
}

TEST_F(SnapshotWriterTest, DeadTargetHoldsNobodyBack) {
  std::atomic<int> puts = 0;
  two_.fault = [&](std::string_view call, const std::string& name) -> TargetResult<void> {
    if (call == "put" && name.starts_with("packs/") && ++puts > 2)
      return MemoryTarget::failure(TargetError::Kind::kUnavailable, "two does not answer");
    return {};
  };
  const Contents saved = contents();
  const auto result = write(saved, options(), {&one_, &two_});
  ASSERT_TRUE(result) << result.error().what;
  EXPECT_TRUE(result->targets[0].complete);
  EXPECT_FALSE(result->targets[1].complete);
  EXPECT_EQ(result->targets[1].error, "two does not answer");
  EXPECT_TRUE(two_.names("snapshots/").empty());
  // When it is back it gets what it lacks from the other.
  two_.fault = nullptr;
  const SnapshotResult next = written(saved);
  EXPECT_EQ(next.chunks_new, 0u);
  SnapshotReader from = reader(next.manifest.header.name(), {&two_});
  expect_same(restored(from), saved);
}

TEST_F(SnapshotWriterTest, SlowTargetIsServedFromTheOther) {
  Gate gate;
  std::atomic<bool> other_has_it = false;
  one_.fault = [&](std::string_view call, const std::string& name) -> TargetResult<void> {
    if (call == "put" && name.starts_with("snapshots/")) {
      other_has_it = true;
      gate.open();
    }
    return {};
  };
  two_.fault = [&](std::string_view call, const std::string& name) -> TargetResult<void> {
    if (call == "put" && name.starts_with("packs/")) gate.pass();  // until the other has all of it
    return {};
  };
  const Contents saved = contents();
  WriterOptions with = options();
  with.queue_packs = 1;
  const auto result = write(saved, with, {&two_, &one_});
  ASSERT_TRUE(result) << result.error().what;
  EXPECT_TRUE(other_has_it);
  for (const auto& outcome : result->targets) EXPECT_TRUE(outcome.complete) << outcome.error;
  SnapshotReader from = reader(result->manifest.header.name(), {&two_});
  expect_same(restored(from), saved);
}

TEST_F(SnapshotWriterTest, NewTargetGetsEverything) {
  const Contents saved = contents();
  auto first = write(saved, options(), {&one_});
  ASSERT_TRUE(first);
  const SnapshotResult second = written(saved);
  EXPECT_EQ(second.chunks_new, 0u);
  EXPECT_EQ(second.targets[1].packs_sent, second.manifest.header.packs.size());
  SnapshotReader from = reader(second.manifest.header.name(), {&two_});
  expect_same(restored(from), saved);
}

TEST_F(SnapshotWriterTest, PackThatGoesMeanwhileIsFetchedOrMissed) {
  const Contents saved = contents();
  written(saved);
  const std::string gone = two_.names("packs/").front();
  int lists = 0;
  two_.fault = [&](std::string_view call, const std::string&) -> TargetResult<void> {
    if (call == "list" && ++lists == 2) two_.objects.erase(gone);
    return {};
  };
  const SnapshotResult healed = written(saved);
  EXPECT_EQ(healed.targets[1].packs_sent, 1u);
  EXPECT_TRUE(two_.objects.contains(gone));
  // With nobody to have it from, the snapshot is refused there and what it lacks is named.
  lists = 0;
  const auto refused = write(saved, options(), {&two_});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::kTarget);
  EXPECT_NE(refused.error().what.find("1 of its packs are there no more"), std::string::npos)
      << refused.error().what;
}

TEST_F(SnapshotWriterTest, DamagedPacksAreNotedAndNotReused) {
  const Contents saved = contents();
  const SnapshotResult first = written(saved);
  const std::string pack = one_.names("packs/").front();
  one_.objects.at(pack).back() ^= std::byte{1};
  two_.objects.at(pack).back() ^= std::byte{1};
  const SnapshotResult second = written(saved);
  ASSERT_EQ(second.notes.size(), 1u);
  EXPECT_NE(second.notes[0].find(pack), std::string::npos);
  EXPECT_GT(second.chunks_new, 0u);
  SnapshotReader from = reader(second.manifest.header.name(), {&one_});
  expect_same(restored(from), saved);
}

TEST_F(SnapshotWriterTest, PacksToAvoidAreNotReused) {
  const Contents saved = contents();
  const SnapshotResult first = written(saved);
  WriterOptions with = options();
  for (const PackRef& pack : first.manifest.header.packs) with.avoid.insert(pack.hash);
  const SnapshotResult second = written(saved, with);
  for (const PackRef& pack : second.manifest.header.packs) EXPECT_FALSE(with.avoid.contains(pack.hash));
}

TEST_F(SnapshotWriterTest, FewKnownChunksCostUploadsOnly) {
  const Contents saved = contents();
  written(saved);
  WriterOptions with = options();
  with.most_known = 3;
  const SnapshotResult second = written(saved, with);
  EXPECT_GT(second.chunks_new, 0u);
  SnapshotReader from = reader(second.manifest.header.name(), {&one_});
  expect_same(restored(from), saved);
}

TEST_F(SnapshotWriterTest, WithoutATargetThatAnswersItFails) {
  for (MemoryTarget* target : {&one_, &two_}) {
    target->fault = [target](std::string_view, const std::string&) -> TargetResult<void> {
      return MemoryTarget::failure(TargetError::Kind::kUnavailable,
                                   target->description() + " does not answer");
    };
  }
  const auto failed = write(contents(), options(), {&one_, &two_});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, Kind::kTarget);
  EXPECT_EQ(failed.error().what, "no target could be written; one does not answer; two does not answer");
}

TEST_F(SnapshotWriterTest, FullTargetEndsItWhereverItIs) {
  for (int allowed = 0;; ++allowed) {
    int puts = 0;
    one_.objects.clear();
    one_.fault = [&](std::string_view call, const std::string&) -> TargetResult<void> {
      if (call == "put" && ++puts > allowed)
        return MemoryTarget::failure(TargetError::Kind::kFull, "one is full: make room");
      return {};
    };
    const auto result = write(contents(), options(), {&one_});
    if (result) {
      EXPECT_GT(allowed, 6);
      return;
    }
    EXPECT_EQ(result.error().what, "no target could be written; one is full: make room");
    EXPECT_TRUE(one_.names("snapshots/").empty());
  }
}

TEST_F(SnapshotWriterTest, IsStoppedByItsCaller) {
  WriterOptions with = options();
  with.progress = [](const SnapshotProgress& progress) { return progress.reading; };
  const auto stopped = write(contents(), with, {&one_});
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().kind, Kind::kStopped);
}

TEST_F(SnapshotWriterTest, EnvelopeIsReplacedWhenItIsNotOurs) {
  written(contents());
  const std::string name = epoch_name(epoch_.key().commitment());
  const Octets before = one_.objects.at(name);
  written(contents());
  EXPECT_EQ(one_.objects.at(name), before);
  alter(one_, name, 5);
  written(contents());
  EXPECT_TRUE(decode_envelope(one_.objects.at(name), name));
  const OperatorKey third = samples::operator_key(30);
  recipients_.push_back(third.recipient);
  written(contents());
  EXPECT_TRUE(open_envelope(*decode_envelope(one_.objects.at(name), name), third, name));
}

TEST_F(SnapshotWriterTest, WrongInputIsRefused) {
  const Contents saved = contents();
  const auto refused = [&](PartSource part) {
    std::vector<PartSource> parts = sources(saved);
    parts.push_back(std::move(part));
    const std::vector<Target*> to = {&one_};
    SnapshotWriter writer(epoch_, recipients_, node_, to, options());
    const auto result = writer.write(facts(), parts);
    return !result && result.error().kind == Kind::kInput;
  };
  const auto none = [](std::span<std::byte>) -> std::expected<std::size_t, std::string> { return 0; };
  EXPECT_TRUE(refused({"../up", "k", "", none}));
  EXPECT_TRUE(refused({"config", "k", "", none}));
  EXPECT_TRUE(refused({"x", "", "", none}));
  EXPECT_TRUE(refused({"x", "k", "yesterday", none}));
  EXPECT_FALSE(refused({"x", "k", "", none}));
  EXPECT_FALSE(write(contents(), options(), {}));
  EXPECT_FALSE(write({}, options(), {&one_}));
  WriterOptions wrong = options();
  wrong.encoders = 0;
  EXPECT_FALSE(write(contents(), wrong, {&one_}));
}

}  // namespace
}  // namespace swarmdns::controlplane
