#include "dataplane/exception/frame_ring.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <thread>

namespace swarmdns::exception {
namespace {

std::vector<std::byte> frame_of(std::size_t length, unsigned char first) {
  std::vector<std::byte> frame(length);
  for (std::size_t i = 0; i < length; ++i) frame[i] = static_cast<std::byte>(first + i);
  return frame;
}

TEST(FrameRing, GivesBackWhatWasPutIn) {
  FrameRing ring(4096);
  EXPECT_TRUE(ring.front().empty());
  const auto frame = frame_of(61, 7);
  ASSERT_TRUE(ring.push(frame));
  ASSERT_TRUE(std::ranges::equal(ring.front(), frame));
  ring.pop();
  EXPECT_TRUE(ring.front().empty());
}

TEST(FrameRing, RefusesWhatDoesNotFit) {
  FrameRing ring(4096);
  EXPECT_FALSE(ring.push(frame_of(ring.max_frame() + 1, 0)));
  EXPECT_FALSE(ring.push({}));
  EXPECT_TRUE(ring.push(frame_of(ring.max_frame(), 0)));
  EXPECT_TRUE(ring.push(frame_of(ring.max_frame(), 1)));
  EXPECT_FALSE(ring.push(frame_of(1, 2)));  // full to the last octet
  ring.pop();
  EXPECT_TRUE(ring.push(frame_of(1, 2)));
}

TEST(FrameRing, AClaimMayBePublishedShorterOrNotAtAll) {
  FrameRing ring(4096);
  ASSERT_EQ(ring.claim(1522).size(), 1522U);  // nothing came of it
  auto room = ring.claim(1522);
  ASSERT_EQ(room.size(), 1522U);
  room[0] = std::byte{42};
  ring.publish(1);
  ASSERT_EQ(ring.front().size(), 1U);
  EXPECT_EQ(ring.front()[0], std::byte{42});
  ring.pop();
  EXPECT_TRUE(ring.front().empty());
}

TEST(FrameRing, WrapsWithoutSplittingAFrame) {
  FrameRing ring(4096);
  std::mt19937 random(3);
  for (int i = 0; i < 10'000; ++i) {
    const auto frame = frame_of(1 + random() % 1600, static_cast<unsigned char>(i));
    ASSERT_TRUE(ring.push(frame)) << i;
    ASSERT_TRUE(std::ranges::equal(ring.front(), frame)) << i;
    ring.pop();
  }
}

TEST(FrameRing, CarriesFramesBetweenTwoThreads) {
  FrameRing ring(8192);
  constexpr std::uint32_t kFrames = 20'000;
  std::thread producer([&ring] {
    std::mt19937 random(5);
    for (std::uint32_t n = 0; n < kFrames;) {
      std::vector<std::byte> frame(4 + random() % 300, static_cast<std::byte>(n));
      std::memcpy(frame.data(), &n, sizeof n);
      while (!ring.push(frame)) std::this_thread::yield();
      ++n;
    }
  });
  std::uint32_t wrong = 0;
  for (std::uint32_t expected = 0; expected < kFrames;) {
    const auto frame = ring.front();
    if (frame.empty()) {
      std::this_thread::yield();
      continue;
    }
    std::uint32_t n = 0;
    std::memcpy(&n, frame.data(), sizeof n);
    wrong += n != expected || (frame.size() > 4 && frame.back() != static_cast<std::byte>(expected));
    ring.pop();
    ++expected;
  }
  producer.join();
  EXPECT_EQ(wrong, 0U);
  EXPECT_TRUE(ring.front().empty());
}

}  // namespace
}  // namespace swarmdns::exception
