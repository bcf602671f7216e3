#include "proto/dns/fold.h"

#include <gtest/gtest.h>

#include <cctype>
#include <vector>

#include "tests/unit/proto/dns/helpers.h"

namespace swarmdns::dns {
namespace {

using test::Octets;

std::byte slow_fold(std::byte octet) {
  const int v = std::to_integer<int>(octet);
  return v >= 'A' && v <= 'Z' ? static_cast<std::byte>(v + 32) : octet;
}

TEST(Fold, WordChangesOnlyAsciiCapitalsInEveryLane) {
  for (unsigned v = 0; v < 256; ++v) {
    const auto want = std::to_integer<std::uint64_t>(slow_fold(static_cast<std::byte>(v)));
    for (unsigned lane = 0; lane < 8; ++lane) {
      for (const std::uint64_t around : {0ULL, ~0ULL, 0x4141414141414141ULL, 0x7f7f7f7f7f7f7f7fULL}) {
        const std::uint64_t mask = 0xffULL << (8 * lane);
        const std::uint64_t word = (around & ~mask) | (std::uint64_t{v} << (8 * lane));
        EXPECT_EQ((fold_word(word) & mask) >> (8 * lane), want) << v << " in lane " << lane;
      }
    }
  }
}

TEST(Fold, OctetAgreesWithTheDefinition) {
  for (unsigned v = 0; v < 256; ++v) {
    const auto octet = static_cast<std::byte>(v);
    EXPECT_EQ(fold_octet(octet), slow_fold(octet)) << v;
  }
}

TEST(Fold, CopyOfEveryLengthTouchesNothingElse) {
  test::Random random(1);
  for (std::size_t len = 0; len <= 70; ++len) {
    Octets src(len);
    for (auto& octet : src) octet = random.octet();
    Octets dst(len + 2, std::byte{0xee});
    fold_copy(dst.data() + 1, src.data(), len);
    EXPECT_EQ(dst.front(), std::byte{0xee});
    EXPECT_EQ(dst.back(), std::byte{0xee});
    for (std::size_t i = 0; i < len; ++i) EXPECT_EQ(dst[i + 1], slow_fold(src[i])) << len << " " << i;
    // In place gives the same.
    Octets in_place = src;
    fold_copy(in_place.data(), in_place.data(), len);
    EXPECT_TRUE(std::equal(in_place.begin(), in_place.end(), dst.begin() + 1));
  }
}

TEST(Fold, EqualSeesEachDifferenceButNotCase) {
  for (std::size_t len = 1; len <= 20; ++len) {
    const Octets lower(len, std::byte{'q'});
    const Octets upper(len, std::byte{'Q'});
    EXPECT_TRUE(fold_equal(lower.data(), upper.data(), len));
    for (std::size_t i = 0; i < len; ++i) {
      Octets other = upper;
      other[i] = std::byte{'R'};
      EXPECT_FALSE(fold_equal(lower.data(), other.data(), len)) << len << " " << i;
    }
  }
  // '@' and '`', '[' and '{' differ by the case bit but are no letters.
  EXPECT_FALSE(fold_equal(as_octets("@").data(), as_octets("`").data(), 1));
  EXPECT_FALSE(fold_equal(as_octets("[").data(), as_octets("{").data(), 1));
  EXPECT_TRUE(fold_equal(nullptr, nullptr, 0));
}

TEST(Fold, NeverChangesLengthOctetsOfAName) {
  for (unsigned length = 0; length <= 63; ++length) {
    EXPECT_EQ(fold_octet(static_cast<std::byte>(length)), static_cast<std::byte>(length));
  }
}

}  // namespace
}  // namespace swarmdns::dns
