#include "controlplane/ledger/octets.h"

#include <gtest/gtest.h>

namespace swarmdns::controlplane {
namespace {

TEST(LedgerOctets, IntegersAreBigEndian) {
  std::string out;
  append_be32(out, 0x01020304);
  append_be64(out, 0xF1F2F3F4F5F6F7F8);
  EXPECT_EQ(to_hex(as_octets(out)), "01020304f1f2f3f4f5f6f7f8");
  OctetReader reader(as_octets(out));
  EXPECT_EQ(reader.be32(), 0x01020304u);
  EXPECT_EQ(reader.be64(), 0xF1F2F3F4F5F6F7F8u);
  EXPECT_TRUE(reader.complete());
}

TEST(LedgerOctets, ReaderStopsAtTheEnd) {
  const std::string three = "abc";
  OctetReader reader(as_octets(three));
  EXPECT_EQ(as_text(reader.take(2)), "ab");
  EXPECT_FALSE(reader.complete());
  EXPECT_EQ(reader.be32(), 0u);
  EXPECT_FALSE(reader.ok());
  // Not even what would still be there.
  EXPECT_TRUE(reader.take(1).empty());
  EXPECT_FALSE(reader.complete());
}

TEST(LedgerOctets, Base64IsRfc4648) {
  EXPECT_EQ(to_base64(as_octets("")), "");
  EXPECT_EQ(to_base64(as_octets("f")), "Zg==");
  EXPECT_EQ(to_base64(as_octets("foobar")), "Zm9vYmFy");
  EXPECT_EQ(to_base64(as_octets("\xfb\xff")), "+/8=");
  EXPECT_EQ(from_base64("Zm9vYmE="), "fooba");
  EXPECT_EQ(from_base64(""), "");
}

TEST(LedgerOctets, Base64HasOneSpelling) {
  for (const char* bad :
       {"Zg", "Zg=", "Zh==", "Zg===", "Zg==\n", " Zg==", "Zg==Zg==", "-_8=", "Z", "====", "Zm9vYmF="})
    EXPECT_EQ(from_base64(bad), std::nullopt) << bad;
}

// Octets above 0x7F were taken for '+' and '/'.
TEST(LedgerOctets, Base64TakesNoOtherOctetForALetter) {
  const std::string letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (int octet = 0; octet < 256; ++octet) {
    const std::string text = std::string("AA") + static_cast<char>(octet) + "A";
    EXPECT_EQ(from_base64(text).has_value(), letters.find(static_cast<char>(octet)) != std::string::npos)
        << octet;
  }
}

TEST(LedgerOctets, HexHasOneSpelling) {
  EXPECT_EQ(from_hex("00ff10"), std::string("\x00\xff\x10", 3));
  EXPECT_EQ(from_hex(""), "");
  for (const char* bad : {"0", "0G", "FF", "0x", "00 "}) EXPECT_EQ(from_hex(bad), std::nullopt) << bad;
}

TEST(LedgerOctets, DecimalsHaveOneSpelling) {
  EXPECT_EQ(from_decimal("0"), 0u);
  EXPECT_EQ(from_decimal("18446744073709551615"), UINT64_MAX);
  EXPECT_EQ(from_decimal("100", 100), 100u);
  for (const char* bad : {"", "00", "01", "+1", "-1", " 1", "1 ", "1a", "18446744073709551616"})
    EXPECT_EQ(from_decimal(bad), std::nullopt) << bad;
  EXPECT_EQ(from_decimal("101", 100), std::nullopt);
}

TEST(LedgerOctets, ArraysAreOfTheirLength) {
  EXPECT_TRUE(array_from<4>("abcd"));
  EXPECT_FALSE(array_from<4>("abc"));
  EXPECT_FALSE(array_from<4>("abcde"));
}

}  // namespace
}  // namespace swarmdns::controlplane
