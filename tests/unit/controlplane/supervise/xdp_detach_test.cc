#include "controlplane/supervise/xdp_detach.h"

#include <gtest/gtest.h>

namespace swarmdns::controlplane {
namespace {

TEST(XdpInterfaceOf, ReadsTheVdevArguments) {
  EXPECT_EQ(xdp_interface_of("net_af_xdp0,iface=eth1"), "eth1");
  EXPECT_EQ(xdp_interface_of("net_af_xdp0,start_queue=0,iface=eth1,queue_count=2"), "eth1");
  EXPECT_EQ(xdp_interface_of("net_af_packet0,iface=eth1"), "");
  EXPECT_EQ(xdp_interface_of("net_af_xdp0"), "");
  EXPECT_EQ(xdp_interface_of("0000:01:00.0"), "");
}

TEST(DetachXdp, NothingIsAttachedToTheLoopback) {
  const auto result = detach_xdp("lo");
  ASSERT_TRUE(result) << result.error();
  EXPECT_FALSE(*result);
}

TEST(DetachXdp, NamesAnInterfaceThatIsNotThere) {
  EXPECT_EQ(detach_xdp("no-such-if").error(), "there is no interface no-such-if");
}

}  // namespace
}  // namespace swarmdns::controlplane
