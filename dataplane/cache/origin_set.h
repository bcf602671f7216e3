// A set of origins: ranges of the numbers of nodes' mutations, and those that are not known. What a fence
// declares dead.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/cache/entry.h"

namespace swarmdns::cache {

class OriginSet {
 public:
  static constexpr std::uint64_t kMostNumber = (std::uint64_t{1} << 48) - 1;

  struct Range {
    std::uint16_t node = 0;
    std::uint64_t first = 1;
    std::uint64_t last = kMostNumber;  // inclusive
  };

  OriginSet() = default;
  // Ranges in any order; they may overlap. Numbers beyond 48 bits are cut. `unknown`: number 0 of any node.
  OriginSet(std::span<const Range> ranges, bool unknown);

  // Of this node (0), numbers from `end` on are not in it any more.
  void end_own_at(std::uint64_t end);

  [[nodiscard]] bool contains(const Origin& origin) const noexcept;  // O(log ranges)
  [[nodiscard]] std::size_t ranges() const noexcept { return spans_.size(); }

 private:
  // Node and number in one word, as a slab keeps them: spans of different nodes never touch, for number 0 is
  // in none.
  struct Span {
    std::uint64_t first;
    std::uint64_t last;
  };
  std::vector<Span> spans_;  // ascending, apart from each other
  bool unknown_ = false;
};

}  // namespace swarmdns::cache
