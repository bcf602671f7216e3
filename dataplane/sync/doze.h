// Long sleeps for the threads behind the workers' rings while no worker has anything to put there.
//
// A busy worker never makes a system call to wake anybody, so whoever reads its rings looks at them every
// fraction of a millisecond. On an idle node that alone is thousands of wake-ups a second. Therefore a worker
// that has long found nothing says so (Roll::leave), and the first loop that finds work again calls
// Roll::enter() once its replies are on their way: the reader of its rings may sleep long in between.
#pragma once

#include <poll.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace swarmdns::sync {

class Roll;

// Nothing waits longer than this for a ring that was missed, for a stop, or for changed options.
inline constexpr std::chrono::milliseconds kLongestDoze{20};

// The bed of one thread that reads rings. Made by Roll::add(); lives as long as the Roll.
class Doorbell {
 public:
  Doorbell(const Doorbell&) = delete;
  Doorbell& operator=(const Doorbell&) = delete;
  ~Doorbell();

  // Any thread, after it has published to a ring of the owner: a system call when the owner dozes, else a
  // fence and a load.
  void ring() noexcept;

  // The owner, with nothing to do for a while: sleeps until rung, until one of `others` is readable, or for
  // `longest`. False, at once, when a worker is awake or `look()` (a last look at the rings) finds work.
  template <class Look>
  bool doze(Look&& look, std::chrono::microseconds longest, std::span<const pollfd> others = {}) {
    if (!lie_down()) return false;
    const bool found = look();
    if (!found) sleep(longest, others);
    get_up();
    return !found;
  }

 private:
  friend class Roll;
  explicit Doorbell(const Roll& roll);  // throws std::system_error when there is no descriptor left

  [[nodiscard]] bool lie_down() noexcept;
  void sleep(std::chrono::microseconds longest, std::span<const pollfd> others) noexcept;
  void get_up() noexcept;

  const Roll& roll_;
  const int fd_;
  std::vector<pollfd> waiting_;  // the owner's own
  alignas(64) std::atomic<bool> dozing_{false};
};

// Who of the workers is awake. Outlives workers and the owners of the bells.
class Roll {
 public:
  // Before any thread of it starts.
  [[nodiscard]] Doorbell& add();

  // A worker: from now on it may put something in a ring, or has already. Makes a system call for each owner
  // that dozes.
  void enter() noexcept;
  // A worker: nothing of its own is in a ring that was not there before this call.
  void leave() noexcept;

  [[nodiscard]] bool nobody_awake() const noexcept { return awake_.load(std::memory_order_seq_cst) == 0; }

 private:
  std::vector<std::unique_ptr<Doorbell>> bells_;
  alignas(64) std::atomic<std::uint32_t> awake_{0};
};

}  // namespace swarmdns::sync
