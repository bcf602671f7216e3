#include "dataplane/exception/rtnl.h"

#include <gtest/gtest.h>

namespace swarmdns::exception {
namespace {

TEST(InterfaceAddress, TakesBothFamiliesWithHostBits) {
  const auto v4 = InterfaceAddress::parse("10.53.1.1/24");
  ASSERT_TRUE(v4);
  EXPECT_EQ(v4->length, 24);
  EXPECT_EQ(v4->address.to_text(), "10.53.1.1");
  const auto v6 = InterfaceAddress::parse("fd53:1::1/64");
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->length, 64);
  EXPECT_EQ(InterfaceAddress::parse("10.53.1.1")->length, 32);
  EXPECT_EQ(InterfaceAddress::parse("fd53::1")->length, 128);
}

TEST(InterfaceAddress, SaysWhatIsWrong) {
  for (const char* text : {"", "10.53.1/24", "10.53.1.1/33", "fd53::1/129", "10.53.1.1/", "10.53.1.1/a",
                           "10.53.1.1/24x", "10.53.1.1/-1", "host/24"}) {
    EXPECT_FALSE(InterfaceAddress::parse(text)) << text;
  }
  EXPECT_NE(InterfaceAddress::parse("10.53.1.1/33").error().find("0 to 32"), std::string::npos);
}

TEST(Route, TakesPrefixesAndDefaults) {
  const auto route = Route::parse("10.0.0.0/8 via 10.53.1.254");
  ASSERT_TRUE(route);
  EXPECT_EQ(route->length, 8);
  EXPECT_EQ(route->gateway.to_text(), "10.53.1.254");
  EXPECT_EQ(Route::parse("default via 10.53.1.254")->length, 0);
  EXPECT_FALSE(Route::parse("default via fd53:1::ff")->gateway.is_v4());
}

TEST(Route, SaysWhatIsWrong) {
  for (const char* text : {"10.0.0.0/8", "10.0.0.0/8 via", "10.0.0.0/8 via host", "10.0.0.0/8 via fd53::1",
                           "via 10.53.1.1", "10.0.0.0/40 via 10.53.1.1"}) {
    EXPECT_FALSE(Route::parse(text)) << text;
  }
}

}  // namespace
}  // namespace swarmdns::exception
