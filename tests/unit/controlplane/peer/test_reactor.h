// A reactor on a thread of its own, for tests of what meets real sockets.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

#include "controlplane/core/reactor.h"

namespace swarmdns::controlplane::test {

class TestReactor final : public Reactor {
 public:
  TestReactor() : thread_([this] { run(); }) {}
  ~TestReactor() override {
    {
      const std::scoped_lock lock(mutex_);
      stopped_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  void post(std::function<void()> task) override { add(0, std::move(task)); }
  std::uint64_t now_ms() const override {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                          std::chrono::steady_clock::now().time_since_epoch())
                                          .count());
  }
  std::uint64_t wall_ms() const override { return now_ms(); }
  TimerId after(std::uint64_t delay_ms, std::function<void()> task) override {
    return add(delay_ms, std::move(task));
  }
  void cancel(TimerId timer) override {
    std::function<void()> destroyed;  // without the mutex
    const std::scoped_lock lock(mutex_);
    for (auto entry = tasks_.begin(); entry != tasks_.end(); ++entry) {
      if (entry->first.second != timer) continue;
      destroyed = std::move(entry->second);
      tasks_.erase(entry);
      return;
    }
  }
  void offload(std::function<void()> work, std::function<void()> done) override {
    work();
    post(std::move(done));
  }
  void random(std::span<std::byte> into) override {
    for (std::byte& octet : into) octet = static_cast<std::byte>(engine_());
  }

  // From other threads: runs it there and waits.
  template <typename Task>
  auto run_on(Task task) {
    std::packaged_task<decltype(task())()> packaged(std::move(task));
    auto result = packaged.get_future();
    post([&packaged] { packaged(); });
    return result.get();
  }

 private:
  using Clock = std::chrono::steady_clock;

  TimerId add(std::uint64_t delay_ms, std::function<void()> task) {
    const std::scoped_lock lock(mutex_);
    const TimerId id = ++last_;
    tasks_.emplace(std::pair(Clock::now() + std::chrono::milliseconds(delay_ms), id), std::move(task));
    changed_.notify_all();
    return id;
  }
  void run() {
    std::unique_lock lock(mutex_);
    while (!stopped_) {
      if (tasks_.empty()) {
        changed_.wait(lock);
      } else if (const auto due = tasks_.begin()->first.first; due > Clock::now()) {
        changed_.wait_until(lock, due);
      } else {
        auto task = std::move(tasks_.begin()->second);
        tasks_.erase(tasks_.begin());
        lock.unlock();
        task();
        task = nullptr;
        lock.lock();
      }
    }
    auto dropped = std::move(tasks_);
    lock.unlock();
    dropped.clear();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::pair<Clock::time_point, TimerId>, std::function<void()>> tasks_;
  TimerId last_ = 0;
  bool stopped_ = false;
  std::mt19937_64 engine_{7};
  std::thread thread_;
};

}  // namespace swarmdns::controlplane::test
