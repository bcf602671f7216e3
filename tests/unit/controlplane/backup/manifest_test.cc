#include "controlplane/backup/manifest.h"

#include "tests/unit/controlplane/backup/samples.h"

namespace swarmdns::controlplane {
namespace {

using Kind = BackupError::Kind;

struct Sample {
  RootKey epoch = samples::root_key(1);
  std::vector<SnapshotPart> parts;
  std::vector<ChunkRef> chunks;
  WrittenManifest written;

  explicit Sample(std::size_t of_cache = 10) {
    ManifestHeader header;
    header.swarm = *array_from<16>(samples::filled(16, 0xa0));
    header.incarnation = 2;
    header.node = 3;
    header.id = *array_from<8>(samples::filled(8, 5));
    header.created_ms = 1'795'391'885'123;
    header.ledger = {.height = 77, .block = plain_blake({}), .state = plain_blake(as_octets("s"))};
    header.epoch = epoch.commitment();
    header.recipients = {samples::operator_key(10).recipient.id()};
    header.previous = samples::filled(32, 9);
    header.packs = {{plain_blake(as_octets("a")), 1 << 20}, {plain_blake(as_octets("b")), 2 << 20}};
    header.stored_bytes = 3 << 20;
    add_part("config", "configuration", "", 1);
    add_part("cache/0", "cache", "2026-11-22", of_cache);
    add_part("empty", "nothing", "", 0);
    written = write_manifest(header, parts, chunks, epoch, samples::node_key());
  }

  void add_part(const std::string& name, const std::string& kind, const std::string& day, std::size_t count) {
    SnapshotPart part{.name = name, .kind = kind, .day = day, .first_chunk = chunks.size(), .chunks = count};
    if (!day.empty()) part.key = samples::root_key(50).commitment();
    PartHash hash;
    for (std::size_t i = 0; i < count; ++i) {
      const ChunkRef chunk{plain_blake(as_octets(name + std::to_string(i))),
                           static_cast<std::uint32_t>(i % 2), static_cast<std::uint32_t>(48 + i), 200,
                           static_cast<std::uint32_t>(150 + i % 10)};
      hash.add(chunk.id, chunk.plain_bytes);
      part.bytes += chunk.plain_bytes;
      chunks.push_back(chunk);
    }
    part.hash = hash.finish();
    parts.push_back(part);
  }

  std::string name() const { return written.header.name(); }
  Bytes frame(std::size_t number) const {
    const FrameRef& frame = written.header.frames[number];
    return as_octets(written.octets).subspan(frame.offset, frame.bytes);
  }
};

TEST(Manifest, IsReadBack) {
  const Sample sample(kFrameChunks + 5);
  const auto header = read_manifest_front(as_octets(sample.written.octets), sample.name());
  ASSERT_TRUE(header) << header.error().what;
  EXPECT_EQ(header->swarm, sample.written.header.swarm);
  EXPECT_EQ(header->incarnation, 2u);
  EXPECT_EQ(header->node, 3u);
  EXPECT_EQ(as_text(header->node_key), samples::node_key().public_key);
  EXPECT_EQ(header->created_ms, 1'795'391'885'123);
  EXPECT_EQ(header->ledger, sample.written.header.ledger);
  EXPECT_EQ(header->epoch, sample.epoch.commitment());
  EXPECT_EQ(header->recipients, sample.written.header.recipients);
  EXPECT_EQ(header->previous, samples::filled(32, 9));
  EXPECT_EQ(header->packs, sample.written.header.packs);
  EXPECT_EQ(header->frames, sample.written.header.frames);
  EXPECT_EQ(header->frames.size(), 3u);
  EXPECT_EQ(header->hash, sample.written.header.hash);
  EXPECT_EQ(header->bytes, sample.written.octets.size());
  const auto parts = read_parts(*header, sample.frame(0), sample.epoch, sample.name());
  ASSERT_TRUE(parts) << parts.error().what;
  EXPECT_EQ(*parts, sample.parts);
  std::vector<ChunkRef> chunks;
  for (std::size_t i = 1; i < header->frames.size(); ++i) {
    ASSERT_TRUE(check_frame(*header, i, sample.frame(i), sample.name()));
    const auto some = read_chunks(*header, i, sample.frame(i), sample.epoch, sample.name());
    ASSERT_TRUE(some) << some.error().what;
    chunks.insert(chunks.end(), some->begin(), some->end());
  }
  EXPECT_EQ(chunks, sample.chunks);
}

TEST(Manifest, EveryAlteredOctetOfTheFrontIsSeen) {
  const Sample sample;
  const std::string front = sample.written.octets.substr(0, sample.written.header.frames[0].offset);
  for (std::size_t i = 0; i < front.size(); ++i) {
    std::string wrong = front;
    wrong[i] = static_cast<char>(wrong[i] ^ 1);
    EXPECT_FALSE(read_manifest_front(as_octets(wrong), sample.name())) << i;
  }
}

TEST(Manifest, CutOnesAreRefused) {
  const Sample sample;
  const std::size_t front = sample.written.header.frames[0].offset;
  for (std::size_t size = 0; size < front; ++size) {
    const auto refused = read_manifest_front(as_octets(sample.written.octets.substr(0, size)), sample.name());
    ASSERT_FALSE(refused) << size;
    EXPECT_EQ(refused.error().kind, Kind::kCut) << size;
  }
}

TEST(Manifest, UnderAnotherNameItIsReplayed) {
  const Sample sample;
  const auto refused =
      read_manifest_front(as_octets(sample.written.octets), "snapshots/20271122t235805z-0506070809101112");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::kReplayed);
  EXPECT_NE(refused.error().what.find("it is the manifest " + sample.name()), std::string::npos);
}

TEST(Manifest, FramesAlteredReorderedCutAreNamed) {
  const Sample sample(2 * kFrameChunks + 5);
  const auto& header = sample.written.header;
  std::string wrong = as_string(sample.frame(1));
  wrong[30] = static_cast<char>(wrong[30] ^ 1);
  EXPECT_EQ(check_frame(header, 1, as_octets(wrong), "m").error().what, "frame 1 of m was altered");
  const auto reordered = check_frame(header, 1, sample.frame(2), "m").error();
  EXPECT_EQ(reordered.kind, Kind::kReordered);
  EXPECT_EQ(reordered.what, "frame 1 of m is reordered: frame 2 is in its place");
  EXPECT_EQ(check_frame(header, 1, sample.frame(1).first(100), "m").error().kind, Kind::kCut);
}

TEST(Manifest, AnotherEpochsKeyDoesNotOpenIt) {
  const Sample sample;
  const auto refused = read_parts(sample.written.header, sample.frame(0), samples::root_key(2), "m");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::kWrongKey);
}

TEST(Manifest, PartsThatMakeNoSenseAreRefused) {
  const auto error = [](auto&& change) {
    Sample sample;
    change(sample);
    sample.written =
        write_manifest(sample.written.header, sample.parts, sample.chunks, sample.epoch, samples::node_key());
    const auto parts = read_parts(sample.written.header, sample.frame(0), sample.epoch, "m");
    return parts ? std::string() : parts.error().what;
  };
  EXPECT_EQ(error([](Sample&) {}), "");
  EXPECT_NE(error([](Sample& s) { s.parts[1].name = "config"; }), "");
  EXPECT_NE(error([](Sample& s) { s.parts[1].name = "../config"; }), "");
  EXPECT_NE(error([](Sample& s) { s.parts[1].name = ""; }), "");
  EXPECT_NE(error([](Sample& s) { s.parts[1].day = "2026-13-01"; }), "");
  EXPECT_NE(error([](Sample& s) { s.parts[1].first_chunk = 0; }), "");
  EXPECT_NE(error([](Sample& s) { s.parts[1].chunks = 11; }), "");
  EXPECT_NE(error([](Sample& s) { s.parts.pop_back(), s.parts.pop_back(); }), "");
  EXPECT_NE(error([](Sample& s) { s.parts[1].bytes = 1; }), "");
}

TEST(Manifest, ChunksOutsideTheirPacksAreRefused) {
  const auto refused = [](auto&& change) {
    Sample sample;
    change(sample.chunks[3]);
    sample.written =
        write_manifest(sample.written.header, sample.parts, sample.chunks, sample.epoch, samples::node_key());
    return !read_chunks(sample.written.header, 1, sample.frame(1), sample.epoch, "m");
  };
  EXPECT_FALSE(refused([](ChunkRef&) {}));
  EXPECT_TRUE(refused([](ChunkRef& c) { c.pack = 2; }));
  EXPECT_TRUE(refused([](ChunkRef& c) { c.offset = 47; }));
  EXPECT_TRUE(refused([](ChunkRef& c) { c.offset = 0xffffffff; }));
  EXPECT_TRUE(refused([](ChunkRef& c) { c.plain_bytes = 0; }));
  EXPECT_TRUE(refused([](ChunkRef& c) { c.sealed_bytes = 1 << 30; }));
}

TEST(PartName, IsARelativePath) {
  for (const char* name : {"config", "zones/example.org", "a..b", "~"})
    EXPECT_TRUE(valid_part_name(name)) << name;
  for (const char* name : {"", "/etc", "a/", "a//b", "..", "a/../b", "./a", "a b", "\x7f"})
    EXPECT_FALSE(valid_part_name(name)) << name;
}

}  // namespace
}  // namespace swarmdns::controlplane
