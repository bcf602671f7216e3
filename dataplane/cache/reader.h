// The read side of the cache: wait-free lookups under liburcu's QSBR flavour.
#pragma once

#include <cstdint>

#include "dataplane/cache/entry.h"
#include "dataplane/cache/key.h"

namespace swarmdns::cache {

class Table;

// A thread that reads entries (workers, the miss thread, stream threads, gRPC threads). Made, used and destroyed on
// that thread; registers it with QSBR. Entries found stay valid until the thread's next quiescent() or offline().
class Reader {
 public:
  explicit Reader(const Table& table);
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  // Staged lookup, so that a burst overlaps its cache misses: hash all, prefetch all buckets, ask all for a
  // candidate (which prefetches the entry), then confirm each.
  [[nodiscard]] std::uint64_t hash(const Key& key) const noexcept;
  void prefetch_bucket(std::uint64_t hash) const noexcept;
  [[nodiscard]] const Entry* candidate(std::uint64_t hash) const noexcept;  // tag match; prefetched, not dereferenced
  [[nodiscard]] const Entry* confirm(std::uint64_t hash, const Key& key, const Entry* candidate) const noexcept;

  // All stages at once, and the mark for the eviction policy.
  [[nodiscard]] const Entry* find(const Key& key) const noexcept;

  void quiescent() noexcept;
  void offline() noexcept;  // before sleeping or blocking
  void online() noexcept;

 private:
  const Table& table_;
};

}  // namespace swarmdns::cache
