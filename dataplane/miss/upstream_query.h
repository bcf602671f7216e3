// The query that goes to an upstream, and whether a message answers it. RD is always set (upstreams recurse),
// CD and DO are the key's. No allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/cache/key.h"

namespace swarmdns::miss {

inline constexpr std::uint16_t kPayloadLoopback = 4096;
inline constexpr std::uint16_t kPayload = 1232;

struct UpstreamQuery {
  cache::Key key;
  std::uint16_t id = 0;
  std::uint64_t case_seed = 0;  // 0x20: the letters' case is drawn from it; 0: lower case
  std::uint16_t payload = kPayload;
};

// Octets written; `out` holds at least dns::kMaxQuerySize. 0 when it does not fit.
[[nodiscard]] std::size_t write_upstream_query(const UpstreamQuery& query, std::span<std::byte> out) noexcept;

// What a message says before it is looked into: a response to a standard query with exactly this question,
// its name in the case that was sent (any case when case_seed is 0).
[[nodiscard]] bool answers_question(std::span<const std::byte> message, const UpstreamQuery& query) noexcept;

}  // namespace swarmdns::miss
