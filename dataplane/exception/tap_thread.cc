#include "dataplane/exception/tap_thread.h"

#include <poll.h>
#include <time.h>

#include <chrono>
#include <utility>

#include "dataplane/sync/affinity.h"
#include "dataplane/sync/idle.h"

namespace swarmdns::exception {
namespace {

using stats::Counter;

// Each way and round, so that a flood one way does not stop the other.
constexpr std::size_t kFramesPerRound = 64;
constexpr std::size_t kLinkHeaders = 14 + 2 * 4;

}  // namespace

TapThread::TapThread(std::vector<Tap> taps, std::vector<KernelLink*> links, std::vector<unsigned> cpus,
                     sync::Doorbell& bell, stats::ThreadStats& stats)
    : taps_(std::move(taps)), links_(std::move(links)), cpus_(std::move(cpus)), bell_(bell), stats_(stats) {}

TapThread::~TapThread() {
  stop();
}

void TapThread::start() {
  thread_ = std::thread([this] { run(); });
}

void TapThread::stop() {
  stop_.store(true, std::memory_order_relaxed);
  if (thread_.joinable()) thread_.join();
}

void TapThread::run() {
  sync::begin_slow_thread("tap", cpus_);
  // Frames from the kernel end the sleep at once; those to it come after a pause a millisecond late at most.
  sync::IdleSleep idle(std::chrono::microseconds(50), std::chrono::microseconds(1000));
  std::vector<pollfd> waiting;
  waiting.reserve(taps_.size());
  for (const Tap& tap : taps_) waiting.push_back({tap.fd(), POLLIN, 0});
  while (!stop_.load(std::memory_order_relaxed)) {
    if (round() != 0) {
      idle.worked();
      continue;
    }
    if (idle.longest() && !worker_behind_ &&
        bell_.doze([this] { return round() != 0; }, sync::kLongestDoze, waiting)) {
      continue;
    }
    // Busy workers do not wake anybody: their rings are looked at after a short sleep; the TAPs end it at
    // once.
    const timespec pause{.tv_sec = 0, .tv_nsec = static_cast<long>(idle.next().count()) * 1000};
    ppoll(waiting.data(), worker_behind_ ? 0 : waiting.size(), &pause, nullptr);
  }
}

std::size_t TapThread::round() noexcept {
  worker_behind_ = false;
  std::size_t moved = 0;
  for (std::size_t port = 0; port < taps_.size(); ++port) moved += to_kernel(port) + from_kernel(port);
  return moved;
}

std::size_t TapThread::to_kernel(std::size_t port) noexcept {
  std::size_t moved = 0;
  for (const auto& ring : links_[port]->to_kernel) {
    for (std::size_t i = 0; i < kFramesPerRound; ++i) {
      const std::span<const std::byte> frame = ring->front();
      if (frame.empty()) break;
      if (!taps_[port].write(frame)) stats_.counters.add(Counter::DropKernelRefused);
      ring->pop();
      ++moved;
    }
  }
  return moved;
}

std::size_t TapThread::from_kernel(std::size_t port) noexcept {
  FrameRing& ring = links_[port]->from_kernel;
  const std::size_t longest = taps_[port].mtu() + kLinkHeaders;
  std::size_t moved = 0;
  for (; moved < kFramesPerRound; ++moved) {
    const std::span<std::byte> room = ring.claim(longest);
    // No room: the frame waits in the TAP's own queue, whose overflow the kernel counts on the interface.
    if (room.empty()) {
      worker_behind_ = true;
      break;
    }
    const std::size_t length = taps_[port].read(room);
    if (length == 0) break;
    ring.publish(length);
  }
  return moved;
}

}  // namespace swarmdns::exception
