#include "dataplane/simd/chunks.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <random>
#include <vector>

#include "dataplane/net/checksum.h"
#include "proto/dns/fold.h"

namespace swarmdns::simd {
namespace {

// Exactly as long as what is looked at, so that a sanitizer sees a step beyond it.
using Octets = std::vector<std::byte>;

Octets random_octets(std::size_t length, std::mt19937& random) {
  Octets octets(length);
  for (std::byte& octet : octets) octet = static_cast<std::byte>(random());
  octets.shrink_to_fit();
  return octets;
}

TEST(Chunks, EqualSeesEachOctetOfEachLength) {
  std::mt19937 random(1);
  for (std::size_t length = 0; length <= 255; ++length) {
    const Octets one = random_octets(length, random);
    Octets other = one;
    ASSERT_TRUE(equal(one.data(), other.data(), length)) << length;
    for (std::size_t i = 0; i < length; ++i) {
      other[i] ^= std::byte{0x10};
      ASSERT_FALSE(equal(one.data(), other.data(), length)) << length << " at " << i;
      other[i] = one[i];
    }
  }
}

TEST(Chunks, CopyTakesAllAndNoMore) {
  std::mt19937 random(2);
  for (std::size_t length = 0; length <= 700; ++length) {
    const Octets from = random_octets(length, random);
    Octets to(length + 2, std::byte{0xee});
    copy(to.data() + 1, from.data(), length);
    ASSERT_EQ(to.front(), std::byte{0xee});
    ASSERT_EQ(to.back(), std::byte{0xee}) << length;
    ASSERT_TRUE(std::equal(from.begin(), from.end(), to.begin() + 1)) << length;
  }
}

TEST(Chunks, FoldIsThatOfTheWireLibrary) {
  for (unsigned octet = 0; octet < 256; ++octet) {
    std::byte in[kChunk];
    std::byte out[kChunk];
    for (std::size_t i = 0; i < kChunk; ++i) in[i] = static_cast<std::byte>(octet + i);
    store(out, fold(load(in)));
    for (std::size_t i = 0; i < kChunk; ++i) ASSERT_EQ(out[i], dns::fold_octet(in[i])) << octet << ' ' << i;
  }
}

TEST(Chunks, FoldNameFoldsSumsAndPadsEveryLength) {
  std::mt19937 random(3);
  for (std::size_t length = 1; length <= 255; ++length) {
    // With room behind the name, which must not show, and with none at all.
    for (const std::size_t behind : {std::size_t{0}, std::size_t{64}}) {
      const Octets name = random_octets(length + behind, random);
      std::array<std::byte, kFoldedRoom> folded;
      folded.fill(std::byte{0xee});
      const std::uint64_t sum = fold_name(folded.data(), name.data(), length, name.size());
      ASSERT_EQ(net::fold_sum(sum), net::fold_sum(word_sum(name.data(), length))) << length;
      for (std::size_t i = 0; i < length; ++i)
        ASSERT_EQ(folded[i], dns::fold_octet(name[i])) << length << ' ' << i;
      const std::size_t zeros = std::max<std::size_t>(48, (length + 8 + kChunk - 1) / kChunk * kChunk);
      for (std::size_t i = length; i < zeros; ++i) ASSERT_EQ(folded[i], std::byte{0}) << length << ' ' << i;
    }
  }
}

TEST(Chunks, MasksClearWhatTheySay) {
  std::byte in[kChunk];
  for (std::size_t i = 0; i < kChunk; ++i) in[i] = static_cast<std::byte>(i + 1);
  for (std::size_t count = 0; count <= kChunk; ++count) {
    std::byte without[kChunk];
    std::byte only[kChunk];
    store(without, without_first(load(in), count));
    store(only, first_only(load(in), count));
    for (std::size_t i = 0; i < kChunk; ++i) {
      EXPECT_EQ(without[i], i < count ? std::byte{0} : in[i]) << count;
      EXPECT_EQ(only[i], i < count ? in[i] : std::byte{0}) << count;
    }
  }
}

TEST(Chunks, ChunksCoverTheStringAndStayInside) {
  for (std::size_t length = kChunk; length <= 200; ++length) {
    std::vector<bool> covered(length);
    for (std::size_t i = 0; i * kChunk < length; ++i) {
      const std::size_t at = chunk_at(i, length);
      ASSERT_LE(at + kChunk, length);
      for (std::size_t o = 0; o < kChunk; ++o) covered[at + o] = true;
    }
    EXPECT_EQ(std::count(covered.begin(), covered.end(), true), static_cast<std::ptrdiff_t>(length));
  }
}

}  // namespace
}  // namespace swarmdns::simd
