#include "dataplane/cache/reader.h"

#include <bit>

namespace swarmdns::cache {

void Reader::candidates(std::span<const std::uint64_t> hashes, std::span<const Entry*> out) const noexcept {
  // A bit for each that is looked for in its second bucket, when its line has come.
  std::uint64_t elsewhere = 0;
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    const std::uint64_t hash = hashes[i];
    const Bucket& first = table_.bucket(table_.first_index(hash));
    out[i] = table_.candidate_in(first, Table::tag(hash));
    if (out[i] != nullptr) [[likely]] {
      prefetch_entry(out[i]);
      continue;
    }
    std::atomic_thread_fence(std::memory_order_acquire);
    if (!Table::spilled(first, Table::tag(hash))) continue;
    __builtin_prefetch(&table_.bucket(table_.second_index(hash)));
    elsewhere |= std::uint64_t{1} << i;
  }
  for (; elsewhere != 0; elsewhere &= elsewhere - 1) {
    const auto i = static_cast<std::size_t>(std::countr_zero(elsewhere));
    out[i] = table_.candidate_in(table_.bucket(table_.second_index(hashes[i])), Table::tag(hashes[i]));
    if (out[i] != nullptr) prefetch_entry(out[i]);
  }
}

}  // namespace swarmdns::cache
