#include "controlplane/backup/chunk.h"

#include "controlplane/backup/chunker.h"
#include "tests/unit/controlplane/backup/samples.h"

namespace swarmdns::controlplane {
namespace {

using Kind = BackupError::Kind;

struct Sealed {
  Digest id{};
  std::vector<std::byte> octets;
};
Sealed seal(const ChunkKeys& keys, Bytes plain) {
  Sealed sealed{.id = chunk_id(keys, plain), .octets = {}};
  ChunkCodec codec;
  const std::size_t size = codec.seal(keys, sealed.id, plain, sealed.octets);
  EXPECT_EQ(size, sealed.octets.size());
  EXPECT_TRUE(plausible_sealed_size(plain.size(), sealed.octets.size()));
  return sealed;
}

TEST(Padme, AddsAnEighthAtMost) {
  for (std::size_t length = 1; length < 300'000; length += 1 + length / 37) {
    EXPECT_GE(padme(length), length);
    EXPECT_LE((padme(length) - length) * 100, length * 12 + 99);
    EXPECT_EQ(padme(padme(length)), padme(length));
  }
  EXPECT_EQ(padme(9), 10u);
  EXPECT_EQ(padme(1'000'000), 1'015'808u);
}

TEST(Chunk, IsOpenedAgain) {
  const ChunkKeys keys(samples::root_key(1));
  ChunkCodec codec;
  std::vector<std::byte> plain;
  for (const std::size_t size :
       {std::size_t{1}, std::size_t{2}, std::size_t{1000}, kAverageChunk, kMostChunk}) {
    for (const auto& octets : {samples::noise(size), samples::lines(size)}) {
      const Sealed sealed = seal(keys, octets);
      const auto opened = codec.open(keys, sealed.id, size, sealed.octets, plain);
      ASSERT_TRUE(opened) << opened.error().what;
      EXPECT_EQ(plain, octets);
    }
  }
}

TEST(Chunk, TextGetsSmaller) {
  const ChunkKeys keys(samples::root_key(1));
  EXPECT_LT(seal(keys, samples::lines(kAverageChunk)).octets.size(), kAverageChunk / 2);
}

TEST(Chunk, SameOctetsAreNeverSealedTheSame) {
  const ChunkKeys keys(samples::root_key(1));
  const auto octets = samples::noise(1000);
  EXPECT_NE(seal(keys, octets).octets, seal(keys, octets).octets);
  EXPECT_EQ(seal(keys, octets).id, seal(keys, octets).id);
  EXPECT_NE(seal(keys, octets).id, seal(ChunkKeys(samples::root_key(2)), octets).id);
}

TEST(Chunk, AlteredCutForeignAndMisplacedAreRefused) {
  const ChunkKeys keys(samples::root_key(1));
  const auto octets = samples::noise(500), others = samples::noise(500, 2);
  const Sealed sealed = seal(keys, octets), other = seal(keys, others);
  ChunkCodec codec;
  std::vector<std::byte> plain;
  for (std::size_t i = 0; i < sealed.octets.size(); ++i) {
    auto wrong = sealed.octets;
    wrong[i] ^= std::byte{1};
    EXPECT_EQ(codec.open(keys, sealed.id, 500, wrong, plain).error().kind, Kind::kAltered) << i;
  }
  for (std::size_t size = 0; size < sealed.octets.size(); ++size)
    EXPECT_FALSE(codec.open(keys, sealed.id, 500, Bytes(sealed.octets).first(size), plain)) << size;
  EXPECT_EQ(codec.open(keys, sealed.id, 500, other.octets, plain).error().kind, Kind::kAltered);
  EXPECT_EQ(codec.open(ChunkKeys(samples::root_key(2)), sealed.id, 500, sealed.octets, plain).error().kind,
            Kind::kAltered);
  EXPECT_EQ(codec.open(keys, sealed.id, 499, sealed.octets, plain).error().kind, Kind::kAltered);
  EXPECT_EQ(codec.open(keys, sealed.id, 10, sealed.octets, plain).error().kind, Kind::kCut);
}

TEST(Chunk, WhatItHoldsIsComparedWithItsId) {
  const ChunkKeys keys(samples::root_key(1));
  const auto octets = samples::noise(500);
  const Digest wrong = chunk_id(keys, samples::noise(500, 2));
  ChunkCodec codec;
  std::vector<std::byte> sealed, plain;
  codec.seal(keys, wrong, octets, sealed);
  const auto refused = codec.open(keys, wrong, 500, sealed, plain);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().what, "does not hold what its id says: it was made by a program that is wrong");
}

}  // namespace
}  // namespace swarmdns::controlplane
