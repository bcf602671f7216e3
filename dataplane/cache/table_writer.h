// The changing side of the table. Writer thread only; the protocol towards readers is described in table.h.
#pragma once

#include <cstdint>

#include "dataplane/cache/table.h"

namespace swarmdns::cache {

class TableWriter {
 public:
  explicit TableWriter(Table& table) noexcept : table_(table) {}

  // A cell of the table; `bucket` null: none.
  struct Cell {
    Bucket* bucket = nullptr;
    unsigned index = 0;
    bool second = false;  // it lies in its key's second bucket
    [[nodiscard]] explicit operator bool() const noexcept { return bucket != nullptr; }
    [[nodiscard]] Ref ref() const noexcept { return bucket->refs[index].load(std::memory_order_relaxed); }
  };

  [[nodiscard]] Cell find(std::uint64_t hash, const Key& key) const noexcept;
  [[nodiscard]] Cell find(std::uint64_t hash, Ref ref) const noexcept;

  // Readers see the new entry or the old one. The caller retires the old.
  void replace(const Cell& cell, Ref ref) noexcept {
    cell.bucket->refs[cell.index].store(ref, std::memory_order_release);
  }
  void remove(const Cell& cell, std::uint64_t hash) noexcept;

  // A key that is not there. When both buckets are full, another entry is moved to its second bucket if
  // `may_move`; if that cannot be, the entry returned has been taken out, which the caller retires. 0: none
  // was.
  [[nodiscard]] Ref insert(std::uint64_t hash, Ref ref, bool may_move) noexcept;

  [[nodiscard]] std::uint64_t moves() const noexcept { return moves_; }
  [[nodiscard]] std::uint64_t displaced() const noexcept { return displaced_; }

 private:
  // The first bucket is filled up to this many cells before the emptier of the two is taken.
  static constexpr int kPreferFirst = 9;

  static void fill(Bucket& bucket, unsigned index, std::uint16_t tag, Ref ref) noexcept;
  static unsigned filled(const Bucket& bucket) noexcept;  // a bit per filled cell
  void count_spill(std::uint64_t hash, int change) noexcept;
  [[nodiscard]] int make_space(std::uint32_t index) noexcept;
  [[nodiscard]] bool any_unasked(const Bucket& bucket) const noexcept;
  [[nodiscard]] unsigned victim(const Bucket& bucket) noexcept;

  Table& table_;
  std::uint64_t moves_ = 0;
  std::uint64_t displaced_ = 0;
  std::uint32_t turn_ = 0;
};

}  // namespace swarmdns::cache
