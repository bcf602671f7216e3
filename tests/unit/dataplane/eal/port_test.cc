// Ports that need no NIC. DPDK is started once for all tests of this process (it cannot be started twice).
#include "dataplane/eal/port.h"

#include <gtest/gtest.h>
#include <rte_ethdev.h>

#include "tests/unit/dataplane/eal/started_eal.h"

namespace swarmdns::eal {
namespace {

TEST(Port, ANullDeviceOpensStartsAndCloses) {
  if (!StartedEal::get()) GTEST_SKIP() << StartedEal::why_not();
  for (int round = 0; round < 2; ++round) {  // nothing of the first is in the way of the second
    auto port = Port::open({.device = "net_null0", .mbufs = 1024}, 0, 1, 32);
    ASSERT_TRUE(port) << port.error().text();
    EXPECT_EQ((*port)->driver(), "net_null");
    EXPECT_EQ((*port)->queues(), 1U);
    ASSERT_TRUE((*port)->start());
    EXPECT_TRUE((*port)->link().up);
    EXPECT_EQ((*port)->max_sleep_us(), 0U);
    EXPECT_EQ((*port)->carrier(), "");
  }
}

// When the workers start, no link is up yet: of a 10 Gbit/s card half a ring of 1024 lasts 34 µs, whatever
// the link says.
TEST(Port, TheSleepIsBoundByTheFastestThatTheDeviceCanBe) {
  EXPECT_EQ(fastest_mbit_s(RTE_ETH_LINK_SPEED_1G | RTE_ETH_LINK_SPEED_10G | RTE_ETH_LINK_SPEED_100M), 10000U);
  EXPECT_EQ(fastest_mbit_s(RTE_ETH_LINK_SPEED_10M_HD | RTE_ETH_LINK_SPEED_100M | RTE_ETH_LINK_SPEED_1G),
            1000U);
  EXPECT_EQ(fastest_mbit_s(RTE_ETH_LINK_SPEED_100G), 100000U);
  EXPECT_EQ(fastest_mbit_s(RTE_ETH_LINK_SPEED_AUTONEG), 0U);
  EXPECT_EQ(sleep_bound_us(10000, 1024), 34U);
  EXPECT_EQ(sleep_bound_us(1000, 1024), 344U);
  EXPECT_EQ(sleep_bound_us(100000, 1024), 25U);  // sleeping less saves nothing
  EXPECT_EQ(sleep_bound_us(0, 1024), 0U);
}

TEST(Port, OptionsOutOfRangeAreNamed) {
  const auto field_of = [](const PortOptions& options) {
    const auto port = Port::open(options, 3, 1, 32);
    EXPECT_FALSE(port);
    return port ? std::string() : port.error().field;
  };
  EXPECT_EQ(field_of({.device = ""}), "ports[3].device");
  EXPECT_EQ(field_of({.device = "net_null0", .rx_descriptors = 63}), "ports[3].rx_descriptors");
  EXPECT_EQ(field_of({.device = "net_null0", .tx_descriptors = 16384}), "ports[3].tx_descriptors");
  EXPECT_EQ(field_of({.device = "net_null0", .mbufs = 10}), "ports[3].mbufs");
  EXPECT_EQ(field_of({.device = "net_null0", .mtu = 1000}), "ports[3].mtu");
  EXPECT_EQ(field_of({.device = "net_null0", .mtu = 9001}), "ports[3].mtu");
}

TEST(Port, AnUnknownDeviceIsRefused) {
  if (!StartedEal::get()) GTEST_SKIP() << StartedEal::why_not();
  const auto vdev = Port::open({.device = "net_no_such_driver0"}, 0, 1, 32);
  ASSERT_FALSE(vdev);
  EXPECT_EQ(vdev.error().field, "ports[0].device");
  const auto pci = Port::open({.device = "0000:ff:1f.7"}, 0, 1, 32);
  ASSERT_FALSE(pci);
  EXPECT_NE(pci.error().mend.find("swarmctl port bind"), std::string::npos);
}

TEST(Port, MoreBuffersThanMemoryIsAnErrorThatSaysHowMuch) {
  if (!StartedEal::get()) GTEST_SKIP() << StartedEal::why_not();
  const auto port = Port::open({.device = "net_null1", .mbufs = 4194304}, 0, 1, 32);
  ASSERT_FALSE(port);
  EXPECT_EQ(port.error().field, "ports[0].mbufs");
  EXPECT_NE(port.error().mend.find("eal.memory_mib"), std::string::npos);
}

TEST(Eal, RunsWorkOnItsLcoreAndWaitsForIt) {
  Eal* eal = StartedEal::get();
  if (eal == nullptr) GTEST_SKIP() << StartedEal::why_not();
  bool ran = false;
  ASSERT_TRUE(eal->launch(0, [&ran] { ran = true; }));
  eal->wait();
  EXPECT_TRUE(ran);
  EXPECT_FALSE(eal->launch(eal->workers(), [] {}));
}

}  // namespace
}  // namespace swarmdns::eal
