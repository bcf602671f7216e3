#include "dataplane/eal/xdp_sockets.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace swarmdns::eal {
namespace {

TEST(XdpSockets, AreFoundAmongAllDescriptors) {
  const std::vector<int> before = xdp_sockets();
  const int other = ::socket(AF_INET, SOCK_DGRAM, 0);
  const int xdp = ::socket(AF_XDP, SOCK_RAW, 0);
  ASSERT_GE(xdp, 0) << "this needs root and a kernel with AF_XDP";
  std::vector<int> wanted = before;
  wanted.push_back(xdp);
  std::ranges::sort(wanted);
  EXPECT_EQ(xdp_sockets(), wanted);
  ::close(other);
  ::close(xdp);
  EXPECT_EQ(xdp_sockets(), before);
}

TEST(XdpSockets, OneThatHasReceivedNothingHasLostNothing) {
  const int xdp = ::socket(AF_XDP, SOCK_RAW, 0);
  ASSERT_GE(xdp, 0) << "this needs root and a kernel with AF_XDP";
  EXPECT_EQ(frames_beyond_the_ring(std::array{xdp}), 0U);
  ::close(xdp);
  EXPECT_EQ(frames_beyond_the_ring(std::array{xdp}), 0U);  // of a port that has just been closed
}

}  // namespace
}  // namespace swarmdns::eal
