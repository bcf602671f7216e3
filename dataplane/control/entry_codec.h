// Cache entries as messages and back. Times cross the socket as ages and remaining lifetimes, never as clock
// readings, and are rounded so that a TTL is never lengthened. Pure functions; any thread (to_message: while
// `entry` is valid).
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "dataplane/cache/clock.h"
#include "dataplane/cache/entry.h"
#include "dataplane/cache/image.h"
#include "swarmdns/v1/dataplane.pb.h"

namespace swarmdns::control {

// `now_ms`: cache::Clock::milliseconds().
void to_message(const cache::Entry& entry, std::uint64_t now_ms, v1::CacheEntry& out);

struct DecodeRules {
  std::uint64_t now_ms = 0;       // cache::Clock::milliseconds()
  std::uint64_t elapsed_ms = 0;   // since the message's times were right
  std::uint32_t max_ttl_s = 0;    // no entry lives longer
  std::uint32_t stale_max_s = 0;  // expired for longer: not taken
};

enum class DecodeFault { Malformed, Failure, View, Expired };
struct DecodeError {
  DecodeFault fault = DecodeFault::Malformed;
  std::string text;  // "sections: bad owner name at offset 17"
};

// Checks everything: what comes from here may be published. An entry is never fresh for longer than the TTLs
// of its records say. Cached failures (SERVFAIL) are refused: they are this node's own experience. Of other
// nodes (origin), views but 0 are refused, and AD is never taken over: they validated it, this node did not.
[[nodiscard]] std::expected<cache::EntryImage, DecodeError> from_message(const v1::CacheEntry& message,
                                                                         const DecodeRules& rules);

// The origin as it stands in the message. Of another node it needs its number.
[[nodiscard]] std::expected<cache::Origin, DecodeError> origin_of(const v1::CacheEntry& message);

}  // namespace swarmdns::control
