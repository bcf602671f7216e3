#include "proto/dns/cookie.h"

#include <gtest/gtest.h>

#include "tests/unit/proto/dns/helpers.h"

namespace swarmdns::dns {
namespace {

using test::hex;
using test::Octets;

// RFC 9018 appendix A.1.
TEST(ServerCookie, LayoutOfRfc9018) {
  const Octets wire = hex("01000000 5cf79f11 1f8130c3eee29480");
  const auto cookie = ServerCookie::parse(wire);
  ASSERT_TRUE(cookie);
  EXPECT_EQ(cookie->version, 1);
  EXPECT_EQ(cookie->reserved, 0U);
  EXPECT_EQ(cookie->timestamp, 1559731985U);
  EXPECT_EQ(Octets(cookie->hash.begin(), cookie->hash.end()), hex("1f8130c3eee29480"));
  Octets back(16);
  cookie->serialise(std::span<std::byte, 16>(back.data(), 16));
  EXPECT_EQ(back, wire);
}

// Appendix A.3 has reserved bits set, which must be kept for the hash.
TEST(ServerCookie, ReservedBitsAreKept) {
  const auto cookie = ServerCookie::parse(hex("01abcdef 5cf78f71 a314227b6679ebf5"));
  ASSERT_TRUE(cookie);
  EXPECT_EQ(cookie->reserved, 0xabcdefU);
  const auto input = cookie_hash_input(hex("fc93fc62807ddb86"), *cookie, hex("cb0071cb"));
  ASSERT_TRUE(input);
  const Bytes octets = input->bytes();
  EXPECT_EQ(Octets(octets.begin(), octets.end()), hex("fc93fc62807ddb86 01abcdef 5cf78f71 cb0071cb"));
}

TEST(ServerCookie, OtherSizesAreNotOurs) {
  for (const std::size_t size : {0, 8, 15, 17, 32}) {
    EXPECT_EQ(ServerCookie::parse(Octets(size)).error(), Error::BadOption) << size;
  }
}

TEST(ServerCookie, HashInputTakesBothFamilies) {
  const ServerCookie cookie;
  EXPECT_EQ(cookie_hash_input(Octets(8), cookie, Octets(4))->size, 20U);
  EXPECT_EQ(cookie_hash_input(Octets(8), cookie, Octets(16))->size, 32U);
  EXPECT_FALSE(cookie_hash_input(Octets(7), cookie, Octets(4)));
  EXPECT_FALSE(cookie_hash_input(Octets(8), cookie, Octets(5)));
}

TEST(ServerCookie, TimeWindowOfRfc9018Section43) {
  const std::uint32_t now = 1559731985U;
  EXPECT_TRUE(cookie_time_ok(now, now));
  EXPECT_TRUE(cookie_time_ok(now - 3600, now));
  EXPECT_FALSE(cookie_time_ok(now - 3601, now));
  EXPECT_TRUE(cookie_time_ok(now + 300, now));
  EXPECT_FALSE(cookie_time_ok(now + 301, now));
}

TEST(ServerCookie, TimeWrapsIn2106) {
  EXPECT_EQ(cookie_age(0xfffffff0U, 0x10U), 0x20);
  EXPECT_TRUE(cookie_time_ok(0xfffffff0U, 0x10U));
  EXPECT_TRUE(cookie_time_ok(0x10U, 0xfffffff0U));  // 32 s ahead, across the wrap
  EXPECT_FALSE(cookie_time_ok(0x80000000U, 0U));
}

}  // namespace
}  // namespace swarmdns::dns
