#include "dataplane/cache/slab.h"

#include <algorithm>

namespace swarmdns::cache {

Slab::Slab(std::byte* arena, std::byte* start, std::span<Page> pages)
    : arena_(arena), start_offset_(static_cast<std::size_t>(start - arena)), pages_(pages) {
  pool_.reserve(pages.size());
  for (auto index = static_cast<PageIndex>(pages.size()); index > 0; --index) {
    pages_[index - 1] = Page{};
    pool_.push_back(index - 1);
  }
  pool_size_.store(pool_.size(), std::memory_order_relaxed);
}

Ref Slab::take_slot(SizeClass c) noexcept {
  ClassState& state = states_[c];
  if (state.open == kNoPage) return 0;
  const PageIndex index = state.open;
  Page& page = pages_[index];
  SlotPlace at{index, 0};
  if (page.free_slots > 0) {
    at.slot = page.free_head;
    --page.free_slots;
    std::memcpy(&page.free_head, entry(ref(at)), sizeof page.free_head);
  } else {
    at.slot = page.carved++;
  }
  --state.room;
  if (page.room() == 0) close(index);
  return ref(at);
}

bool Slab::grow(SizeClass c) {
  if (pool_.empty()) return false;
  const PageIndex index = pool_.back();
  pool_.pop_back();
  pool_size_.store(pool_.size(), std::memory_order_relaxed);
  Page& page = pages_[index];
  page.size_class = c;
  page.slot_size = classes_.size(c);
  page.carved = page.free_slots = page.free_head = 0;
  page.reciprocal = static_cast<std::uint32_t>((std::uint64_t{1} << 32) / page.slot_size + 1);
  page.slots = static_cast<std::uint16_t>(classes_.slots(c));
  std::fill_n(flags(index), page.slots, std::uint8_t{0});
  std::fill_n(deadlines(index), page.slots, kNever);
  ClassState& state = states_[c];
  page.class_position = static_cast<std::uint32_t>(state.pages.size());
  state.pages.push_back(index);
  state.room += page.slots;
  open(index);
  return true;
}

void Slab::give_back(Ref ref, bool was_retiring) {
  const SlotPlace at = place(ref);
  Page& page = pages_[at.page];
  ClassState& state = states_[page.size_class];
  if (was_retiring) {
    --page.retiring;
    --state.retiring;
  }
  std::memcpy(static_cast<void*>(entry(ref)), &page.free_head, sizeof page.free_head);
  page.free_head = static_cast<std::uint16_t>(at.slot);
  ++page.free_slots;
  if (!page.leaving) {
    ++state.room;
    if (page.room() == 1) open(at.page);
  }
  if (page.room() == page.slots) to_pool(at.page);
}

void Slab::set_live(const SlotPlace& at, std::uint8_t extra_flags) noexcept {
  Page& page = pages_[at.page];
  ClassState& state = states_[page.size_class];
  flags(at.page)[at.slot] = static_cast<std::uint8_t>(kSlotLive | kSlotYoung | extra_flags);
  ++page.live;
  ++page.young;
  ++state.live;
  ++state.young;
}

void Slab::set_retiring(const SlotPlace& at) noexcept {
  Page& page = pages_[at.page];
  ClassState& state = states_[page.size_class];
  std::uint8_t& flag = flags(at.page)[at.slot];
  if ((flag & kSlotYoung) != 0) {
    --page.young;
    --state.young;
  }
  flag = 0;
  deadlines(at.page)[at.slot] = kNever;
  --page.live;
  --state.live;
  ++page.retiring;
  ++state.retiring;
}

void Slab::set_old(const SlotPlace& at) noexcept {
  std::uint8_t& flag = flags(at.page)[at.slot];
  if ((flag & kSlotYoung) == 0) return;
  flag = static_cast<std::uint8_t>(flag & ~kSlotYoung);
  --pages_[at.page].young;
  --states_[pages_[at.page].size_class].young;
}

void Slab::start_leaving(PageIndex index) {
  Page& page = pages_[index];
  if (page.leaving) return;
  page.leaving = true;
  states_[page.size_class].room -= page.room();
  if (page.room() > 0) close(index);
  ++leaving_;
  if (page.room() == page.slots) to_pool(index);
}

void Slab::open(PageIndex index) noexcept {
  Page& page = pages_[index];
  PageIndex& head = states_[page.size_class].open;
  page.prev_open = kNoPage;
  page.next_open = head;
  if (head != kNoPage) pages_[head].prev_open = index;
  head = index;
}

void Slab::close(PageIndex index) noexcept {
  Page& page = pages_[index];
  if (page.prev_open != kNoPage) {
    pages_[page.prev_open].next_open = page.next_open;
  } else {
    states_[page.size_class].open = page.next_open;
  }
  if (page.next_open != kNoPage) pages_[page.next_open].prev_open = page.prev_open;
  page.next_open = page.prev_open = kNoPage;
}

void Slab::to_pool(PageIndex index) {
  Page& page = pages_[index];
  ClassState& state = states_[page.size_class];
  if (page.leaving) {
    --leaving_;
  } else {
    state.room -= page.room();
    close(index);
  }
  // The last page of the list takes the place of this one.
  const PageIndex last = state.pages.back();
  state.pages[page.class_position] = last;
  pages_[last].class_position = page.class_position;
  state.pages.pop_back();
  page.size_class = Page::kNoClass;
  page.leaving = false;
  pool_.push_back(index);
  pool_size_.store(pool_.size(), std::memory_order_relaxed);
}

}  // namespace swarmdns::cache
