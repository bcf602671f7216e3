#include "dataplane/exception/tap.h"

#include <gtest/gtest.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstring>

#include "dataplane/net/checksum.h"
#include "tests/unit/dataplane/exception/own_namespace.h"

namespace swarmdns::exception {
namespace {

TapOptions options() {
  return {.port = 2,
          .name = "tapt0",
          .mac = {0x02, 0, 0, 0, 0, 0x53},
          .mtu = 1400,
          .addresses = {"10.99.1.1/24", "fd99:1::1/64"},
          .routes = {"10.98.0.0/16 via 10.99.1.254", "default via fd99:1::fe"}};
}

// The next frame of that EtherType, within a second.
std::vector<std::byte> next_frame(const Tap& tap, std::uint16_t ether_type) {
  std::vector<std::byte> frame(2048);
  for (int i = 0; i < 100; ++i) {
    pollfd waiting{tap.fd(), POLLIN, 0};
    poll(&waiting, 1, 10);
    const std::size_t length = tap.read(frame);
    if (length < 14 ||
        (std::to_integer<unsigned>(frame[12]) << 8 | std::to_integer<unsigned>(frame[13])) != ether_type)
      continue;
    frame.resize(length);
    return frame;
  }
  return {};
}

TEST(Tap, RefusesNamesThatCannotBe) {
  for (const char* name : {"", "a-name-too-long-0", "a/b", "a b", ".."}) {
    TapOptions wrong = options();
    wrong.name = name;
    const auto tap = Tap::open(wrong);
    ASSERT_FALSE(tap) << name;
    EXPECT_EQ(tap.error().field, "ports[2].tap");
  }
}

TEST(Tap, CarriesTheAddressesAndVanishes) {
  const OwnNamespace own;
  if (!own.entered()) GTEST_SKIP() << "needs root";
  {
    auto tap = Tap::open(options());
    ASSERT_TRUE(tap) << tap.error().text();
    EXPECT_NE(if_nametoindex("tapt0"), 0U);

    // An ARP request for the address is answered with the port's MAC.
    std::array<std::uint8_t, 42> request = {
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0,  0,  0, 0, 0x01, 8, 6, 0, 1, 8, 0,  6,  4, 0,
        1,    2,    0,    0,    0,    0,    1,    10, 99, 1, 2, 0,    0, 0, 0, 0, 0, 10, 99, 1, 1};
    ASSERT_TRUE(tap->write(std::as_bytes(std::span(request))));
    const auto answer = next_frame(*tap, 0x0806);
    ASSERT_GE(answer.size(), 42U);
    EXPECT_EQ(answer[21], std::byte{2});
    EXPECT_EQ(std::memcmp(answer.data() + 22, options().mac.data(), 6), 0);
  }
  EXPECT_EQ(if_nametoindex("tapt0"), 0U);
}

TEST(Tap, FramesFromTheKernelHaveTheirChecksums) {
  const OwnNamespace own;
  if (!own.entered()) GTEST_SKIP() << "needs root";
  auto tap = Tap::open(options());
  ASSERT_TRUE(tap) << tap.error().text();
  // Make the neighbour known, then have the kernel send a datagram to it.
  std::array<std::uint8_t, 42> hello = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0, 0, 0, 0,  0x01, 8, 6,
                                        0,    1,    8,    0,    6,    4,    0,    1, 2, 0, 0,  0,    0, 1,
                                        10,   99,   1,    2,    0,    0,    0,    0, 0, 0, 10, 99,   1, 1};
  ASSERT_TRUE(tap->write(std::as_bytes(std::span(hello))));
  ASSERT_FALSE(next_frame(*tap, 0x0806).empty());
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(5300);
  to.sin_addr.s_addr = htonl(0x0a630102);
  ASSERT_EQ(sendto(fd, "hello", 5, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to), 5);
  close(fd);
  const auto frame = next_frame(*tap, 0x0800);
  ASSERT_EQ(frame.size(), 14U + 20 + 8 + 5);
  EXPECT_EQ(net::sum_bytes(frame.data() + 14, 20), 0xffff);
  std::uint64_t sum =
      net::add_bytes(0, frame.data() + 14 + 12, 8);  // pseudo-header: addresses, protocol, length
  sum += htons(17) + std::uint64_t{htons(13)};
  EXPECT_EQ(net::fold_sum(net::add_bytes(sum, frame.data() + 34, 13)), 0xffff);
}

TEST(Tap, SaysWhichAddressOrRouteIsWrong) {
  const OwnNamespace own;
  if (!own.entered()) GTEST_SKIP() << "needs root";
  TapOptions wrong = options();
  wrong.addresses[1] = "fd99::1/200";
  EXPECT_EQ(Tap::open(wrong).error().field, "ports[2].addresses[1]");
  wrong = options();
  wrong.routes = {"10.98.0.0/16 via 192.0.2.1"};
  const auto tap = Tap::open(wrong);
  ASSERT_FALSE(tap);
  EXPECT_EQ(tap.error().field, "ports[2].routes[0]");
  EXPECT_NE(tap.error().mend.find("gateway"), std::string::npos);
  EXPECT_EQ(if_nametoindex("tapt0"), 0U);  // nothing is left of the attempts
}

TEST(Tap, ANameInUseIsRefused) {
  const OwnNamespace own;
  if (!own.entered()) GTEST_SKIP() << "needs root";
  const auto first = Tap::open(options());
  ASSERT_TRUE(first);
  const auto second = Tap::open(options());
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().problem.find("in use"), std::string::npos);
}

}  // namespace
}  // namespace swarmdns::exception
