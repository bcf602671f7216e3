// Gives slots back when no reader can hold them any more. liburcu's QSBR flavour cannot be asked whether a
// grace period is over, only be waited for; a thread of its own does the waiting, so that the writer never
// does.
//
// Slots taken out of the table gather in a batch; when the thread is free, the batch goes to it, and comes
// back after one grace period. At most two batches are under way: the one waited for and the one gathering.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

#include "dataplane/cache/table.h"

namespace swarmdns::cache {

class Reclaimer {
 public:
  // `capacity`: slots that can wait in each batch. `wait_for_readers` blocks for one grace period. `cpus`:
  // where the thread may run; empty: as the calling thread.
  Reclaimer(std::size_t capacity, std::function<void()> wait_for_readers, std::vector<unsigned> cpus);
  // Waits for a grace period under way, hence not on a thread that is online.
  ~Reclaimer();
  Reclaimer(const Reclaimer&) = delete;
  Reclaimer& operator=(const Reclaimer&) = delete;

  // --- Writer thread ---

  // How many more retire() takes now.
  [[nodiscard]] std::size_t room() const noexcept { return capacity_ - gathering_.size(); }
  // There must be room.
  void retire(Ref ref) noexcept { gathering_.push_back(ref); }

  // Hands up to `limit` slots whose grace period is over to `give_back(Ref)`, and sends the gathered batch
  // off when it can. True: there are more to be handed out.
  template <class GiveBack>
  bool collect(std::size_t limit, GiveBack&& give_back) {
    if (state_.load(std::memory_order_acquire) == kIdle) {
      while (limit > 0 && !waiting_.empty()) {
        give_back(waiting_.back());
        waiting_.pop_back();
        --limit;
      }
      if (waiting_.empty() && !gathering_.empty()) send();
      return state_.load(std::memory_order_relaxed) == kIdle && !waiting_.empty();
    }
    return false;
  }

  [[nodiscard]] bool empty() const noexcept {
    return gathering_.empty() && state_.load(std::memory_order_acquire) == kIdle && waiting_.empty();
  }
  [[nodiscard]] std::uint64_t grace_periods() const noexcept {
    return grace_periods_.load(std::memory_order_relaxed);
  }

  // Bytes of memory for a given capacity.
  [[nodiscard]] static std::size_t memory(std::size_t capacity) noexcept {
    return 2 * capacity * sizeof(Ref);
  }

 private:
  static constexpr std::uint32_t kIdle = 0;     // `waiting_` is the writer's
  static constexpr std::uint32_t kWaiting = 1;  // `waiting_` waits for a grace period
  static constexpr std::uint32_t kStop = 2;

  void send() noexcept;
  void run(const std::function<void()>& wait_for_readers, const std::vector<unsigned>& cpus);

  const std::size_t capacity_;
  std::vector<Ref> gathering_;
  std::vector<Ref> waiting_;
  std::atomic<std::uint32_t> state_{kIdle};
  std::atomic<std::uint64_t> grace_periods_{0};
  std::thread thread_;
};

}  // namespace swarmdns::cache
