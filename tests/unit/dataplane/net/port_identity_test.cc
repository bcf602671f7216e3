#include "dataplane/net/port_identity.h"

#include <gtest/gtest.h>

namespace swarmdns::net {
namespace {

Address at(const char* text) {
  return *Address::parse(text);
}

TEST(AddressSet, HoldsWhatItWasGiven) {
  std::vector<Address> addresses;
  for (unsigned i = 0; i < 300; ++i) {
    addresses.push_back(at(("10.1." + std::to_string(i / 200) + "." + std::to_string(i % 200)).c_str()));
    addresses.push_back(at(("2001:db8::" + std::to_string(i)).c_str()));
  }
  const AddressSet set(addresses);
  EXPECT_EQ(set.size(), addresses.size());
  for (const Address& address : addresses) EXPECT_TRUE(set.contains(address)) << address.to_text();
  EXPECT_FALSE(set.contains(at("10.2.0.0")));
  EXPECT_FALSE(set.contains(at("2001:db8:1::")));
}

TEST(AddressSet, EmptySetAndUnspecifiedAddress) {
  EXPECT_FALSE(AddressSet().contains(at("10.0.0.1")));
  const Address twice[] = {at("::"), at("10.0.0.1"), at("10.0.0.1")};
  EXPECT_EQ(AddressSet(twice).size(), 1U);
}

TEST(PortIdentity, OwnAddressesAreMartiansAsSources) {
  const PortIdentity port(
      {.mac = {2, 0, 0, 0, 0, 1},
       .service = {at("10.53.1.1"), at("fd53:1::1")},
       .local = {at("192.0.2.9")},
       .martians = {*Prefix::parse("198.51.100.0/24"), *Prefix::parse("2001:db8:bad::/48")}});
  for (const char* text : {"10.53.1.1", "fd53:1::1", "192.0.2.9", "0.0.0.0", "0.1.2.3", "127.0.0.1",
                           "127.255.255.254", "224.0.0.1", "239.1.2.3", "240.0.0.1", "255.255.255.255", "::",
                           "::1", "::192.0.2.1", "ff02::1", "ff0e::1", "198.51.100.7", "2001:db8:bad::1"}) {
    EXPECT_TRUE(port.is_martian(at(text))) << text;
  }
  for (const char* text : {"10.53.1.2", "1.0.0.1", "126.0.0.1", "128.0.0.1", "223.255.255.255", "fd53:1::2",
                           "fe80::1", "2001:db8::1", "198.51.101.7"}) {
    EXPECT_FALSE(port.is_martian(at(text))) << text;
  }
}

TEST(PortIdentity, ForTheKernel) {
  const PortIdentity port(
      {.mac = {2, 0, 0, 0, 0, 1}, .service = {at("10.53.1.1")}, .local = {at("192.0.2.9")}});
  EXPECT_TRUE(port.is_for_us(at("10.53.1.1")));
  EXPECT_TRUE(port.is_for_us(at("192.0.2.9")));
  EXPECT_TRUE(port.is_for_us(at("fe80::1")));
  EXPECT_TRUE(port.is_for_us(at("febf::1")));
  EXPECT_FALSE(port.is_for_us(at("fec0::1")));
  EXPECT_FALSE(port.is_for_us(at("10.53.1.2")));
  EXPECT_FALSE(port.service().contains(at("192.0.2.9")));
}

}  // namespace
}  // namespace swarmdns::net
