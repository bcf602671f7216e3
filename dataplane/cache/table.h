// Where entries are found: an array of buckets, each one cache line of ten (16-bit tag, 32-bit reference)
// cells.
//
// A key has a first and a second bucket. It goes to the first, and to the second only when the first is
// nearly full; the first counts (by groups of tags) what of its own lies elsewhere, so that most lookups read
// one line. When both are full the writer moves an entry from *its* first bucket to *its* second.
//
// Readers are wait-free and never retry. They look at the first bucket, then at the second. The writer fills
// a cell by storing the tag, then the reference (release); it replaces by one store of the reference; it
// moves by publishing in the second bucket before it overwrites the cell in the first. So a reader that
// misses an entry in the first bucket because it was just moved finds it in the second; there is no move the
// other way. Memory behind a reference that was taken out is not reused before a grace period (reclaimer.h).
#pragma once

#if defined(__SSE2__) && !defined(__SANITIZE_THREAD__)
#include <emmintrin.h>
#define SWARMDNS_TAG_SIMD 1
#endif

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "dataplane/cache/entry.h"
#include "dataplane/cache/hash.h"

namespace swarmdns::cache {

// An entry's place in the arena, in units of 8 bytes from its start; 0 = none.
using Ref = std::uint32_t;

inline constexpr std::size_t kCells = 10;

struct alignas(64) Bucket {
  std::array<std::atomic<std::uint16_t>, kCells> tags;
  std::atomic<std::uint32_t> spilled;  // eight counters of four bits; 15 stays 15
  std::array<std::atomic<Ref>, kCells> refs;

  // A bit for each cell whose tag is `tag`, filled or not. The portable form is the reference for the other.
  [[nodiscard]] unsigned match_portable(std::uint16_t tag) const noexcept {
    unsigned mask = 0;
    for (unsigned i = 0; i < kCells; ++i) {
      mask |= static_cast<unsigned>(tags[i].load(std::memory_order_relaxed) == tag) << i;
    }
    return mask;
  }
  [[nodiscard, gnu::always_inline]] unsigned match(std::uint16_t tag) const noexcept {
#ifdef SWARMDNS_TAG_SIMD
    const __m128i want = _mm_set1_epi16(static_cast<short>(tag));
    const __m128i first = _mm_load_si128(reinterpret_cast<const __m128i*>(this));
    const __m128i rest = _mm_loadu_si32(reinterpret_cast<const std::byte*>(this) + 16);
    const __m128i equal = _mm_packs_epi16(_mm_cmpeq_epi16(first, want), _mm_cmpeq_epi16(rest, want));
    return static_cast<unsigned>(_mm_movemask_epi8(equal)) & ((1U << kCells) - 1);
#else
    return match_portable(tag);
#endif
  }
};
static_assert(sizeof(Bucket) == 64);

// What readers need, shared by all of them and written only when the cache is made.
class Table {
 public:
  Table() = default;
  Table(Bucket* buckets, std::uint32_t bucket_count, std::byte* arena, const HashKey& key) noexcept
      : buckets_(buckets), bucket_count_(bucket_count), arena_(arena), key_(key) {}

  [[nodiscard, gnu::always_inline]] std::uint64_t hash(const Key& key) const noexcept {
    return key_.hash(key);
  }
  [[nodiscard, gnu::always_inline]] std::uint64_t hash_padded(const Key& key) const noexcept {
    return key_.hash_padded(key);
  }

  [[nodiscard, gnu::always_inline]] static std::uint16_t tag(std::uint64_t hash) noexcept {
    return static_cast<std::uint16_t>(hash);
  }
  [[nodiscard, gnu::always_inline]] std::uint32_t first_index(std::uint64_t hash) const noexcept {
    return static_cast<std::uint32_t>(((hash >> 32) * bucket_count_) >> 32);
  }
  [[nodiscard, gnu::always_inline]] std::uint32_t second_index(std::uint64_t hash) const noexcept {
    const std::uint64_t other = (hash * 0x9e37'79b9'7f4a'7c15ULL) >> 32;
    const auto index = static_cast<std::uint32_t>((other * bucket_count_) >> 32);
    if (index != first_index(hash)) return index;
    return index + 1 == bucket_count_ ? 0 : index + 1;
  }
  // The four-bit counter of Bucket::spilled that keys of this tag are counted in: its shift.
  [[nodiscard, gnu::always_inline]] static unsigned spill_shift(std::uint16_t tag) noexcept {
    return (tag >> 13) * 4U;
  }

  [[nodiscard, gnu::always_inline]] Bucket& bucket(std::uint32_t index) const noexcept {
    return buckets_[index];
  }
  [[nodiscard]] std::uint32_t bucket_count() const noexcept { return bucket_count_; }
  [[nodiscard]] std::size_t cell_count() const noexcept { return std::size_t{bucket_count_} * kCells; }

  [[nodiscard]] std::byte* arena() const noexcept { return arena_; }
  [[nodiscard, gnu::always_inline]] const Entry* entry(Ref ref) const noexcept {
    return reinterpret_cast<const Entry*>(arena_ + std::size_t{ref} * 8);
  }
  [[nodiscard]] Ref ref(const Entry* entry) const noexcept {
    return static_cast<Ref>(static_cast<std::size_t>(entry->bytes() - arena_) / 8);
  }

  [[gnu::always_inline]] void prefetch(std::uint64_t hash) const noexcept {
    __builtin_prefetch(&buckets_[first_index(hash)]);
  }

  // The first filled cell whose tag fits, or null. Its entry is not touched.
  [[nodiscard, gnu::always_inline]] const Entry* candidate(std::uint64_t hash) const noexcept {
    const Bucket& first = buckets_[first_index(hash)];
    if (const Entry* found = candidate_in(first, tag(hash)); found != nullptr) [[likely]]
      return found;
    std::atomic_thread_fence(std::memory_order_acquire);  // nothing on x86; see the order of a move above
    if (!spilled(first, tag(hash))) return nullptr;
    return candidate_in(buckets_[second_index(hash)], tag(hash));
  }
  // The entry with this key, whatever else shares its tag.
  [[nodiscard, gnu::always_inline]] const Entry* find(std::uint64_t hash, const Key& key) const noexcept {
    const Bucket& first = buckets_[first_index(hash)];
    if (const Entry* found = find_in(first, tag(hash), key); found != nullptr) return found;
    std::atomic_thread_fence(std::memory_order_acquire);
    if (!spilled(first, tag(hash))) return nullptr;
    return find_in(buckets_[second_index(hash)], tag(hash), key);
  }

  [[nodiscard, gnu::always_inline]] const Entry* candidate_in(const Bucket& bucket,
                                                              std::uint16_t tag) const noexcept {
    for (unsigned mask = bucket.match(tag); mask != 0; mask &= mask - 1) {
      const Ref ref =
          bucket.refs[static_cast<unsigned>(std::countr_zero(mask))].load(std::memory_order_acquire);
      if (ref != 0) return entry(ref);
    }
    return nullptr;
  }
  [[nodiscard, gnu::always_inline]] static bool spilled(const Bucket& first, std::uint16_t tag) noexcept {
    return (first.spilled.load(std::memory_order_acquire) >> spill_shift(tag) & 15) != 0;
  }

 private:
  [[nodiscard, gnu::always_inline]] const Entry* find_in(const Bucket& bucket, std::uint16_t tag,
                                                         const Key& key) const noexcept {
    for (unsigned mask = bucket.match(tag); mask != 0; mask &= mask - 1) {
      const Ref ref =
          bucket.refs[static_cast<unsigned>(std::countr_zero(mask))].load(std::memory_order_acquire);
      if (ref != 0 && entry(ref)->has_key(key)) return entry(ref);
    }
    return nullptr;
  }

  Bucket* buckets_ = nullptr;
  std::uint32_t bucket_count_ = 0;
  std::byte* arena_ = nullptr;
  HashKey key_;
};

}  // namespace swarmdns::cache
