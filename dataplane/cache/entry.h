// One answer as it lies in the cache, and as it travels from the miss path to its waiters: the same bytes, so that a
// reply is built by one piece of code whether it was cached or not.
//
// Immutable once published, but for `touched` (the eviction policy's one relaxed bit) and `prefetch_asked`.
// Layout: Entry, qname[qname_len], padding to 2, ttl_offsets[ttl_count] (uint16_t, host order, relative to
// sections()), sections[sections_len]. Compression pointers in the sections are those of a message whose question
// is qname at offset 12: since any query with that qname has it there, the sections are copied as they are.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/cache/key.h"

namespace swarmdns::cache {

// Seconds of the cache clock (CLOCK_BOOTTIME, from 2^20 at the process's start so that ages never underflow).
using Seconds = std::uint32_t;

struct Entry {
  static constexpr std::uint8_t kAuthenticated = 1;  // AD
  static constexpr std::uint8_t kNegative = 2;       // NXDOMAIN or NODATA
  static constexpr std::uint8_t kFailure = 4;        // cached SERVFAIL, RFC 9520: never stale

  Seconds born;                  // when the TTLs in the sections were right
  Seconds expires;               // fresh before; stale (RFC 8767) from here on
  std::uint16_t qtype;
  std::uint8_t qname_len;
  std::uint8_t key_flags;
  std::uint8_t view;
  std::uint8_t rcode;            // 0-15
  std::uint8_t flags;
  std::uint16_t answers;
  std::uint16_t authorities;
  std::uint16_t additionals;
  std::uint16_t sections_len;
  std::uint16_t sections_sum;    // ones' complement sum of the sections with all TTLs zero, first byte even
  std::uint16_t ttl_count;       // records whose TTL is patched
  std::uint16_t ede;             // info code + 1; 0 = none
  std::uint16_t epoch;
  std::atomic<std::uint8_t> touched;
  std::atomic<std::uint8_t> prefetch_asked;
};

}  // namespace swarmdns::cache
