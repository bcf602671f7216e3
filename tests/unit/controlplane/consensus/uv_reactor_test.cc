#include "controlplane/consensus/uv_reactor.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <future>
#include <memory>
#include <thread>

namespace swarmdns::controlplane {
namespace {

TEST(UvReactor, RunsWhatIsPostedInOrderOnItsThread) {
  UvReactor reactor;
  std::vector<int> order;
  for (int i = 0; i < 100; ++i) {
    reactor.post([&, i] {
      EXPECT_TRUE(reactor.on_reactor_thread());
      order.push_back(i);
    });
  }
  reactor.run([&] {
    ASSERT_EQ(order.size(), 100u);
    for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
  });
}

TEST(UvReactor, TakesPostsOfManyThreads) {
  UvReactor reactor;
  int count = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < 1000; ++i) reactor.post([&] { ++count; });
      });
  }
  reactor.run([&] { EXPECT_EQ(count, 4000); });
}

TEST(UvReactor, TimersRunInTheOrderOfTheirTimesAndNotWhenCancelled) {
  UvReactor reactor;
  std::promise<std::string> done;
  std::string order;
  reactor.run([&] {
    reactor.after(30, [&] { done.set_value(order + "c"); });
    reactor.after(0, [&] { order += "a"; });
    reactor.after(10, [&] { order += "b"; });
    auto alive = std::make_shared<int>(0);
    const std::weak_ptr<int> watch = alive;
    const TimerId cancelled = reactor.after(5, [&, alive] { order += "x"; });
    alive.reset();
    reactor.cancel(cancelled);
    EXPECT_TRUE(watch.expired()) << "destroyed when it is cancelled";
    reactor.cancel(cancelled);
    reactor.cancel(0);
  });
  EXPECT_EQ(done.get_future().get(), "abc");
}

TEST(UvReactor, ATimerMayCancelItselfAndStartOthers) {
  UvReactor reactor;
  std::promise<void> done;
  std::unique_ptr<Timer> timer;
  reactor.run([&] {
    timer = std::make_unique<Timer>(reactor);
    timer->start(1, [&] {
      timer->stop();
      timer->start(1, [&] { done.set_value(); });
    });
  });
  done.get_future().wait();
  reactor.run([&] { timer.reset(); });
}

TEST(UvReactor, OffloadsAndComesBack) {
  UvReactor reactor;
  std::promise<void> done;
  bool worked = false;
  reactor.post([&] {
    reactor.offload(
        [&] {
          EXPECT_FALSE(reactor.on_reactor_thread());
          worked = true;
        },
        [&] {
          EXPECT_TRUE(reactor.on_reactor_thread());
          done.set_value();
        });
  });
  done.get_future().wait();
  EXPECT_TRUE(worked);
}

TEST(UvReactor, StopDestroysWhatItDoesNotRun) {
  auto alive = std::make_shared<int>(0);
  const std::weak_ptr<int> watch = alive;
  UvReactor reactor;
  reactor.run([&] { reactor.after(3'600'000, [kept = std::move(alive)] {}); });
  bool ran = false;
  reactor.post([&] { ran = true; });
  reactor.stop();
  EXPECT_TRUE(ran) << "posted before";
  EXPECT_TRUE(watch.expired());
  auto late = std::make_shared<int>(0);
  const std::weak_ptr<int> late_watch = late;
  reactor.post([kept = std::move(late)] { FAIL(); });
  EXPECT_TRUE(late_watch.expired());
  reactor.stop();
}

TEST(UvReactor, HasClocksAndRandomNumbers) {
  UvReactor reactor;
  std::array<std::byte, 16> a{};
  std::array<std::byte, 16> b{};
  reactor.random(a);
  reactor.random(b);
  EXPECT_NE(a, b);
  EXPECT_GT(reactor.wall_ms(), 1'700'000'000'000u);
  std::uint64_t before = 0;
  reactor.run([&] { before = reactor.now_ms(); });
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  reactor.run([&] { EXPECT_GE(reactor.now_ms(), before + 4); });
}

}  // namespace
}  // namespace swarmdns::controlplane
