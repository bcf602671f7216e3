#include "dataplane/cache/wheel.h"

namespace swarmdns::cache {

Wheel::Wheel(std::span<Page> pages, Seconds now) noexcept : pages_(pages), now_(now) {
  heads_.fill(kNoPage);
}

void Wheel::schedule(PageIndex page, Seconds deadline) noexcept {
  if (deadline == kNever) return;
  Page& node = pages_[page];
  if (node.wheel_bucket != kUnlinked) {
    if (node.deadline <= deadline) return;
    unlink(page);
  }
  node.deadline = deadline;
  link(page);
}

bool Wheel::advance(Seconds now, unsigned max_ticks) noexcept {
  while (now_ < now) {
    if (max_ticks-- == 0) return true;
    ++now_;
    // Pages of a coarser bucket whose span begins now go to finer ones. All of them are due later than the
    // bucket they land in is looked at, or at once.
    for (std::size_t level = 1; level < kLevels && (now_ & ((Seconds{1} << (8 * level)) - 1)) == 0; ++level) {
      redistribute(static_cast<std::uint16_t>(level * 256 + (now_ >> (8 * level) & 255)));
    }
    redistribute(static_cast<std::uint16_t>(now_ & 255));
  }
  return false;
}

PageIndex Wheel::pop_due() noexcept {
  const PageIndex page = heads_[kDue];
  if (page != kNoPage) {
    unlink(page);
    pages_[page].deadline = kNever;
  }
  return page;
}

std::uint16_t Wheel::bucket_for(Seconds deadline) const noexcept {
  if (deadline <= now_) return kDue;
  const Seconds differing = deadline ^ now_;
  const std::size_t level = differing < 1U << 8 ? 0 : differing < 1U << 16 ? 1 : differing < 1U << 24 ? 2 : 3;
  return static_cast<std::uint16_t>(level * 256 + (deadline >> (8 * level) & 255));
}

void Wheel::link(PageIndex page) noexcept {
  Page& node = pages_[page];
  node.wheel_bucket = bucket_for(node.deadline);
  PageIndex& head = heads_[node.wheel_bucket];
  node.wheel_prev = kNoPage;
  node.wheel_next = head;
  if (head != kNoPage) pages_[head].wheel_prev = page;
  head = page;
}

void Wheel::unlink(PageIndex page) noexcept {
  Page& node = pages_[page];
  if (node.wheel_prev != kNoPage) {
    pages_[node.wheel_prev].wheel_next = node.wheel_next;
  } else {
    heads_[node.wheel_bucket] = node.wheel_next;
  }
  if (node.wheel_next != kNoPage) pages_[node.wheel_next].wheel_prev = node.wheel_prev;
  node.wheel_next = node.wheel_prev = kNoPage;
  node.wheel_bucket = kUnlinked;
}

void Wheel::redistribute(std::uint16_t bucket) noexcept {
  PageIndex page = heads_[bucket];
  heads_[bucket] = kNoPage;
  while (page != kNoPage) {
    const PageIndex next = pages_[page].wheel_next;
    link(page);
    page = next;
  }
}

}  // namespace swarmdns::cache
