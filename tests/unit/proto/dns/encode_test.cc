#include "proto/dns/encode.h"

#include <gtest/gtest.h>

#include "tests/unit/proto/dns/helpers.h"

namespace swarmdns::dns {
namespace {

// RFC 4648 10.
TEST(Encode, VectorsOfRfc4648) {
  const struct {
    const char* plain;
    const char* base64;
    const char* base32hex;
    const char* base16;
  } vectors[] = {
      {"", "", "", ""},
      {"f", "Zg==", "CO", "66"},
      {"fo", "Zm8=", "CPNG", "666F"},
      {"foo", "Zm9v", "CPNMU", "666F6F"},
      {"foob", "Zm9vYg==", "CPNMUOG", "666F6F62"},
      {"fooba", "Zm9vYmE=", "CPNMUOJ1", "666F6F6261"},
      {"foobar", "Zm9vYmFy", "CPNMUOJ1E8", "666F6F626172"},
  };
  for (const auto& v : vectors) {
    EXPECT_EQ(to_base64(as_octets(v.plain)), v.base64);
    EXPECT_EQ(to_base32hex(as_octets(v.plain)), v.base32hex);
    EXPECT_EQ(to_hex(as_octets(v.plain)), v.base16);
  }
  EXPECT_EQ(to_base64(test::hex("fbefbe ffffff")), "++++////");
}

TEST(Encode, QuotedStrings) {
  EXPECT_EQ(to_quoted({}), "\"\"");
  EXPECT_EQ(to_quoted(as_octets("v=spf1 -all; \"x\" \\")), "\"v=spf1 -all; \\\"x\\\" \\\\\"");
  EXPECT_EQ(to_quoted(test::hex("00 1f 20 7e 7f ff")), "\"\\000\\031 ~\\127\\255\"");
}

}  // namespace
}  // namespace swarmdns::dns
