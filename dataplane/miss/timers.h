// A timer for each of many small indices, in about millisecond steps: setting, moving and cancelling cost
// O(1). The miss thread's own.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "dataplane/miss/pool.h"

namespace swarmdns::miss {

class Timers {
 public:
  Timers() { heads_.fill(kNone); }

  // (Re)arms the timer of `index` for `due_us`; one that is due already fires at the next advance().
  void set(std::uint32_t index, std::uint64_t due_us) {
    if (index >= nodes_.size()) nodes_.resize(index + 1);
    cancel(index);
    Node& node = nodes_[index];
    // Rounded up: never early. A slot that has been passed already would wait for a whole turn.
    node.tick = (due_us + kTickMask) >> kTickBits;
    if (node.tick <= tick_) node.tick = tick_ + 1;
    link(index, static_cast<std::uint32_t>(node.tick % kSlots));
  }

  void cancel(std::uint32_t index) noexcept {
    if (index >= nodes_.size() || nodes_[index].slot == kNone) return;
    Node& node = nodes_[index];
    if (node.prev == kNone) {
      heads_[node.slot] = node.next;
    } else {
      nodes_[node.prev].next = node.next;
    }
    if (node.next != kNone) nodes_[node.next].prev = node.prev;
    node.slot = kNone;
    --armed_;
  }

  [[nodiscard]] bool armed(std::uint32_t index) const noexcept {
    return index < nodes_.size() && nodes_[index].slot != kNone;
  }
  [[nodiscard]] std::size_t armed() const noexcept { return armed_; }

  // Calls fire(index) for every timer due at `now_us`, disarmed. fire() may set and cancel any timer.
  // Returns how many fired.
  template <class Fire>
  std::size_t advance(std::uint64_t now_us, Fire&& fire) {
    const std::uint64_t now = now_us >> kTickBits;
    if (!started_) {
      started_ = true;
      if (tick_ == 0 && armed_ == 0) tick_ = now;
    }
    std::size_t fired = 0;
    if (armed_ == 0) {
      if (now > tick_) tick_ = now;
      return 0;
    }
    // After a long sleep every slot is looked at once, no more.
    if (now > tick_ + kSlots) tick_ = now - kSlots;
    while (tick_ < now) {
      ++tick_;
      const auto slot = static_cast<std::uint32_t>(tick_ % kSlots);
      if (heads_[slot] == kNone) continue;
      // Apart, on a list of its own, so that fire() can arm timers in this very slot.
      while (heads_[slot] != kNone) {
        const std::uint32_t index = heads_[slot];
        cancel(index);
        link(index, kFiring);
      }
      while (heads_[kFiring] != kNone) {
        const std::uint32_t index = heads_[kFiring];
        cancel(index);
        if (nodes_[index].tick > now) {  // of a later turn
          link(index, static_cast<std::uint32_t>(nodes_[index].tick % kSlots));
          continue;
        }
        ++fired;
        fire(index);
      }
    }
    return fired;
  }

 private:
  static constexpr unsigned kTickBits = 10;  // 1.024 ms
  static constexpr std::uint64_t kTickMask = (1U << kTickBits) - 1;
  static constexpr std::uint32_t kSlots = 4096;
  static constexpr std::uint32_t kFiring = kSlots;

  struct Node {
    std::uint64_t tick = 0;
    std::uint32_t prev = kNone;
    std::uint32_t next = kNone;
    std::uint32_t slot = kNone;  // kNone: not armed
  };

  void link(std::uint32_t index, std::uint32_t slot) noexcept {
    Node& node = nodes_[index];
    node.slot = slot;
    node.prev = kNone;
    node.next = heads_[slot];
    if (node.next != kNone) nodes_[node.next].prev = index;
    heads_[slot] = index;
    ++armed_;
  }

  std::vector<Node> nodes_;
  std::array<std::uint32_t, kSlots + 1> heads_{};
  std::uint64_t tick_ = 0;
  std::size_t armed_ = 0;
  bool started_ = false;
};

}  // namespace swarmdns::miss
