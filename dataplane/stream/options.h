// What configuration says about DNS over TCP. Live: control puts a new object into the slot.
#pragma once

#include <cstdint>

#include "dataplane/miss/live_slot.h"

namespace swarmdns::stream {

struct Options {
  std::uint32_t max_connections = 10'000;          // over all threads
  std::uint32_t max_connections_per_client = 128;  // per IPv4 address or IPv6 /64, over all threads
  std::uint32_t idle_timeout_ms = 10'000;          // RFC 7766 6.2.3
  std::uint32_t max_pipelined = 100;  // unanswered queries of one connection; beyond, it is not read
};

using OptionsSlot = miss::LiveSlot<Options>;

}  // namespace swarmdns::stream
