#include "proto/dns/reader.h"

#include <gtest/gtest.h>

#include "proto/dns/name_text.h"
#include "tests/unit/proto/dns/helpers.h"

namespace swarmdns::dns {
namespace {

using test::hex;

TEST(Reader, ReadsInOrder) {
  const auto data = hex("01 0203 04050607 08090a0b0c0d0e0f 03 616263 ff");
  Reader reader(data);
  std::uint8_t a = 0;
  std::uint16_t b = 0;
  std::uint32_t c = 0;
  std::uint64_t d = 0;
  Bytes text;
  ASSERT_TRUE(reader.u8(a) && reader.u16(b) && reader.u32(c) && reader.u64(d) &&
              reader.character_string(text));
  EXPECT_EQ(a, 1);
  EXPECT_EQ(b, 0x0203);
  EXPECT_EQ(c, 0x04050607U);
  EXPECT_EQ(d, 0x08090a0b0c0d0e0fU);
  EXPECT_EQ(as_text(text), "abc");
  EXPECT_EQ(reader.remaining(), 1U);
  EXPECT_TRUE(reader.skip(1));
  EXPECT_TRUE(reader.at_end());
}

TEST(Reader, AFailedReadMovesNothing) {
  const auto data = hex("05 61 62");
  Reader reader(data);
  std::uint32_t n32 = 77;
  std::uint64_t n64 = 77;
  Bytes bytes;
  EXPECT_FALSE(reader.u32(n32));
  EXPECT_FALSE(reader.u64(n64));
  EXPECT_EQ(n32, 77U);
  EXPECT_FALSE(reader.bytes(4, bytes));
  EXPECT_FALSE(reader.bytes(static_cast<std::size_t>(-1), bytes));
  EXPECT_FALSE(reader.character_string(bytes));
  EXPECT_FALSE(reader.skip(4));
  EXPECT_EQ(reader.offset(), 0U);
  EXPECT_TRUE(reader.bytes(3, bytes));
  std::uint8_t n8 = 0;
  std::uint16_t n16 = 0;
  EXPECT_FALSE(reader.u8(n8));
  EXPECT_FALSE(reader.u16(n16));
  EXPECT_FALSE(reader.character_string(bytes));
  EXPECT_TRUE(reader.bytes(0, bytes));
}

TEST(Reader, StartsNoFurtherThanTheEnd) {
  const auto data = hex("0102");
  EXPECT_TRUE(Reader(data, 100).at_end());
  EXPECT_EQ(Reader(data, 1).remaining(), 1U);
}

TEST(Reader, NamesCountPointersFromTheStart) {
  const auto data = test::header(0, 0, 0, 0, 0) + test::wire("a.b.") + hex("01 63 c00c ff");
  Reader reader(data, 12);
  const auto plain = reader.plain_name();
  ASSERT_TRUE(plain);
  EXPECT_EQ(to_text(*plain), "a.b.");
  EXPECT_EQ(reader.plain_name().error(), Error::CompressionForbidden);
  Name compressed;
  ASSERT_TRUE(reader.name(compressed));
  EXPECT_EQ(to_text(compressed), "c.a.b.");
  EXPECT_EQ(reader.remaining(), 1U);
  EXPECT_FALSE(reader.name(compressed));
  EXPECT_EQ(reader.remaining(), 1U);
}

}  // namespace
}  // namespace swarmdns::dns
