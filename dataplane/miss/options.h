// What configuration says about misses. Options are live: control builds a new immutable object and puts it
// into the slot, the miss thread takes it up within a poll. Limits are fixed when the engine is made.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "dataplane/miss/live_slot.h"
#include "dataplane/net/address.h"

namespace swarmdns::miss {

inline constexpr std::size_t kMaxServers = 16;

struct Server {
  net::Address address;
  std::uint16_t port = 53;
  friend bool operator==(const Server&, const Server&) = default;
};

struct Options {
  std::vector<Server> servers;            // 1 to kMaxServers; more are ignored
  std::uint32_t timeout_ms = 800;         // of the first try; each further one waits twice as long
  std::uint32_t tries = 3;                // queries to upstreams for one question
  std::uint32_t deadline_ms = 5000;       // from the question to SERVFAIL
  std::uint32_t quota_per_prefix = 1024;  // questions outstanding for a /24 or /56
  std::uint32_t quota_per_zone = 1024;    // distinct questions outstanding below a registered name

  std::uint32_t max_entry_bytes = 16384;  // larger answers are given, not cached
  std::uint32_t min_ttl_s = 0;
  std::uint32_t max_ttl_s = 86400;
  std::uint32_t max_negative_ttl_s = 3600;
  std::uint32_t servfail_ttl_s = 5;  // RFC 9520

  std::uint32_t stale_max_s = 86400;     // RFC 8767; 0: nothing stale is ever given
  std::uint32_t stale_client_ms = 1800;  // a client's wait before it is given a stale answer
  std::uint32_t stale_recheck_s = 30;  // after a failed refresh the stale answer is given at once for so long

  bool case_randomisation = true;  // 0x20, off loopback
};

struct Limits {
  std::size_t max_pending = 16384;  // distinct questions outstanding, about 700 bytes each
  std::size_t max_waiters = 65536;  // clients waiting, about 700 bytes each; memory grows with use up to this
  std::optional<net::Address> source_v4;  // of upstream queries; default: the kernel's choice
  std::optional<net::Address> source_v6;
};

using OptionsSlot = LiveSlot<Options>;

}  // namespace swarmdns::miss
