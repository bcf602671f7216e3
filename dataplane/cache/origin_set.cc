#include "dataplane/cache/origin_set.h"

#include <algorithm>

namespace swarmdns::cache {

namespace {

constexpr std::uint64_t word(std::uint16_t node, std::uint64_t number) noexcept {
  return std::uint64_t{node} << 48 | number;
}

}  // namespace

OriginSet::OriginSet(std::span<const Range> ranges, bool unknown) : unknown_(unknown) {
  spans_.reserve(ranges.size());
  for (const Range& range : ranges) {
    const std::uint64_t first = std::max<std::uint64_t>(range.first, 1);
    const std::uint64_t last = std::min(range.last, kMostNumber);
    if (first <= last) spans_.push_back({word(range.node, first), word(range.node, last)});
  }
  std::ranges::sort(spans_, {}, &Span::first);
  std::size_t kept = 0;
  for (const Span& span : spans_) {
    if (kept > 0 && span.first <= spans_[kept - 1].last + 1) {
      spans_[kept - 1].last = std::max(spans_[kept - 1].last, span.last);
    } else {
      spans_[kept++] = span;
    }
  }
  spans_.resize(kept);
}

void OriginSet::end_own_at(std::uint64_t end) {
  std::erase_if(spans_, [&](const Span& span) { return span.first >= end && span.first <= kMostNumber; });
  for (Span& span : spans_) {
    if (span.first <= kMostNumber) span.last = std::min(span.last, end - 1);
  }
}

bool OriginSet::contains(const Origin& origin) const noexcept {
  if (origin.sequence == 0) return unknown_;
  const std::uint64_t at = word(origin.node, origin.sequence);
  const auto behind = std::ranges::upper_bound(spans_, at, {}, &Span::first);
  return behind != spans_.begin() && at <= std::prev(behind)->last;
}

}  // namespace swarmdns::cache
