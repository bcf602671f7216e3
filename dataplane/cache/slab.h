// The memory entries lie in: pages of 64 KiB, each cut into slots of one size
// class while it holds any. A page that has become empty goes back to the pool
// and may serve another class next, which is how the budget follows the
// answers.
//
// Writer thread only, but for what is marked. What the writer keeps about a
// slot lies at the end of the page, away from the lines readers look at; what
// it keeps about a page lies in an array of its own.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "dataplane/cache/entry.h"
#include "dataplane/cache/size_classes.h"
#include "dataplane/cache/table.h"

namespace swarmdns::cache {

using PageIndex = std::uint32_t;
inline constexpr PageIndex kNoPage = 0xffff'ffff;

// A slot's state bits.
inline constexpr std::uint8_t kSlotLive = 1;   // in the table
inline constexpr std::uint8_t kSlotYoung = 2;  // inserted since the eviction hand last came by (eviction.h)
inline constexpr std::uint8_t kSlotFresh = 4;  // inserted ahead of a running flush, which spares it

inline constexpr Seconds kNever = 0xffff'ffff;

struct alignas(64) Page {
  static constexpr std::uint8_t kNoClass = 0xff;

  std::uint32_t slot_size = 0;
  std::uint32_t reciprocal = 0;  // of slot_size, scaled by 2^32
  std::uint16_t slots = 0;
  std::uint16_t carved = 0;      // slots given out at least once since the page joined its class
  std::uint16_t free_slots = 0;  // given back, in the chain; carving room not counted
  std::uint16_t free_head = 0;   // first of the chain, valid while free_slots > 0
  std::uint16_t live = 0;
  std::uint16_t young = 0;
  std::uint16_t retiring = 0;  // waiting for their grace period
  SizeClass size_class = kNoClass;
  bool leaving = false;           // being emptied for another class
  PageIndex next_open = kNoPage;  // pages of the class with room
  PageIndex prev_open = kNoPage;
  std::uint32_t class_position = 0;  // in ClassState::pages
  Seconds deadline = kNever;         // the wheel's: no slot's deadline is earlier
  // The wheel's own (wheel.h), which outlive a change of class.
  PageIndex wheel_next = kNoPage;
  PageIndex wheel_prev = kNoPage;
  std::uint16_t wheel_bucket = 0xffff;

  [[nodiscard]] std::uint32_t room() const noexcept {
    return static_cast<std::uint32_t>(free_slots) + slots - carved;
  }
  [[nodiscard]] std::uint32_t slot_of(std::size_t offset) const noexcept {
    return static_cast<std::uint32_t>((std::uint64_t{offset} * reciprocal) >> 32);
  }
};
static_assert(sizeof(Page) == 64);

struct SlotPlace {
  PageIndex page = kNoPage;
  std::uint32_t slot = 0;
};

class Slab {
 public:
  // What the writer knows of a size class.
  struct ClassState {
    std::vector<PageIndex> pages;
    PageIndex open = kNoPage;  // head of the list of pages with room
    std::uint64_t room = 0;    // free slots of pages that are not leaving
    std::uint64_t live = 0;
    std::uint64_t young = 0;
    std::uint64_t retiring = 0;
    std::uint64_t reserve = 0;  // free slots eviction keeps ahead, to bridge grace periods
    std::uint64_t recent = 0;   // inserts lately, halved now and then
    std::uint64_t until_review = 0;
    std::uint32_t give_page = 0;  // position in `pages` of the next one considered for another class
    // The eviction hand.
    bool hand_on_young = true;
    std::uint64_t young_enough = 0;  // the passes over the young end when no more are left
    std::uint32_t young_passes = 0;  // in this turn
    std::uint32_t hand_page = 0;     // position in `pages`
    std::uint32_t hand_slot = 0;
  };

  // `pages` records of `count` pages starting at `start`, which is aligned to
  // the page size and lies in `arena`.
  Slab(std::byte* arena, std::byte* start, std::span<Page> pages);

  [[nodiscard]] const SizeClasses& classes() const noexcept { return classes_; }
  [[nodiscard]] ClassState& state(SizeClass c) noexcept { return states_[c]; }
  [[nodiscard]] Page& page(PageIndex index) noexcept { return pages_[index]; }
  [[nodiscard]] std::span<Page> pages() const noexcept { return pages_; }
  [[nodiscard]] std::size_t page_count() const noexcept { return pages_.size(); }
  [[nodiscard]] std::size_t pool() const noexcept { return pool_.size(); }
  [[nodiscard]] std::size_t pool_any_thread() const noexcept {
    return pool_size_.load(std::memory_order_relaxed);
  }

  // A free slot of the class, from its open pages only; 0: none. Its bytes are
  // anything.
  [[nodiscard]] Ref take_slot(SizeClass c) noexcept;
  // Gives the class a page from the pool. False: the pool is empty.
  bool grow(SizeClass c);
  // A slot whose grace period is over, or which was never shown to readers. An
  // empty page goes back to the pool.
  void give_back(Ref ref, bool was_retiring);

  // The slot becomes live, or ceases to be; counts are kept.
  void set_live(const SlotPlace& at, std::uint8_t extra_flags) noexcept;
  void set_retiring(const SlotPlace& at) noexcept;
  void set_old(const SlotPlace& at) noexcept;

  // No more slots are given out of this page; it goes to the pool when the last
  // one has come back.
  void start_leaving(PageIndex index);
  [[nodiscard]] std::size_t leaving() const noexcept { return leaving_; }

  [[nodiscard]] SlotPlace place(Ref ref) const noexcept {
    const std::size_t offset = std::size_t{ref} * 8 - start_offset_;
    const auto index = static_cast<PageIndex>(offset / kPageSize);
    return {index, pages_[index].slot_of(offset % kPageSize)};
  }
  [[nodiscard]] Ref ref(const SlotPlace& at) const noexcept {
    return static_cast<Ref>((start_offset_ + std::size_t{at.page} * kPageSize +
                             std::size_t{at.slot} * pages_[at.page].slot_size) /
                            8);
  }
  [[nodiscard]] Entry* entry(Ref ref) const noexcept {
    return reinterpret_cast<Entry*>(arena_ + std::size_t{ref} * 8);
  }

  // The records of a page's slots.
  [[nodiscard]] std::uint8_t* flags(PageIndex index) const noexcept {
    return reinterpret_cast<std::uint8_t*>(page_end(index) - std::size_t{pages_[index].slots} * 13);
  }
  [[nodiscard]] Seconds* deadlines(PageIndex index) const noexcept {
    return reinterpret_cast<Seconds*>(page_end(index) - std::size_t{pages_[index].slots} * 12);
  }
  void set_origin(const SlotPlace& at, const Origin& origin) noexcept {
    const std::uint64_t word = (origin.sequence & 0xffff'ffff'ffff) | std::uint64_t{origin.node} << 48;
    std::memcpy(origin_at(at), &word, sizeof word);
  }
  void prefetch_origin(const SlotPlace& at) const noexcept { __builtin_prefetch(origin_at(at)); }
  // Any thread that holds the entry: it was written before the entry was shown,
  // and stays.
  [[nodiscard]] Origin origin(const SlotPlace& at) const noexcept {
    std::uint64_t word;
    std::memcpy(&word, origin_at(at), sizeof word);
    return {static_cast<std::uint16_t>(word >> 48), word & 0xffff'ffff'ffff};
  }

 private:
  [[nodiscard]] std::byte* page_end(PageIndex index) const noexcept {
    return arena_ + start_offset_ + (std::size_t{index} + 1) * kPageSize;
  }
  [[nodiscard]] std::byte* origin_at(const SlotPlace& at) const noexcept {
    return page_end(at.page) - std::size_t{pages_[at.page].slots} * 8 + std::size_t{at.slot} * 8;
  }
  void open(PageIndex index) noexcept;
  void close(PageIndex index) noexcept;
  void to_pool(PageIndex index);

  SizeClasses classes_;
  std::byte* arena_;
  std::size_t start_offset_;
  std::span<Page> pages_;
  std::vector<PageIndex> pool_;
  std::atomic<std::size_t> pool_size_{0};
  std::size_t leaving_ = 0;
  std::array<ClassState, 256> states_;
};

}  // namespace swarmdns::cache
