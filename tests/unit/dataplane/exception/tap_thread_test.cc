#include "dataplane/exception/tap_thread.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "tests/unit/dataplane/exception/own_namespace.h"

namespace swarmdns::exception {
namespace {

TEST(TapThread, CarriesFramesBothWays) {
  const OwnNamespace own;
  if (!own.entered()) GTEST_SKIP() << "needs root";
  auto tap = Tap::open(
      {.name = "tapt1", .mac = {2, 0, 0, 0, 0, 9}, .mtu = 1500, .addresses = {"10.97.1.1/24"}, .routes = {}});
  ASSERT_TRUE(tap) << tap.error().text();
  std::vector<Tap> taps;
  taps.push_back(std::move(*tap));
  KernelLink link(2);
  stats::Registry registry(1);
  sync::Roll roll;
  TapThread thread(std::move(taps), {&link}, {}, roll.add(), **registry.claim("tap"));
  thread.start();

  // The second worker hands over an ARP request; the kernel's answer comes back by the ring of the first.
  const std::array<std::uint8_t, 42> request = {
      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0,  0,  0, 0, 0x01, 8, 6, 0, 1, 8, 0,  6,  4, 0,
      1,    2,    0,    0,    0,    0,    1,    10, 97, 1, 2, 0,    0, 0, 0, 0, 0, 10, 97, 1, 1};
  ASSERT_TRUE(link.to_kernel[1]->push(std::as_bytes(std::span(request))));
  bool answered = false;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (!answered && std::chrono::steady_clock::now() < deadline) {
    const auto frame = link.from_kernel.front();
    if (frame.empty()) {
      std::this_thread::yield();
      continue;
    }
    answered = frame.size() >= 42 && frame[12] == std::byte{8} && frame[13] == std::byte{6} &&
               frame[21] == std::byte{2};
    link.from_kernel.pop();
  }
  EXPECT_TRUE(answered);
  thread.stop();
  EXPECT_EQ(registry.sum(stats::Counter::DropKernelRefused), 0U);
}

}  // namespace
}  // namespace swarmdns::exception
