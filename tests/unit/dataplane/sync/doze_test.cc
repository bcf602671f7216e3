#include "dataplane/sync/doze.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <thread>

#include "dataplane/sync/spsc_ring.h"

namespace swarmdns::sync {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

constexpr auto kNothing = [] { return false; };

TEST(Doorbell, NobodyDozesWhileAWorkerIsAwake) {
  Roll roll;
  Doorbell& bell = roll.add();
  roll.enter();
  EXPECT_FALSE(bell.doze(kNothing, seconds(60)));  // would hang if it slept
  roll.leave();
  EXPECT_TRUE(bell.doze(kNothing, microseconds(1)));
}

TEST(Doorbell, TheLastLookKeepsTheOwnerUp) {
  Roll roll;
  Doorbell& bell = roll.add();
  EXPECT_FALSE(bell.doze([] { return true; }, seconds(60)));
}

TEST(Doorbell, ARingDuringTheLastLookEndsTheSleep) {
  Roll roll;
  Doorbell& bell = roll.add();
  const auto rung = [&] {
    bell.ring();
    return false;
  };
  EXPECT_TRUE(bell.doze(rung, seconds(60)));
  // It was for that sleep alone.
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(bell.doze(kNothing, microseconds(2000)));
  EXPECT_GE(std::chrono::steady_clock::now() - start, microseconds(2000));
}

TEST(Doorbell, AnotherDescriptorEndsTheSleep) {
  Roll roll;
  Doorbell& bell = roll.add();
  const int fd = ::eventfd(1, EFD_CLOEXEC);
  const pollfd other{fd, POLLIN, 0};
  EXPECT_TRUE(bell.doze(kNothing, seconds(60), {&other, 1}));
  ::close(fd);
}

TEST(Roll, TheLastOfTheWorkersToLeaveCounts) {
  Roll roll;
  Doorbell& bell = roll.add();
  roll.enter();
  roll.enter();
  roll.leave();
  EXPECT_FALSE(roll.nobody_awake());
  EXPECT_FALSE(bell.doze(kNothing, seconds(60)));
  roll.leave();
  EXPECT_TRUE(roll.nobody_awake());
}

// A worker that comes and goes, and fills rings in between as packets do: without a call of its own for each
// element. Sleeps are a minute long, so that a lost wake-up shows as a hang.
TEST(Roll, NothingIsLeftInARingBetweenComingAndGoing) {
  constexpr std::uint64_t kRounds = 20'000;
  Roll roll;
  std::array<SpscRing<std::uint64_t>, 2> rings{SpscRing<std::uint64_t>(64), SpscRing<std::uint64_t>(64)};
  std::array<Doorbell*, 2> bells{&roll.add(), &roll.add()};
  std::array<std::atomic<std::uint64_t>, 2> taken{};
  std::array<std::thread, 2> readers;
  for (std::size_t r = 0; r < readers.size(); ++r) {
    readers[r] = std::thread([&, r] {
      std::uint64_t got = 0;
      const auto look = [&] {
        const std::uint64_t before = got;
        for (std::uint64_t value = 0; rings[r].try_pop(value);) ++got;
        taken[r].store(got, std::memory_order_relaxed);
        return got != before;
      };
      while (got < kRounds) {
        if (!look()) bells[r]->doze(look, seconds(60));
      }
    });
  }
  for (std::uint64_t i = 0; i < kRounds; ++i) {
    for (auto& ring : rings) {
      while (!ring.try_push(i)) std::this_thread::yield();
    }
    roll.enter();
    if (i % 3 == 0) std::this_thread::yield();
    roll.leave();
  }
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(taken[0].load(), kRounds);
  EXPECT_EQ(taken[1].load(), kRounds);
}

// A thread that is no worker rings after each element.
TEST(Doorbell, ManyRingsNoneLost) {
  constexpr std::uint64_t kEach = 50'000;
  Roll roll;
  Doorbell& bell = roll.add();
  SpscRing<std::uint64_t> ring(64);
  std::thread producer([&] {
    for (std::uint64_t i = 0; i < kEach; ++i) {
      while (!ring.try_push(i)) std::this_thread::yield();
      bell.ring();
    }
  });
  std::uint64_t got = 0;
  const auto look = [&] {
    const std::uint64_t before = got;
    for (std::uint64_t value = 0; ring.try_pop(value);) ++got;
    return got != before;
  };
  while (got < kEach) {
    if (!look()) bell.doze(look, seconds(60));
  }
  producer.join();
  EXPECT_EQ(got, kEach);
}

}  // namespace
}  // namespace swarmdns::sync
