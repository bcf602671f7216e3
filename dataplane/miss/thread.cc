#include "dataplane/miss/thread.h"

#include <poll.h>
#include <time.h>

#include "dataplane/sync/affinity.h"
#include "dataplane/sync/idle.h"

namespace swarmdns::miss {
namespace {

std::uint64_t boottime_us() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(now.tv_nsec) / 1000;
}

}  // namespace

Thread::Thread(const Limits& limits, const OptionsSlot& options, cache::Writer& writer,
               const cache::Clock& clock, sync::Doorbell& bell, stats::Block& counters,
               std::vector<unsigned> cpus)
    : store_(writer),
      engine_(limits, options, store_, counters),
      clock_(clock),
      bell_(bell),
      cpus_(std::move(cpus)) {}

Thread::~Thread() {
  stop();
}

void Thread::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Thread::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

void Thread::run(const std::stop_token& stop) {
  sync::begin_slow_thread("miss", cpus_);
  store_.enter_thread();
  // The cache's clock counts milliseconds; round-trip times on loopback are shorter than that.
  const std::uint64_t start = clock_.milliseconds() * 1000;
  const std::uint64_t origin = boottime_us();
  // An empty node hardly shows up in top, and the first miss after a pause waits a millisecond at most.
  sync::IdleSleep idle(std::chrono::microseconds(50), std::chrono::microseconds(1000));
  const auto round = [&] { return engine_.poll_once(start + (boottime_us() - origin)); };
  const auto last_look = [&] {
    if (round()) return true;
    store_.offline();
    return false;
  };
  while (!stop.stop_requested()) {
    if (round()) {
      idle.worked();
      continue;
    }
    if (idle.longest() && engine_.questions() == 0) {
      const pollfd upstreams{engine_.descriptor(), POLLIN, 0};
      if (bell_.doze(last_look, sync::kLongestDoze, {&upstreams, engine_.expecting() ? 1U : 0U})) {
        store_.online();
        continue;
      }
    }
    store_.offline();
    engine_.wait(static_cast<std::uint64_t>(idle.next().count()));
    store_.online();
  }
  store_.leave_thread();
}

}  // namespace swarmdns::miss
