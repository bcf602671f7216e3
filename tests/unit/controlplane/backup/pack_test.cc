#include "controlplane/backup/pack.h"

#include "tests/unit/controlplane/backup/samples.h"

namespace swarmdns::controlplane {
namespace {

using Kind = BackupError::Kind;

struct Made {
  std::vector<PackEntry> entries;
  PackWriter::Finished pack;
};
Made make(const RootKey& epoch, std::size_t count) {
  PackWriter writer(epoch);
  const ChunkKeys keys(epoch);
  ChunkCodec codec;
  Made made;
  for (std::size_t i = 0; i < count; ++i) {
    const auto plain = samples::noise(100 + i, static_cast<unsigned>(i));
    const Digest id = chunk_id(keys, plain);
    const std::size_t size = codec.seal(keys, id, plain, writer.octets());
    const std::uint32_t offset = writer.add(id, epoch.id(), size, plain.size());
    made.entries.push_back(
        {id, epoch.id(), offset, static_cast<std::uint32_t>(size), static_cast<std::uint32_t>(plain.size())});
  }
  made.pack = writer.finish();
  EXPECT_TRUE(writer.empty());
  return made;
}

TEST(Pack, DirectoryIsReadBack) {
  const RootKey epoch = samples::root_key(1);
  for (const std::size_t count : {1, 2, 50}) {
    const Made made = make(epoch, count);
    EXPECT_EQ(made.pack.hash, plain_blake(made.pack.octets));
    const auto entries = read_pack_directory(made.pack.octets, epoch, "pack");
    ASSERT_TRUE(entries) << entries.error().what;
    EXPECT_EQ(*entries, made.entries);
  }
}

TEST(Pack, ChunksOfTheDirectoryOpen) {
  const RootKey epoch = samples::root_key(1);
  const Made made = make(epoch, 3);
  ChunkCodec codec;
  std::vector<std::byte> plain;
  for (const PackEntry& entry : made.entries) {
    EXPECT_TRUE(codec.open(ChunkKeys(epoch), entry.id, entry.plain_bytes,
                           Bytes(made.pack.octets).subspan(entry.offset, entry.sealed_bytes), plain));
  }
}

TEST(Pack, AlteredDirectoriesAreRefused) {
  const RootKey epoch = samples::root_key(1);
  const Made made = make(epoch, 3);
  const std::size_t directory = made.entries.back().offset + made.entries.back().sealed_bytes;
  for (std::size_t i = 0; i < made.pack.octets.size(); ++i) {
    if (i >= kPackHead && i < directory) continue;
    auto wrong = made.pack.octets;
    wrong[i] ^= std::byte{1};
    EXPECT_FALSE(read_pack_directory(wrong, epoch, "pack")) << i;
  }
}

TEST(Pack, CutAndLongerOnesAreRefused) {
  const RootKey epoch = samples::root_key(1);
  auto octets = make(epoch, 3).pack.octets;
  for (std::size_t size = 0; size < octets.size(); ++size)
    EXPECT_FALSE(read_pack_directory(Bytes(octets).first(size), epoch, "pack")) << size;
  octets.push_back({});
  EXPECT_FALSE(read_pack_directory(octets, epoch, "pack"));
}

TEST(Pack, ForeignOneIsNamed) {
  const RootKey epoch = samples::root_key(1), other = samples::root_key(2);
  const auto refused = read_pack_directory(make(other, 1).pack.octets, epoch, "packs/x");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::kForeign);
  EXPECT_EQ(refused.error().what,
            "packs/x is foreign: it is of epoch " + other.name() + ", not of " + epoch.name());
}

TEST(Pack, DirectoryThatDoesNotFitItsChunksIsRefused) {
  const RootKey epoch = samples::root_key(1);
  PackWriter writer(epoch);
  writer.octets().resize(writer.octets().size() + 200);
  writer.add({}, epoch.id(), 100, 60);  // not all that is there
  EXPECT_FALSE(read_pack_directory(writer.finish().octets, epoch, "pack"));
  writer.octets().resize(writer.octets().size() + 100);
  writer.add({}, epoch.id(), 100, 0);
  EXPECT_FALSE(read_pack_directory(writer.finish().octets, epoch, "pack"));
}

}  // namespace
}  // namespace swarmdns::controlplane
