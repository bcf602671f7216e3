#include "dataplane/net/address.h"

#include <gtest/gtest.h>

namespace swarmdns::net {
namespace {

TEST(Address, KnowsIpv4FromIpv6) {
  EXPECT_TRUE(Address::parse("192.0.2.1")->is_v4());
  EXPECT_FALSE(Address::parse("2001:db8::1")->is_v4());
  EXPECT_FALSE(Address::parse("::1")->is_v4());
  EXPECT_FALSE(Address::parse("::")->is_v4());
  EXPECT_EQ(Address::parse("192.0.2.1")->octets().size(), 4U);
  EXPECT_EQ(Address::parse("2001:db8::1")->octets().size(), 16U);
}

TEST(Address, TextGoesThereAndBack) {
  for (const char* text :
       {"0.0.0.0", "255.255.255.255", "10.53.1.1", "::", "::1", "fd53:1::1", "2001:db8::ff00:42:8329"}) {
    ASSERT_TRUE(Address::parse(text)) << text;
    EXPECT_EQ(Address::parse(text)->to_text(), text);
  }
}

TEST(Address, RefusesWhatIsNone) {
  for (const char* text : {"", "1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "2001:db8", "2001:db8::1/64", ":::",
                           " 1.2.3.4", "1111:2222:3333:4444:5555:6666:7777:8888:9999", "192.0.2.1%eth0"}) {
    EXPECT_FALSE(Address::parse(text)) << text;
  }
}

TEST(Prefix, Contains) {
  const auto contains = [](const char* prefix, const char* address) {
    return Prefix::parse(prefix)->contains(*Address::parse(address));
  };
  EXPECT_TRUE(contains("10.0.0.0/8", "10.255.0.1"));
  EXPECT_FALSE(contains("10.0.0.0/8", "11.0.0.1"));
  EXPECT_TRUE(contains("0.0.0.0/0", "203.0.113.9"));
  EXPECT_FALSE(contains("0.0.0.0/0", "2001:db8::1"));
  EXPECT_TRUE(contains("192.0.2.128/25", "192.0.2.128"));
  EXPECT_FALSE(contains("192.0.2.128/25", "192.0.2.127"));
  EXPECT_TRUE(contains("192.0.2.1", "192.0.2.1"));
  EXPECT_FALSE(contains("192.0.2.1", "192.0.2.0"));
  EXPECT_TRUE(contains("2001:db8::/32", "2001:db8:ffff::1"));
  EXPECT_FALSE(contains("2001:db8::/33", "2001:db8:8000::1"));
  EXPECT_TRUE(contains("2001:db8::/65", "2001:db8::7fff:0:0:1"));
  EXPECT_FALSE(contains("2001:db8::/65", "2001:db8::8000:0:0:1"));
  EXPECT_TRUE(contains("::/0", "2001:db8::1"));
  EXPECT_FALSE(contains("::/0", "192.0.2.1"));
}

TEST(Prefix, TextGoesThereAndBack) {
  for (const char* text : {"10.0.0.0/8", "0.0.0.0/0", "192.0.2.1/32", "::/0", "2001:db8::/32", "::1/128"}) {
    ASSERT_TRUE(Prefix::parse(text)) << text;
    EXPECT_EQ(Prefix::parse(text)->to_text(), text);
  }
}

TEST(Prefix, ErrorsNameTheMend) {
  const auto error = [](const char* text) { return Prefix::parse(text).error(); };
  EXPECT_EQ(error("10.1.0.0/8"),
            "\"10.1.0.0/8\" has bits set behind the prefix length; did you mean 10.0.0.0/8?");
  EXPECT_EQ(error("10.0.0.0/33"), "\"10.0.0.0/33\" has a bad prefix length; it is a number from 0 to 32");
  EXPECT_EQ(error("::/129"), "\"::/129\" has a bad prefix length; it is a number from 0 to 128");
  EXPECT_NE(error("10.0.0.0/").find("prefix length"), std::string::npos);
  EXPECT_NE(error("10.0.0.0/8x").find("prefix length"), std::string::npos);
  EXPECT_NE(error("10.0.0.0/-1").find("prefix length"), std::string::npos);
  EXPECT_NE(error("example.com").find("not an address"), std::string::npos);
  EXPECT_NE(error("").find("not an address"), std::string::npos);
}

TEST(Mac, Parses) {
  EXPECT_EQ(parse_mac("02:00:00:00:00:fF"), (MacAddress{2, 0, 0, 0, 0, 0xff}));
  for (const char* text :
       {"", "02:00:00:00:00", "02:00:00:00:00:0g", "02-00-00-00-00-00", "02:00:00:00:00:000"}) {
    EXPECT_FALSE(parse_mac(text)) << text;
  }
}

}  // namespace
}  // namespace swarmdns::net
