#include "controlplane/cli/member_address.h"

#include <gtest/gtest.h>

namespace swarmdns::controlplane {
namespace {

TEST(MemberAddress, TakesWhatPeopleWrite) {
  EXPECT_EQ(*member_address("10.54.0.1"), "10.54.0.1:8453");
  EXPECT_EQ(*member_address("10.54.0.1:9000"), "10.54.0.1:9000");
  EXPECT_EQ(*member_address("10.54.0.1@9000"), "10.54.0.1:9000");
  EXPECT_EQ(*member_address("ns1.example.net"), "ns1.example.net:8453");
  EXPECT_EQ(*member_address("2001:db8::1"), "[2001:db8::1]:8453");
  EXPECT_EQ(*member_address("2001:db8::1@9000"), "[2001:db8::1]:9000");
  EXPECT_EQ(*member_address("[2001:db8::1]"), "[2001:db8::1]:8453");
  EXPECT_EQ(*member_address("[2001:db8::1]:9000"), "[2001:db8::1]:9000");
}

TEST(MemberAddress, RefusesTheRest) {
  for (const char* text :
       {"", ":", "10.54.0.1:", "10.54.0.1:0", "10.54.0.1:65536", "10.54.0.256", "[2001:db8::1", "[]", "a b",
        "2001:db8::g", "@9000", "[2001:db8::1]:", "[2001:db8::1]x", "[2001:db8::1]]:1"}) {
    EXPECT_FALSE(member_address(text)) << text;
  }
  EXPECT_EQ(member_address("a b").error(),
            "\"a b\" is not the address of a member; 10.54.0.1:8453, ns1.example.net:8453 and "
            "[2001:db8::1]:8453 are");
}

}  // namespace
}  // namespace swarmdns::controlplane
