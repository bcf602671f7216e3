#include "proto/dns/bytes.h"

#include <gtest/gtest.h>

#include "tests/unit/proto/dns/helpers.h"

namespace swarmdns::dns {
namespace {

TEST(Bytes, LoadsAreBigEndianAndUnaligned) {
  const auto data = test::hex("ff 0102 0304 0506 0708");
  EXPECT_EQ(load_u8(data.data()), 0xff);
  EXPECT_EQ(load_be16(data.data() + 1), 0x0102);
  EXPECT_EQ(load_be32(data.data() + 1), 0x01020304U);
  EXPECT_EQ(load_be64(data.data() + 1), 0x0102030405060708U);
}

TEST(Bytes, StoresAreTheReverse) {
  test::Octets out(9, std::byte{0});
  store_be64(out.data() + 1, 0x0102030405060708U);
  EXPECT_EQ(out, test::hex("00 0102030405060708"));
  store_be32(out.data() + 1, 0xa1b2c3d4U);
  store_be16(out.data() + 5, 0xe5f6U);
  store_u8(out.data(), 0x99);
  EXPECT_EQ(out, test::hex("99 a1b2c3d4 e5f6 0708"));
}

TEST(Bytes, TextViewsDoNotCopy) {
  const std::string_view text("a\0b", 3);
  const Bytes view = as_octets(text);
  EXPECT_EQ(view.size(), 3U);
  EXPECT_EQ(static_cast<const void*>(view.data()), static_cast<const void*>(text.data()));
  EXPECT_EQ(as_text(view), text);
}

}  // namespace
}  // namespace swarmdns::dns
