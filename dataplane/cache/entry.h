// One answer as it lies in the cache, and as it travels from the miss path to its waiters: the same bytes, so
// that a reply is built by one piece of code whether it was cached or not.
//
// Immutable once published, but for `touched` (the eviction policy's one relaxed bit) and `prefetch_asked`.
// Layout: Entry (32 bytes), qname[qname_len], a zero byte if that is odd, ttl_offsets[ttl_count()] (uint16_t,
// host order, relative to sections()), sections[sections_len]. Every record's TTL has its offset there, in
// order. Compression pointers in the sections are those of a message whose question is qname at offset 12:
// since any query with that qname has it there, the sections are copied as they are.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "dataplane/cache/key.h"
#include "dataplane/simd/chunks.h"

namespace swarmdns::cache {

static_assert(std::endian::native == std::endian::little,
              "entry and key words are compared as they lie in memory");

// Seconds of the cache clock (CLOCK_BOOTTIME, from 2^20 at the process's start so that ages never underflow).
using Seconds = std::uint32_t;

struct Entry {
  static constexpr std::uint8_t kAuthenticated = 1;  // AD
  static constexpr std::uint8_t kNegative = 2;       // NXDOMAIN or NODATA
  static constexpr std::uint8_t kFailure = 4;        // cached SERVFAIL, RFC 9520: never stale

  // odd_ttls of an entry whose TTLs differ (or are very many).
  static constexpr std::uint8_t kMixedTtls = 255;

  // Largest entry that is cached (all of it, in bytes); larger answers are given, not kept.
  static constexpr std::size_t kMaxSize = 65'520;

  Seconds born;     // when the TTLs in the sections were right
  Seconds expires;  // fresh before; stale (RFC 8767) from here on
  std::uint16_t qtype;
  std::uint8_t qname_len;
  std::uint8_t key_flags;
  std::uint8_t view;
  std::uint8_t rcode;  // 0-15
  std::uint8_t flags;
  std::uint8_t odd_ttls;  // TTLs, all equal, that begin at an odd octet of the sections; or kMixedTtls
  std::uint16_t answers;
  std::uint16_t authorities;
  std::uint16_t additionals;
  std::uint16_t sections_len;
  std::uint16_t sections_sum;  // partial sum (net/checksum.h) of the sections, all TTLs zero, first byte even
  std::uint16_t ede;           // info code + 1; 0 = none
  std::uint16_t epoch;         // the cache's when this was admitted
  mutable std::atomic<std::uint8_t> touched;
  mutable std::atomic<std::uint8_t> prefetch_asked;

  [[nodiscard]] const std::byte* bytes() const noexcept { return reinterpret_cast<const std::byte*>(this); }
  [[nodiscard]] std::size_t ttl_count() const noexcept {
    return std::size_t{answers} + authorities + additionals;
  }
  // answers, authorities and additionals in the lower three of four 16-bit lanes, from the lowest on.
  [[nodiscard]] std::uint64_t record_counts() const noexcept {
    std::uint64_t lanes;
    std::memcpy(&lanes, bytes() + 16, sizeof lanes);
    return lanes & 0xffff'ffff'ffff;
  }
  [[nodiscard]] const std::byte* qname_data() const noexcept { return bytes() + 32; }
  [[nodiscard]] std::span<const std::byte> qname() const noexcept { return {qname_data(), qname_len}; }
  [[nodiscard]] std::size_t ttl_offsets_at() const noexcept {
    return 32 + ((std::size_t{qname_len} + 1) & ~1ULL);
  }
  [[nodiscard]] std::span<const std::uint16_t> ttl_offsets() const noexcept {
    return {reinterpret_cast<const std::uint16_t*>(bytes() + ttl_offsets_at()), ttl_count()};
  }
  [[nodiscard]] std::size_t sections_at() const noexcept { return ttl_offsets_at() + 2 * ttl_count(); }
  [[nodiscard]] std::span<const std::byte> sections() const noexcept {
    return {bytes() + sections_at(), sections_len};
  }
  [[nodiscard]] std::size_t size() const noexcept { return sections_at() + sections_len; }  // bytes of it all

  [[nodiscard]] Key key() const noexcept { return {qname_data(), qname_len, key_flags, view, qtype}; }
  [[nodiscard]] bool has_key(const Key& key) const noexcept;

  // The mark for the eviction policy: read first, so that a hot entry's line stays shared among cores.
  void touch() const noexcept {
    if (touched.load(std::memory_order_relaxed) == 0) touched.store(1, std::memory_order_relaxed);
  }
  // True for exactly one caller (nearly: two at the same instant may both win, which costs one more refresh).
  [[nodiscard]] bool ask_prefetch_once() const noexcept {
    if (prefetch_asked.load(std::memory_order_relaxed) != 0) return false;
    prefetch_asked.store(1, std::memory_order_relaxed);
    return true;
  }
};

static_assert(sizeof(Entry) == 32 && alignof(Entry) == 4);
static_assert(offsetof(Entry, qtype) == 8 && offsetof(Entry, view) == 12 && offsetof(Entry, answers) == 16);

inline constexpr std::uint64_t kKeyWordMask = 0xff'ffff'ffff;

namespace detail {
inline std::uint64_t load64(const std::byte* at) noexcept {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}
}  // namespace detail

[[gnu::always_inline]] inline bool Entry::has_key(const Key& key) const noexcept {
  if ((detail::load64(bytes() + 8) & kKeyWordMask) != key.word()) return false;
  return simd::equal(qname_data(), key.qname, key.qname_len);
}

// Where an entry came from. Node 0 is this node; its sequence numbers are the journal's.
struct Origin {
  std::uint16_t node = 0;
  std::uint64_t sequence = 0;  // 48 bits
};

}  // namespace swarmdns::cache
