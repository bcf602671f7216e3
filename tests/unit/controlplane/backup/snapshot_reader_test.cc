#include "controlplane/backup/snapshot_reader.h"

#include "controlplane/backup/pack.h"

#include "tests/unit/controlplane/backup/backup_fixture.h"

namespace swarmdns::controlplane {
namespace {

using Kind = BackupError::Kind;

class SnapshotReaderTest : public BackupTest {
 protected:
  SnapshotResult snapshot_ = written(contents());
  const ManifestHeader& header() const { return snapshot_.manifest.header; }
  std::string name() const { return header().name(); }
  std::string pack(std::size_t number) const {
    return pack_name(header().epoch, header().packs[number].hash);
  }

  // What restoring everything from the first target alone says.
  BackupError restore_error() {
    auto opened = SnapshotReader::open(from_one_, name());
    if (!opened) return opened.error();
    if (auto done = opened->unlock(operator_); !done) return done.error();
    const auto done = opened->restore_all([](const SnapshotPart&) -> PartSink {
      return [](std::uint64_t, Bytes) -> std::expected<void, std::string> { return {}; };
    });
    EXPECT_FALSE(done) << "nothing was found wrong";
    return done ? BackupError{} : done.error();
  }
  // Kinds that verify() tells of.
  std::vector<Kind> verify(VerifyDepth depth, std::vector<Target*> from) {
    SnapshotReader all = reader(name(), std::move(from));
    const auto damage = all.verify(depth);
    EXPECT_TRUE(damage) << damage.error().what;
    std::vector<Kind> kinds;
    if (damage)
      for (const Damage& one : *damage) kinds.push_back(one.error.kind);
    return kinds;
  }
  // With --partial: every octet that is there is right, and holes are exactly those told.
  void expect_partial(const std::string& damaged_part) {
    SnapshotReader some = reader(name(), from_one_, {.partial = true});
    Restored how;
    const auto got = restored(some, &how);
    ASSERT_FALSE(how.damage.empty());
    const Contents saved = contents();
    std::map<std::string, Octets> holed;
    for (const auto& [part, content] : saved) holed[part] = content.octets;
    for (const Damage& damage : how.damage) {
      EXPECT_TRUE(damaged_part.empty() || damage.part == damaged_part) << damage.error.what;
      ASSERT_LE(damage.offset + damage.bytes, holed[damage.part].size());
      std::fill_n(holed[damage.part].begin() + static_cast<std::ptrdiff_t>(damage.offset), damage.bytes,
                  std::byte{0});
    }
    for (const auto& [part, octets] : got) EXPECT_TRUE(octets == holed[part]) << part;
  }

  std::vector<Target*> from_one_ = {&one_};
};

TEST_F(SnapshotReaderTest, ListsAndRestoresOnePart) {
  SnapshotReader some = reader(name(), from_one_);
  const auto parts = some.parts();
  ASSERT_TRUE(parts);
  ASSERT_EQ(parts->size(), 4u);
  EXPECT_EQ((*parts)[0].name, "cache");
  EXPECT_EQ((*parts)[0].day, kDay);
  EXPECT_EQ((*parts)[1].kind, "configuration");
  EXPECT_EQ((*parts)[1].bytes, 5000u);
  Octets got;
  const std::uint64_t before = one_.octets_got;
  const auto done = some.restore("config", [&](std::uint64_t offset, Bytes octets) {
    EXPECT_EQ(offset, got.size());
    got.insert(got.end(), octets.begin(), octets.end());
    return std::expected<void, std::string>();
  });
  ASSERT_TRUE(done) << done.error().what;
  EXPECT_EQ(got, contents().at("config").octets);
  EXPECT_LT(one_.octets_got - before, 50'000u) << "other parts were read, too";
  EXPECT_EQ(some.restore("zones", nullptr).error().kind, Kind::kMissing);
}

TEST_F(SnapshotReaderTest, OpensWithEachRecipientAndTheOpenEpoch) {
  for (const OperatorKey* key : {&operator_, &second_}) {
    auto opened = SnapshotReader::open(from_one_, name());
    ASSERT_TRUE(opened && opened->unlock(*key));
    expect_same(restored(*opened), contents());
  }
  auto opened = SnapshotReader::open(from_one_, name());
  ASSERT_TRUE(opened && opened->unlock(epoch_));
  expect_same(restored(*opened), contents());
}

TEST_F(SnapshotReaderTest, AnotherKeyIsToldWhoseItIs) {
  auto opened = SnapshotReader::open(from_one_, name());
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->parts().error().kind, Kind::kWrongKey);
  const auto refused = opened->unlock(samples::operator_key(99));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::kWrongKey);
  for (const Recipient& recipient : recipients_)
    EXPECT_NE(refused.error().what.find(to_hex(recipient.id())), std::string::npos) << refused.error().what;
}

TEST_F(SnapshotReaderTest, ClosedEpochIsNotReadByTheNode) {
  ASSERT_TRUE(epoch_.close());
  const auto next = OpenEpoch::begin(directory_.path(), 2000, recipients_);
  ASSERT_TRUE(next);
  auto opened = SnapshotReader::open(from_one_, name());
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->unlock(*next).error().kind, Kind::kWrongKey);
  EXPECT_TRUE(opened->verify(VerifyDepth::kOctets)->empty());
  EXPECT_EQ(opened->verify(VerifyDepth::kData).error().kind, Kind::kWrongKey);
  ASSERT_TRUE(opened->unlock(operator_));
  expect_same(restored(*opened), contents());
}

TEST_F(SnapshotReaderTest, RotatedRecipientsReadOldSnapshots) {
  const std::string object = epoch_name(header().epoch);
  const OperatorKey third = samples::operator_key(30);
  for (const std::string& envelope : {object, day_name(header().epoch, kDay)}) {
    const auto old = decode_envelope(one_.objects.at(envelope), envelope);
    const auto fresh = rewrap_envelope(*old, operator_, std::vector{third.recipient}, envelope);
    ASSERT_TRUE(fresh);
    ASSERT_TRUE(one_.put(envelope, as_octets(encode_envelope(*fresh)), {.replace = true}));
  }
  auto opened = SnapshotReader::open(from_one_, name());
  EXPECT_EQ(opened->unlock(operator_).error().kind, Kind::kWrongKey);
  ASSERT_TRUE(opened->unlock(third));
  expect_same(restored(*opened), contents());
}

TEST_F(SnapshotReaderTest, DestroyedDayIsGoneFromAllSnapshots) {
  ASSERT_TRUE(epoch_.destroy_day(kDay));
  ASSERT_TRUE(one_.remove(day_name(header().epoch, kDay)));
  EXPECT_EQ(restore_error().kind, Kind::kErased);
  SnapshotReader some = reader(name(), from_one_, {.partial = true});
  Restored how;
  auto got = restored(some, &how);
  ASSERT_EQ(how.damage.size(), 1u);
  EXPECT_EQ(how.damage[0].error.kind, Kind::kErased);
  EXPECT_EQ(how.damage[0].part, "cache");
  EXPECT_EQ(got["ledger"], contents().at("ledger").octets);
  EXPECT_TRUE(verify(VerifyDepth::kData, from_one_).empty());
  // The next one is under another key of that day, and reuses nothing of the old.
  const SnapshotResult next = written(contents());
  EXPECT_EQ(restore_error().kind, Kind::kErased);
  SnapshotReader fresh = reader(next.manifest.header.name(), from_one_);
  expect_same(restored(fresh), contents());
}

TEST_F(SnapshotReaderTest, AlteredPackIsNamedAndTheRestRestored) {
  alter(one_, pack(0), 1000);
  const BackupError error = restore_error();
  EXPECT_EQ(error.kind, Kind::kAltered);
  EXPECT_NE(error.what.find(pack(0) + " was altered"), std::string::npos) << error.what;
  EXPECT_EQ(verify(VerifyDepth::kOctets, from_one_), std::vector{Kind::kAltered});
  EXPECT_EQ(verify(VerifyDepth::kData, from_one_), std::vector{Kind::kAltered});
  EXPECT_TRUE(verify(VerifyDepth::kPresent, from_one_).empty());
  expect_partial("");
}

TEST_F(SnapshotReaderTest, CutPackIsNamed) {
  one_.objects.at(pack(0)).resize(60);
  const BackupError error = restore_error();
  EXPECT_EQ(error.kind, Kind::kCut);
  EXPECT_NE(error.what.find(pack(0)), std::string::npos) << error.what;
  EXPECT_EQ(verify(VerifyDepth::kPresent, from_one_), std::vector{Kind::kCut});
  EXPECT_EQ(verify(VerifyDepth::kOctets, from_one_), std::vector{Kind::kCut});
  expect_partial("");
}

TEST_F(SnapshotReaderTest, MissingPackIsNamed) {
  one_.objects.erase(pack(1));
  EXPECT_EQ(restore_error().kind, Kind::kMissing);
  for (const auto depth : {VerifyDepth::kPresent, VerifyDepth::kOctets, VerifyDepth::kData})
    EXPECT_EQ(verify(depth, from_one_), std::vector{Kind::kMissing});
  expect_partial("");
}

TEST_F(SnapshotReaderTest, PackUnderAnothersNameIsReplayed) {
  one_.objects.at(pack(0)) = one_.objects.at(pack(1));
  const BackupError error = restore_error();
  EXPECT_EQ(error.kind, Kind::kReplayed) << error.what;
  EXPECT_EQ(verify(VerifyDepth::kOctets, from_one_), std::vector{Kind::kReplayed});
  expect_partial("");
}

TEST_F(SnapshotReaderTest, ForeignPackIsNamed) {
  const RootKey stranger = samples::root_key(77);
  PackWriter writer(stranger);
  ChunkCodec codec;
  const ChunkKeys keys(stranger);
  const auto octets = samples::noise(300 << 10);
  for (int i = 0; i < 2; ++i) {
    const Digest id = chunk_id(keys, octets);
    writer.add(id, stranger.id(), codec.seal(keys, id, octets, writer.octets()), octets.size());
  }
  one_.objects.at(pack(0)) = writer.finish().octets;
  const BackupError error = restore_error();
  EXPECT_EQ(error.kind, Kind::kForeign);
  EXPECT_NE(error.what.find("it is of epoch " + stranger.name()), std::string::npos) << error.what;
  EXPECT_EQ(verify(VerifyDepth::kOctets, from_one_), std::vector{Kind::kForeign});
}

TEST_F(SnapshotReaderTest, ReorderedChunksAreRefused) {
  // By somebody who can make the pack's name fit: by the manifest of a program that is wrong.
  SnapshotReader some = reader(name(), from_one_);
  const auto parts = *some.parts();
  const FrameRef& ref = header().frames[1];
  const Bytes frame = as_octets(snapshot_.manifest.octets).subspan(ref.offset, ref.bytes);
  auto chunks = *read_chunks(header(), 1, frame, epoch_.key(), name());
  const std::size_t first = parts[3].first_chunk;
  std::swap(chunks[first], chunks[first + 1]);
  const auto swapped = write_manifest(header(), parts, chunks, epoch_.key(), node_);
  ASSERT_TRUE(one_.put(name(), as_octets(swapped.octets), {.replace = true}));
  const BackupError error = restore_error();
  EXPECT_EQ(error.kind, Kind::kReordered);
  EXPECT_EQ(error.what, "the chunks of part ledger are not those that it was made of");
  // Each at the other's place.
  std::swap(chunks[first], chunks[first + 1]);
  std::swap(chunks[first].id, chunks[first + 1].id);
  const auto misplaced = write_manifest(header(), parts, chunks, epoch_.key(), node_);
  ASSERT_TRUE(one_.put(name(), as_octets(misplaced.octets), {.replace = true}));
  const BackupError there = restore_error();
  EXPECT_EQ(there.kind, Kind::kReordered);
  EXPECT_NE(there.what.find("was altered, or is another in its place"), std::string::npos) << there.what;
  EXPECT_EQ(verify(VerifyDepth::kData, from_one_).size(), 3u);
}

TEST_F(SnapshotReaderTest, WhatOneTargetHasDamagedTheOtherGives) {
  alter(one_, pack(0), 1000);
  one_.objects.erase(pack(1));
  two_.objects.at(pack(2)).resize(100);
  alter(one_, name(), header().frames[0].offset + 40);
  SnapshotReader all = reader(name(), {&one_, &two_});
  expect_same(restored(all), contents());
  const auto damage = all.verify(VerifyDepth::kOctets);
  ASSERT_TRUE(damage);
  ASSERT_EQ(damage->size(), 4u);
  for (const Damage& one : *damage) {
    const bool at_two = one.error.what.find(pack(2)) != std::string::npos;
    EXPECT_NE(one.error.what.find(at_two ? "(at two)" : "(at one)"), std::string::npos) << one.error.what;
  }
}

TEST_F(SnapshotReaderTest, AlteredManifestIsNamed) {
  const std::size_t frames = header().frames[0].offset;
  for (const std::size_t at : {std::size_t{0}, std::size_t{18}, std::size_t{25}, frames - 1}) {
    alter(one_, name(), at);
    const auto refused = SnapshotReader::open(from_one_, name());
    ASSERT_FALSE(refused) << at;
    EXPECT_NE(refused.error().what.find(name()), std::string::npos) << refused.error().what;
    alter(one_, name(), at);
  }
  alter(one_, name(), frames + 30);
  EXPECT_EQ(restore_error().what, "frame 0 of " + name() + " was altered");
  alter(one_, name(), frames + 30);
  alter(one_, name(), header().frames[1].offset + 30);
  EXPECT_EQ(restore_error().what, "frame 1 of " + name() + " was altered");
  EXPECT_EQ(verify(VerifyDepth::kPresent, from_one_), std::vector{Kind::kAltered});
  expect_partial("");
}

TEST_F(SnapshotReaderTest, CutAndLongerManifestsAreRefused) {
  const Octets whole = one_.objects.at(name());
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{10}, std::size_t{100}, whole.size() - 1, whole.size() + 1}) {
    one_.objects.at(name()) = whole;
    one_.objects.at(name()).resize(size);
    const auto refused = SnapshotReader::open(from_one_, name());
    ASSERT_FALSE(refused) << size;
    EXPECT_EQ(refused.error().kind, Kind::kCut) << refused.error().what;
  }
}

TEST_F(SnapshotReaderTest, ReplayedManifestIsNamed) {
  const std::string later = snapshot_name(header().created_ms + 1000, header().id);
  one_.objects[later] = one_.objects.at(name());
  const auto refused = SnapshotReader::open(from_one_, later);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::kReplayed);
}

TEST_F(SnapshotReaderTest, ForeignManifestsAreNamed) {
  const auto kind = [&](Expected expected) {
    const auto opened = SnapshotReader::open(from_one_, name(), {.expected = std::move(expected)});
    EXPECT_FALSE(opened);
    return opened ? Kind::kStopped : opened.error().kind;
  };
  const std::string key = samples::node_key().public_key;
  const Expected right{.swarm = facts().swarm, .node_keys = {{3, key}}, .manifest = header().hash};
  EXPECT_TRUE(SnapshotReader::open(from_one_, name(), {.expected = right}));
  EXPECT_EQ(kind({.swarm = std::array<std::byte, 16>{}}), Kind::kForeign);
  EXPECT_EQ(kind({.node_keys = {{4, key}}}), Kind::kForeign);
  EXPECT_EQ(kind({.node_keys = {{3, samples::node_key(8).public_key}}}), Kind::kForeign);
  EXPECT_EQ(kind({.manifest = Digest{}}), Kind::kReplayed);
}

TEST_F(SnapshotReaderTest, EnvelopeOfAnotherEpochIsRefused) {
  const std::string object = epoch_name(header().epoch);
  const RootKey other = samples::root_key(5);
  const auto foreign = seal_envelope(other.commitment(), "", other, recipients_);
  ASSERT_TRUE(one_.put(object, as_octets(encode_envelope(*foreign)), {.replace = true}));
  auto opened = SnapshotReader::open(from_one_, name());
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->unlock(operator_).error().kind, Kind::kForeign);
  one_.objects.erase(object);
  EXPECT_EQ(opened->unlock(operator_).error().kind, Kind::kMissing);
}

TEST_F(SnapshotReaderTest, WholeSnapshotHasNothingWrong) {
  for (const auto depth : {VerifyDepth::kPresent, VerifyDepth::kOctets, VerifyDepth::kData})
    EXPECT_TRUE(verify(depth, {&one_, &two_}).empty());
}

TEST_F(SnapshotReaderTest, DeadTargetIsSaidSo) {
  SnapshotReader all = reader(name(), {&one_, &two_});
  one_.fault = [](std::string_view, const std::string&) -> TargetResult<void> {
    return MemoryTarget::failure(TargetError::Kind::kUnavailable, "one does not answer");
  };
  expect_same(restored(all), contents());
  two_.fault = one_.fault;
  const auto failed =
      all.restore("config", [](std::uint64_t, Bytes) { return std::expected<void, std::string>(); });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, Kind::kTarget);
}

TEST_F(SnapshotReaderTest, SinkThatFailsAndCallerThatStopsEndIt) {
  SnapshotReader some = reader(name(), from_one_);
  const auto full = some.restore("ledger", [](std::uint64_t, Bytes) {
    return std::expected<void, std::string>(std::unexpected("no space"));
  });
  EXPECT_EQ(full.error().what, "part ledger cannot be written: no space");
  SnapshotReader stopping =
      reader(name(), from_one_, {.progress = [](const ReadProgress&) { return false; }});
  const auto stopped =
      stopping.restore("ledger", [](std::uint64_t, Bytes) { return std::expected<void, std::string>(); });
  EXPECT_EQ(stopped.error().kind, Kind::kStopped);
}

}  // namespace
}  // namespace swarmdns::controlplane
