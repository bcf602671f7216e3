#include "controlplane/consensus/uv_reactor.h"

#include <signal.h>
#include <sodium.h>
#include <time.h>

#include <future>
#include <utility>

namespace swarmdns::controlplane {

UvReactor::UvReactor() {
  [[maybe_unused]] const int ready = sodium_init();  // needed by none of what random() does; harmless again
  uv_loop_init(&loop_);
  uv_async_init(&loop_, &wake_, [](uv_async_t* wake) { static_cast<UvReactor*>(wake->data)->run_posted(); });
  wake_.data = this;

  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run_loop(); });
  for (std::size_t i = 0; i < kWorkers; ++i) workers_.emplace_back([this] { work(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

UvReactor::~UvReactor() {
  stop();
}

void UvReactor::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(stopping_, true)) return;
    uv_async_send(&wake_);
  }
  thread_.join();
  {
    const std::lock_guard lock(jobs_mutex_);
    no_more_jobs_ = true;
    jobs_.clear();
  }
  jobs_wake_.notify_all();
  for (std::thread& worker : workers_) worker.join();
  // Destroyed, not run; what their destructors post is dropped.
  for (std::vector<std::function<void()>> rest; !(rest = std::exchange(posted_, {})).empty();) rest.clear();
}

void UvReactor::run(const std::function<void()>& task) {
  std::promise<void> done;
  post([&] {
    task();
    done.set_value();
  });
  done.get_future().wait();
}

void UvReactor::run_loop() {
  uv_run(&loop_, UV_RUN_DEFAULT);
  uv_loop_close(&loop_);
}

void UvReactor::run_posted() {
  std::vector<std::function<void()>> tasks;
  bool stop = false;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(posted_);
    stop = stopping_ && !closed_;
    // The last round: what its tasks post is dropped, and nobody wakes the handle any more.
    if (stop) closed_ = true;
  }
  for (std::function<void()>& task : tasks) {
    task();
    task = nullptr;
  }
  if (stop) close_handles();
}

void UvReactor::close_handles() {
  uv_close(reinterpret_cast<uv_handle_t*>(&wake_), nullptr);
  while (!timers_.empty()) cancel(timers_.begin()->first);
}

void UvReactor::post(std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  posted_.push_back(std::move(task));
  uv_async_send(&wake_);  // under the lock: the handle is closed only after closed_ was set
}

std::uint64_t UvReactor::now_ms() const {
  return uv_now(&loop_);
}

std::uint64_t UvReactor::wall_ms() const {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000 + static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000;
}

// One libuv timer each: raft_uv's own timers lie in the same heap, and the engine relies on a timer of 0 ms
// running before theirs.
TimerId UvReactor::after(std::uint64_t delay_ms, std::function<void()> task) {
  if (closed_) return 0;
  auto* timer = new TimerHandle{.reactor = this, .id = next_timer_++, .task = std::move(task)};
  timer->handle.data = timer;
  uv_timer_init(&loop_, &timer->handle);
  timers_.emplace(timer->id, timer);
  uv_timer_start(
      &timer->handle,
      [](uv_timer_t* handle) {
        auto* fired = static_cast<TimerHandle*>(handle->data);
        const std::function<void()> due = std::move(fired->task);
        fired->reactor->cancel(fired->id);
        due();
      },
      delay_ms, 0);
  return timer->id;
}

void UvReactor::cancel(TimerId id) {
  const auto found = timers_.find(id);
  if (found == timers_.end()) return;
  TimerHandle* timer = found->second;
  timers_.erase(found);
  const std::function<void()> task = std::move(timer->task);  // destroyed now, not when libuv gets to it
  uv_close(reinterpret_cast<uv_handle_t*>(&timer->handle),
           [](uv_handle_t* handle) { delete static_cast<TimerHandle*>(handle->data); });
}

void UvReactor::offload(std::function<void()> work, std::function<void()> done) {
  {
    const std::lock_guard lock(jobs_mutex_);
    if (no_more_jobs_) return;
    jobs_.push_back({std::move(work), std::move(done)});
  }
  jobs_wake_.notify_one();
}

void UvReactor::work() {
  for (;;) {
    Job job;
    {
      std::unique_lock lock(jobs_mutex_);
      jobs_wake_.wait(lock, [this] { return no_more_jobs_ || !jobs_.empty(); });
      if (no_more_jobs_) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    job.work();
    job.work = nullptr;
    post(std::move(job.done));
  }
}

void UvReactor::random(std::span<std::byte> into) {
  randombytes_buf(into.data(), into.size());
}

}  // namespace swarmdns::controlplane
