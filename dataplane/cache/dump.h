// Walks the whole cache in bounded slices on any thread, beside readers and the writer.
//
// Between Writer::begin_dump() and end_dump() every key that is in the cache all the while is met exactly
// once, in the version that stands when its bucket is visited; keys that come or go meanwhile may or may not
// be met (the journal has them: note Journal::next() before begin_dump()).
#pragma once

#include <cstdint>

#include "dataplane/cache/table.h"

namespace swarmdns::cache {

class DumpCursor {
 public:
  [[nodiscard]] bool done(const Table& table) const noexcept { return bucket_ >= table.bucket_count(); }

  // Calls visit(const Entry&) for what stands in the next `buckets` buckets (at most 10 entries each). The
  // calling thread holds a Reader; entries are valid until its next quiescent state, which it reports between
  // slices.
  template <class Visit>
  void next(const Table& table, std::uint32_t buckets, Visit&& visit) {
    const std::uint32_t count = table.bucket_count();
    for (; buckets > 0 && bucket_ < count; --buckets, ++bucket_) {
      if (bucket_ + 2 < count) prefetch_entries(table, table.bucket(bucket_ + 2));
      for (const auto& cell : table.bucket(bucket_).refs) {
        const Ref ref = cell.load(std::memory_order_acquire);
        if (ref != 0) visit(*table.entry(ref));
      }
    }
  }

 private:
  static void prefetch_entries(const Table& table, const Bucket& bucket) noexcept {
    for (const auto& cell : bucket.refs)
      __builtin_prefetch(table.entry(cell.load(std::memory_order_relaxed)));
  }

  std::uint32_t bucket_ = 0;
};

}  // namespace swarmdns::cache
