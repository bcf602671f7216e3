// The test vectors of docs/formats/backup.md, which another program has made: this one must give the same
// octets, or, where it draws at random, read them.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

#include "controlplane/backup/base32.h"
#include "controlplane/backup/chunk.h"
#include "controlplane/backup/chunker.h"
#include "controlplane/backup/envelope.h"
#include "controlplane/backup/manifest.h"
#include "controlplane/backup/pack.h"
#include "controlplane/ledger/hash.h"
#include "tests/unit/controlplane/backup/samples.h"

namespace swarmdns::controlplane {
namespace {

// Lines "name hex value" between the marks.
std::map<std::string, std::string> vectors() {
  std::ifstream in(SWARMDNS_SOURCE_ROOT "/docs/formats/backup.md");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const std::size_t begin = text.find("<!-- vectors");
  std::istringstream lines(begin == std::string::npos ? "" : text.substr(begin));
  std::map<std::string, std::string> found;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name, kind, value;
    if (words >> name >> kind >> value && kind == "hex") found[name] = value;
  }
  return found;
}

std::string octets(const std::string& name) {
  return from_hex(vectors()[name]).value_or("");
}

std::vector<std::byte> stream() {
  std::vector<std::byte> all;
  for (std::uint32_t i = 0; i < 1 << 15; ++i) {
    std::string number;
    append_be32(number, i);
    const Hash hash = sha256({as_octets(number)});
    all.insert(all.end(), hash.begin(), hash.end());
  }
  return all;
}

std::string cuts(const RootKey& key) {
  const Chunker chunker(key);
  const auto data = stream();
  std::string sizes;
  for (Bytes left = data; !left.empty();) {
    const std::size_t size = chunker.cut(left);
    append_be32(sizes, static_cast<std::uint32_t>(size));
    left = left.subspan(size);
  }
  return sizes;
}

TEST(BackupFormat, VectorsOfTheDocumentAreOurs) {
  const RootKey epoch = samples::root_key(1), day = samples::root_key(60);
  const OperatorKey key = samples::operator_key(10);
  const Digest part_chunk = chunk_id(ChunkKeys(epoch), as_octets(samples::filled(100, 3)));
  PartHash part;
  part.add(part_chunk, 100);
  std::map<std::string, std::string> made = {
      {"epoch.key", std::string(epoch.octets().view())},
      {"epoch.commitment", as_string(epoch.commitment())},
      {"day.key", std::string(day.octets().view())},
      {"day.commitment", as_string(day.commitment())},
      {"operator.secret", std::string(key.secret.view())},
      {"operator.recipient", as_string(key.recipient.key)},
      {"recipient.text", key.recipient.text()},
      {"recipient.id", as_string(key.recipient.id())},
      {"recovery.form", std::string(recovery_form(key.secret).view())},
      {"boundaries.cuts", cuts(epoch)},
      {"chunk.raw.id", as_string(part_chunk)},
      {"chunk.zstd.id", as_string(chunk_id(ChunkKeys(day), as_octets(std::string(200, 'a'))))},
      {"part.hash", as_string(part.finish())},
      {"pack.hash", as_string(plain_blake(as_octets(octets("pack"))))},
      {"manifest.name", snapshot_name(1'795'391'885'123, *array_from<8>(samples::filled(8, 0xa0)))},
  };
  for (const char* use : {"boundaries", "chunk id", "chunk", "manifest", "directory"}) {
    std::string name = std::string("derived.") + use;
    std::ranges::replace(name, ' ', '-');
    made[name] = epoch.derived(use).view();
  }
  const auto written = vectors();
  for (const auto& [name, value] : made) {
    const auto found = written.find(name);
    ASSERT_NE(found, written.end()) << name;
    EXPECT_EQ(to_hex(as_octets(value)), found->second) << name;
  }
  EXPECT_EQ(written.size(), made.size() + 9) << "some vector is compared by nobody";
}

TEST(BackupFormat, ChunksAndPackOfTheDocumentAreRead) {
  const RootKey epoch = samples::root_key(1), day = samples::root_key(60);
  ChunkCodec codec;
  std::vector<std::byte> plain;
  const auto open = [&](const RootKey& root, const std::string& name, std::size_t size) {
    const auto done = codec.open(ChunkKeys(root), *array_from<32>(octets(name + ".id")), size,
                                 as_octets(octets(name + ".sealed")), plain);
    EXPECT_TRUE(done) << name << " " << done.error().what;
    return as_string(plain);
  };
  EXPECT_EQ(open(epoch, "chunk.raw", 100), samples::filled(100, 3));
  EXPECT_EQ(open(day, "chunk.zstd", 200), std::string(200, 'a'));
  const std::string pack = octets("pack");
  const auto entries = read_pack_directory(as_octets(pack), epoch, "pack");
  ASSERT_TRUE(entries) << entries.error().what;
  ASSERT_EQ(entries->size(), 2u);
  EXPECT_EQ((*entries)[1].key, day.id());
  EXPECT_EQ(pack.substr((*entries)[1].offset, (*entries)[1].sealed_bytes), octets("chunk.zstd.sealed"));
}

TEST(BackupFormat, EnvelopesOfTheDocumentOpen) {
  for (const unsigned start : {10, 20}) {
    const OperatorKey key = samples::operator_key(start);
    const std::string of_epoch = octets("envelope.epoch");
    const auto epoch = decode_envelope(as_octets(of_epoch), "e");
    ASSERT_TRUE(epoch) << epoch.error().what;
    EXPECT_EQ(encode_envelope(*epoch), of_epoch);
    EXPECT_EQ(as_string(envelope_hash(*epoch)), octets("envelope.hash"));
    const auto opened = open_envelope(*epoch, key, "e");
    ASSERT_TRUE(opened) << opened.error().what;
    EXPECT_EQ(opened->octets().view(), octets("epoch.key"));
    const auto day = decode_envelope(as_octets(octets("envelope.day")), "d");
    ASSERT_TRUE(day) << day.error().what;
    EXPECT_EQ(day->day, "2026-11-22");
    EXPECT_EQ(open_envelope(*day, key, "d")->octets().view(), octets("day.key"));
  }
}

TEST(BackupFormat, ManifestOfTheDocumentIsRead) {
  const RootKey epoch = samples::root_key(1);
  const std::string manifest = octets("manifest"), name = octets("manifest.name");
  const auto header = read_manifest_front(as_octets(manifest), name);
  ASSERT_TRUE(header) << header.error().what;
  EXPECT_EQ(as_string(header->hash), octets("manifest.hash"));
  EXPECT_EQ(header->bytes, manifest.size());
  EXPECT_EQ(header->ledger.height, 77u);
  EXPECT_EQ(header->recipients.size(), 2u);
  const auto frame = [&](std::size_t number) {
    return as_octets(manifest).subspan(header->frames[number].offset, header->frames[number].bytes);
  };
  for (const std::size_t number : {0, 1}) EXPECT_TRUE(check_frame(*header, number, frame(number), name));
  const auto parts = read_parts(*header, frame(0), epoch, name);
  ASSERT_TRUE(parts) << parts.error().what;
  ASSERT_EQ(parts->size(), 2u);
  EXPECT_EQ((*parts)[1].day, "2026-11-22");
  EXPECT_EQ(as_string((*parts)[0].hash), octets("part.hash"));
  const auto chunks = read_chunks(*header, 1, frame(1), epoch, name);
  ASSERT_TRUE(chunks) << chunks.error().what;
  EXPECT_EQ(as_string((*chunks)[0].id), octets("chunk.raw.id"));
  // The same header is signed the same here: Ed25519 draws nothing.
  const std::string signature = octets("manifest.signature");
  EXPECT_NE(manifest.find(signature), std::string::npos);
  EXPECT_EQ(
      samples::node_key().sign(std::string("swarmdns backup signature v1\0", 29) + as_string(header->hash)),
      signature);
}

}  // namespace
}  // namespace swarmdns::controlplane
