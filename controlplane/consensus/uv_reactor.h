// Reactor on a libuv loop with a thread of its own. raft_uv lives on the same loop, so that everything of the
// log happens on this thread.
#pragma once

#include <uv.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "controlplane/core/reactor.h"

namespace swarmdns::controlplane {

class UvReactor final : public Reactor {
 public:
  // Starts the threads; all signals are blocked in them.
  UvReactor();
  ~UvReactor() override;

  // Ends the thread after what has been posted. Handles that others have put on the loop must be closed
  // before (Engine::stop()): the loop waits for them. Not from the reactor thread; again is allowed.
  void stop();

  // Reactor thread: for raft_uv.
  struct uv_loop_s* loop() {
    return &loop_;
  }
  bool on_reactor_thread() const { return std::this_thread::get_id() == thread_.get_id(); }
  // Runs it on the reactor thread and waits for it. Not from there.
  void run(const std::function<void()>& task);

  void post(std::function<void()> task) override;
  std::uint64_t now_ms() const override;
  std::uint64_t wall_ms() const override;
  TimerId after(std::uint64_t delay_ms, std::function<void()> task) override;
  void cancel(TimerId timer) override;
  void offload(std::function<void()> work, std::function<void()> done) override;
  void random(std::span<std::byte> into) override;

 private:
  // Apart from libuv's pool, which raft_uv needs for its files: long work here must not delay those.
  static constexpr std::size_t kWorkers = 2;

  struct TimerHandle {
    uv_timer_t handle{};
    UvReactor* reactor = nullptr;
    TimerId id = 0;
    std::function<void()> task;
  };
  struct Job {
    std::function<void()> work;
    std::function<void()> done;
  };

  void run_loop();
  void run_posted();
  void close_handles();
  void work();

  uv_loop_t loop_{};
  uv_async_t wake_{};
  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;         // under mutex_
  bool stopping_ = false;                             // under mutex_
  std::atomic<bool> closed_{false};                   // nothing is run any more
  std::unordered_map<TimerId, TimerHandle*> timers_;  // libuv has their memory until they are closed
  TimerId next_timer_ = 1;

  std::mutex jobs_mutex_;
  std::condition_variable jobs_wake_;
  std::deque<Job> jobs_;  // under jobs_mutex_
  bool no_more_jobs_ = false;

  std::thread thread_;
  std::vector<std::thread> workers_;
};

}  // namespace swarmdns::controlplane
