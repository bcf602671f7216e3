#include "dataplane/cache/size_classes.h"

namespace swarmdns::cache {

SizeClasses::SizeClasses() {
  std::size_t size = kSmallest;
  while (size < 4096) {
    sizes_.push_back(static_cast<std::uint32_t>(size));
    std::size_t step = 8;
    for (std::size_t doubling = 256; size >= doubling; doubling *= 2)
      step = doubling / 16 < 8 ? 8 : doubling / 16;
    size += step;
  }
  for (std::size_t slots = 15; slots >= 1; --slots) {
    sizes_.push_back(static_cast<std::uint32_t>((kPageSize / slots - kSlotRecord) & ~std::size_t{7}));
  }
  static_assert(Entry::kMaxSize <= ((kPageSize - kSlotRecord) & ~std::size_t{7}));
  SizeClass c = 0;
  for (std::size_t i = 0; i < by_size_.size(); ++i) {
    while (sizes_[c] < i * 8) ++c;
    by_size_[i] = c;
  }
}

}  // namespace swarmdns::cache
