// The read side of the cache: wait-free lookups under liburcu's QSBR flavour. On hits nothing shared is
// written but an entry's eviction mark, and that only when it is not yet set.
#pragma once

#include <bit>
#include <cstdint>
#include <functional>
#include <span>

#include "dataplane/cache/entry.h"
#include "dataplane/cache/key.h"
#include "dataplane/cache/table.h"
#include "dataplane/sync/qsbr.h"

namespace swarmdns::cache {

// A thread that reads entries (workers, the miss thread, stream threads, gRPC threads). Made, used and
// destroyed on that thread; registers it with QSBR. Entries found stay valid until the thread's next
// quiescent() or offline().
class Reader {
 public:
  explicit Reader(const Table& table) : table_(table) {}
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  // Staged lookup, so that a burst overlaps its cache misses: hash all, prefetch all buckets, ask all for a
  // candidate (which prefetches the entry), then confirm each.

  // Of a key whose name has zeros behind it (hash.h), as that of a Query has.
  [[nodiscard]] std::uint64_t hash_padded(const Key& key) const noexcept { return table_.hash_padded(key); }
  [[nodiscard]] std::uint64_t hash(const Key& key) const noexcept { return table_.hash(key); }
  void prefetch_bucket(std::uint64_t hash) const noexcept { table_.prefetch(hash); }

  // A tag match, prefetched and not dereferenced; null: surely not there.
  [[nodiscard]] const Entry* candidate(std::uint64_t hash) const noexcept {
    const Entry* found = table_.candidate(hash);
    if (found != nullptr) [[likely]]
      prefetch_entry(found);
    return found;
  }
  // The same for a burst of at most 64, after prefetch_bucket() of each: entries in second buckets cost no
  // stall of their own.
  [[gnu::always_inline]] void candidates(std::span<const std::uint64_t> hashes,
                                         std::span<const Entry*> out) const noexcept {
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

  // The entry with this key, marked for the eviction policy; null when there is none. `candidate` null gives
  // null.
  [[nodiscard, gnu::always_inline]] const Entry* confirm(std::uint64_t hash, const Key& key,
                                                         const Entry* candidate) const noexcept {
    if (candidate == nullptr) return nullptr;
    if (!candidate->has_key(key)) [[unlikely]] {
      candidate = find_beside(hash, key);
      if (candidate == nullptr) return nullptr;
    }
    candidate->touch();
    return candidate;
  }

  // All stages at once, and the mark for the eviction policy.
  [[nodiscard]] const Entry* find(const Key& key) const noexcept { return find(hash(key), key); }
  [[nodiscard]] const Entry* find(std::uint64_t hash, const Key& key) const noexcept {
    const Entry* found = table_.find(hash, key);
    if (found != nullptr) found->touch();
    return found;
  }
  // Without the mark: for control.
  [[nodiscard]] const Entry* peek(const Key& key) const noexcept { return table_.find(hash(key), key); }

  void quiescent() noexcept { sync::QsbrThread::quiescent(); }
  void offline() noexcept { sync::QsbrThread::offline(); }  // before sleeping or blocking
  void online() noexcept { sync::QsbrThread::online(); }

 private:
  // GCC takes calls of a function that does nothing but this for calls without effect, and drops them:
  // inlined by force, it is kept.
  [[gnu::always_inline]] static void prefetch_entry(const Entry* entry) noexcept {
    __builtin_prefetch(entry);
    __builtin_prefetch(entry->bytes() + 64);
  }

  // Another entry has the candidate's tag: one in 6,000 lookups or so.
  [[nodiscard]] const Entry* find_beside(std::uint64_t hash, const Key& key) const noexcept;

  sync::QsbrThread registration_;
  const Table& table_;
};

}  // namespace swarmdns::cache
