#include "dataplane/sync/mpsc_queue.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

namespace swarmdns::sync {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(MpscQueue, RefusesWhenFullAndLeavesTheValue) {
  MpscQueue<std::unique_ptr<int>> queue(2);
  EXPECT_TRUE(queue.try_push(std::make_unique<int>(1)));
  EXPECT_TRUE(queue.try_push(std::make_unique<int>(2)));
  auto third = std::make_unique<int>(3);
  EXPECT_FALSE(queue.try_push(std::move(third)));
  ASSERT_NE(third, nullptr);
  std::unique_ptr<int> out;
  ASSERT_TRUE(queue.try_pop(out));
  EXPECT_EQ(*out, 1);
  EXPECT_TRUE(queue.try_push(std::move(third)));
  ASSERT_TRUE(queue.try_pop(out));
  ASSERT_TRUE(queue.try_pop(out));
  EXPECT_EQ(*out, 3);
  EXPECT_FALSE(queue.try_pop(out));
}

TEST(MpscQueue, KeepsNothingOfWhatWasPopped) {
  MpscQueue<std::shared_ptr<int>> queue(8);
  auto watched = std::make_shared<int>(5);
  EXPECT_TRUE(queue.try_push(std::shared_ptr<int>(watched)));
  std::shared_ptr<int> out;
  ASSERT_TRUE(queue.try_pop(out));
  out.reset();
  EXPECT_EQ(watched.use_count(), 1);
}

TEST(MpscQueue, WaitEndsAtTheTimeout) {
  MpscQueue<int> queue(4);
  queue.wait(milliseconds(5));  // must return although nobody wakes it
  EXPECT_FALSE(queue.ready());
}

TEST(MpscQueue, WaitEndsWhenSomethingComes) {
  MpscQueue<int> queue(4);
  std::thread producer([&queue] {
    std::this_thread::sleep_for(milliseconds(20));
    EXPECT_TRUE(queue.try_push(9));
  });
  int out = 0;
  while (!queue.try_pop(out)) queue.wait(seconds(60));
  EXPECT_EQ(out, 9);
  producer.join();
}

TEST(MpscQueue, ManyProducersOneSleepyConsumer) {
  constexpr int kProducers = 4;
  constexpr std::uint64_t kEach = 50'000;
  MpscQueue<std::uint64_t> queue(64);
  std::vector<std::thread> producers;
  for (std::uint64_t p = 0; p < kProducers; ++p) {
    producers.emplace_back([&queue, p] {
      for (std::uint64_t i = 0; i < kEach; ++i) {
        while (!queue.try_push(p << 32 | i)) std::this_thread::yield();
      }
    });
  }
  std::array<std::uint64_t, kProducers> next{};
  std::uint64_t wrong = 0;
  for (std::uint64_t got = 0; got < kProducers * kEach;) {
    std::uint64_t value = 0;
    if (!queue.try_pop(value)) {
      queue.wait(seconds(60));  // a lost wake-up would show as a hang
      continue;
    }
    ++got;
    wrong += next[value >> 32]++ != (value & 0xffffffff) ? 1U : 0U;  // each producer's own order is kept
  }
  for (auto& thread : producers) thread.join();
  EXPECT_EQ(wrong, 0U);
}

}  // namespace
}  // namespace swarmdns::sync
