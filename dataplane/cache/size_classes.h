// The sizes slots come in, and how many of each a page holds. Sizes are multiples of 8 bytes: steps of 8 up
// to 256, then sixteen to the doubling; from 4 KiB on, whole fractions of a page.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "dataplane/cache/entry.h"

namespace swarmdns::cache {

using SizeClass = std::uint8_t;

inline constexpr std::size_t kPageSize = 65'536;
// What the writer keeps about each slot, at the end of the slot's page: deadline, origin, flags.
inline constexpr std::size_t kSlotRecord = 4 + 8 + 1;

class SizeClasses {
 public:
  SizeClasses();

  [[nodiscard]] std::size_t count() const noexcept { return sizes_.size(); }
  [[nodiscard]] std::uint32_t size(SizeClass c) const noexcept { return sizes_[c]; }
  [[nodiscard]] std::uint32_t slots(SizeClass c) const noexcept {
    return static_cast<std::uint32_t>(kPageSize / (sizes_[c] + kSlotRecord));
  }
  // The smallest that holds `bytes`, 1 to Entry::kMaxSize.
  [[nodiscard]] SizeClass of(std::size_t bytes) const noexcept { return by_size_[(bytes + 7) / 8]; }

 private:
  static constexpr std::size_t kSmallest = 40;

  std::vector<std::uint32_t> sizes_;
  std::array<SizeClass, Entry::kMaxSize / 8 + 1> by_size_{};
};

}  // namespace swarmdns::cache
