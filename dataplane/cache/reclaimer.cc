#include "dataplane/cache/reclaimer.h"

#include <chrono>
#include <utility>

#include "dataplane/sync/affinity.h"
#include "dataplane/sync/futex.h"

namespace swarmdns::cache {

Reclaimer::Reclaimer(std::size_t capacity, std::function<void()> wait_for_readers, std::vector<unsigned> cpus)
    : capacity_(capacity) {
  gathering_.reserve(capacity);
  waiting_.reserve(capacity);
  thread_ = std::thread([this, wait = std::move(wait_for_readers), on = std::move(cpus)] { run(wait, on); });
}

Reclaimer::~Reclaimer() {
  // A batch under way is finished first: its state must not be overwritten by the thread afterwards.
  while (state_.load(std::memory_order_acquire) == kWaiting)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  state_.store(kStop, std::memory_order_release);
  sync::futex_wake(state_);
  thread_.join();
}

void Reclaimer::send() noexcept {
  std::swap(gathering_, waiting_);
  state_.store(kWaiting, std::memory_order_release);
  sync::futex_wake(state_);
}

void Reclaimer::run(const std::function<void()>& wait_for_readers, const std::vector<unsigned>& cpus) {
  sync::begin_slow_thread("sw-reclaimer", cpus);
  for (;;) {
    const std::uint32_t state = state_.load(std::memory_order_acquire);
    if (state == kStop) return;
    if (state == kIdle) {
      sync::futex_wait(state_, kIdle, std::chrono::seconds(10));
      continue;
    }
    wait_for_readers();
    grace_periods_.fetch_add(1, std::memory_order_relaxed);
    state_.store(kIdle, std::memory_order_release);
  }
}

}  // namespace swarmdns::cache
