#include "dataplane/net/checksum.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/packet/harness/bytes.h"

namespace swarmdns::net {
namespace {

// A partial sum as the checksum field would hold it, in host order.
unsigned as_checksum(std::uint16_t partial) {
  return __builtin_bswap16(static_cast<std::uint16_t>(~partial));
}

TEST(Checksum, EqualsThePlainAlgorithmForEveryLength) {
  std::mt19937 random(1);
  test::Octets octets(1600);
  for (std::byte& octet : octets) octet = static_cast<std::byte>(random());
  for (std::size_t length = 0; length <= octets.size(); ++length) {
    const auto part = std::span(octets).first(length);
    ASSERT_EQ(as_checksum(sum_bytes(part.data(), length)), test::internet_checksum(part)) << length;
  }
}

TEST(Checksum, NoCarryIsLostOnTheWorstInput) {
  const test::Octets ones(65535, std::byte{0xff});
  EXPECT_EQ(as_checksum(sum_bytes(ones.data(), ones.size())), test::internet_checksum(ones));
  EXPECT_EQ(fold_sum(~std::uint64_t{0}), 0xffff);
  EXPECT_EQ(fold_sum(0), 0);
  EXPECT_EQ(fold_sum(0xffff), 0xffff);
  EXPECT_EQ(fold_sum(0x10000), 1);
  EXPECT_EQ(fold_sum(0xffffffff0000ffff), 0xffff);
}

TEST(Checksum, PartsAddUpWhereverTheyBegin) {
  std::mt19937 random(2);
  test::Octets octets(97);
  for (std::byte& octet : octets) octet = static_cast<std::byte>(random());
  for (std::size_t cut = 0; cut <= octets.size(); ++cut) {
    const std::uint16_t first = sum_bytes(octets.data(), cut);
    const std::uint16_t second = sum_bytes(octets.data() + cut, octets.size() - cut);
    EXPECT_EQ(as_checksum(fold_sum(first + sum_at(second, cut))), test::internet_checksum(octets)) << cut;
  }
}

}  // namespace
}  // namespace swarmdns::net
