#include "dataplane/cache/reader.h"

namespace swarmdns::cache {

void Reader::candidates(std::span<const std::uint64_t> hashes, std::span<const Entry*> out) const noexcept {
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    const std::uint64_t hash = hashes[i];
    const Bucket& first = table_.bucket(table_.first_index(hash));
    const Entry* found = table_.candidate_in(first, Table::tag(hash));
    if (found != nullptr) [[likely]] {
      prefetch_entry(found);
    } else {
      std::atomic_thread_fence(std::memory_order_acquire);
      if (Table::spilled(first, Table::tag(hash))) {
        // Looked into below, when its line has come.
        const Bucket& second = table_.bucket(table_.second_index(hash));
        __builtin_prefetch(&second);
        found = reinterpret_cast<const Entry*>(reinterpret_cast<std::uintptr_t>(&second) | 1);
      }
    }
    out[i] = found;
  }
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    const auto word = reinterpret_cast<std::uintptr_t>(out[i]);
    if ((word & 1) == 0) continue;
    const auto& second = *reinterpret_cast<const Bucket*>(word & ~std::uintptr_t{1});
    out[i] = table_.candidate_in(second, Table::tag(hashes[i]));
    if (out[i] != nullptr) prefetch_entry(out[i]);
  }
}

}  // namespace swarmdns::cache
