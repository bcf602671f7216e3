// A reactor whose time passes only when a test says so.
#pragma once

#include <functional>
#include <map>
#include <random>
#include <utility>

#include "controlplane/core/reactor.h"

namespace swarmdns::controlplane {

class TestReactor final : public Reactor {
 public:
  void post(std::function<void()> task) override { add(0, std::move(task)); }
  std::uint64_t now_ms() const override { return now_; }
  std::uint64_t wall_ms() const override { return wall_offset_ms + now_; }
  TimerId after(std::uint64_t delay_ms, std::function<void()> task) override {
    return add(delay_ms, std::move(task));
  }
  void cancel(TimerId timer) override {
    const auto at = due_.find(timer);
    if (at == due_.end()) return;
    const auto task = std::move(tasks_.at({at->second, timer}));
    tasks_.erase({at->second, timer});
    due_.erase(at);
  }
  void offload(std::function<void()> work, std::function<void()> done) override {
    post([this, work = std::move(work), done = std::move(done)] {
      work();
      post(done);
    });
  }
  void random(std::span<std::byte> into) override {
    for (std::byte& octet : into) octet = static_cast<std::byte>(engine_());
  }

  // Everything that is due now, and what comes of it.
  void settle() { run_for(0); }
  void run_for(std::uint64_t ms) {
    const std::uint64_t until = now_ + ms;
    while (!tasks_.empty() && tasks_.begin()->first.first <= until) {
      const auto [at, id] = tasks_.begin()->first;
      const auto task = std::move(tasks_.begin()->second);
      tasks_.erase(tasks_.begin());
      due_.erase(id);
      now_ = at;
      task();
    }
    now_ = until;
  }
  // Until it holds; false: not within `most_ms`.
  bool run_until(const std::function<bool()>& condition, std::uint64_t most_ms = 60'000) {
    for (const std::uint64_t end = now_ + most_ms; !condition(); run_for(1)) {
      if (now_ >= end) return false;
    }
    return true;
  }

  std::uint64_t wall_offset_ms = 1'800'000'000'000;

 private:
  TimerId add(std::uint64_t delay_ms, std::function<void()> task) {
    const TimerId id = ++last_;
    tasks_.emplace(std::pair(now_ + delay_ms, id), std::move(task));
    due_[id] = now_ + delay_ms;
    return id;
  }

  std::map<std::pair<std::uint64_t, TimerId>, std::function<void()>> tasks_;
  std::map<TimerId, std::uint64_t> due_;
  std::uint64_t now_ = 5000;
  TimerId last_ = 0;
  std::mt19937_64 engine_{7};
};

}  // namespace swarmdns::controlplane
