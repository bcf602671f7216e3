#include "dataplane/eal/carrier.h"

#include <gtest/gtest.h>

namespace swarmdns::eal {
namespace {

TEST(Carrier, IsReadFromTheDevicesArguments) {
  EXPECT_EQ(carrier_of("net_af_xdp0,iface=eth1"), "eth1");
  EXPECT_EQ(carrier_of("net_af_xdp0,start_queue=0,iface=eth1,queue_count=2"), "eth1");
  EXPECT_EQ(carrier_of("net_af_packet0,iface=veth0"), "veth0");
  EXPECT_EQ(carrier_of("net_af_xdp0"), std::nullopt);
  EXPECT_EQ(carrier_of("net_pcap0,iface=eth1"), std::nullopt);  // pcap's own affair
  EXPECT_EQ(carrier_of("0000:01:00.0"), std::nullopt);
}

TEST(Carrier, RefusesWhatCannotCarry) {
  const auto missing = Carrier::prepare("ports[0].device", "net_af_xdp0,iface=not-there0", 1);
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().problem.find("not-there0"), std::string::npos);
  const auto unnamed = Carrier::prepare("ports[0].device", "net_af_xdp0", 1);
  ASSERT_FALSE(unnamed);
  EXPECT_NE(unnamed.error().mend.find("iface="), std::string::npos);
  const auto too_long = Carrier::prepare("ports[0].device", "net_af_xdp0,iface=a-name-far-too-long", 1);
  EXPECT_FALSE(too_long);
  // Loopback carries 127.0.0.1, and is not Ethernet either.
  const auto loopback = Carrier::prepare("ports[1].device", "net_af_packet0,iface=lo", 1);
  ASSERT_FALSE(loopback);
  EXPECT_EQ(loopback.error().field, "ports[1].device");
}

TEST(Claim, IsHeldByOneAndFreeAfterwards) {
  {
    const auto first = Claim::take("swarmdns/unit-test");
    ASSERT_TRUE(first);
    EXPECT_FALSE(Claim::take("swarmdns/unit-test"));
    EXPECT_TRUE(Claim::take("swarmdns/unit-test-2"));
  }
  EXPECT_TRUE(Claim::take("swarmdns/unit-test"));
  EXPECT_FALSE(Claim::take(std::string(200, 'x')));
}

}  // namespace
}  // namespace swarmdns::eal
