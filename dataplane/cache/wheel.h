// When entries end: a hierarchical timing wheel on the cache clock, four levels of 256 buckets, one-second
// ticks. What turns on it are pages, each by the earliest deadline of its slots: the deadlines of the slots
// lie side by side in the page, so that going through them costs less than the links of a list per entry
// would, and an entry that is removed or replaced needs no unlinking: its page's deadline is then merely too
// early once.
//
// Writer thread only.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "dataplane/cache/entry.h"
#include "dataplane/cache/slab.h"

namespace swarmdns::cache {

class Wheel {
 public:
  Wheel(std::span<Page> pages, Seconds now) noexcept;

  // The page is due at `deadline` at the latest; an earlier deadline it has already stands. kNever is
  // ignored.
  void schedule(PageIndex page, Seconds deadline) noexcept;

  // Turns to `now`, at most `max_ticks` ticks. True: not there yet.
  bool advance(Seconds now, unsigned max_ticks) noexcept;

  // A page whose deadline has come, taken off the wheel; kNoPage when there is none.
  [[nodiscard]] PageIndex pop_due() noexcept;

  [[nodiscard]] Seconds now() const noexcept { return now_; }

 private:
  static constexpr std::size_t kLevels = 4;
  static constexpr std::uint16_t kDue = kLevels * 256;
  static constexpr std::uint16_t kUnlinked = 0xffff;

  [[nodiscard]] std::uint16_t bucket_for(Seconds deadline) const noexcept;
  void link(PageIndex page) noexcept;
  void unlink(PageIndex page) noexcept;
  void redistribute(std::uint16_t bucket) noexcept;

  std::span<Page> pages_;
  Seconds now_;
  std::array<PageIndex, kLevels * 256 + 1> heads_;
};

}  // namespace swarmdns::cache
