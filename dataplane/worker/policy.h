// Everything that configuration decides for the packet path, in one immutable object. Control builds a new
// one and swaps the pointer under RCU; workers and stream threads load it once a burst.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "dataplane/dns/reply.h"
#include "dataplane/guard/acl.h"
#include "dataplane/guard/cookies.h"
#include "dataplane/guard/rate_limit.h"
#include "dataplane/net/frame.h"

namespace swarmdns::worker {

struct Policy {
  dns::ServiceView service;
  // What each port answers to, in the order of the ports; as many as there are ports, none null.
  std::vector<std::shared_ptr<const net::PortIdentity>> ports;
  std::shared_ptr<const guard::Acl> acl;             // never null
  std::shared_ptr<const guard::Cookies> cookies;     // null: off
  std::shared_ptr<guard::RateLimiter> rate_limiter;  // null: off; one table, kept over configurations
  std::vector<guard::Prefix> rate_limit_exempt;
  std::uint32_t stale_max_s = 86400;      // 0: no serve-stale
  std::uint32_t prefetch_percent = 10;    // of the TTL left; 0: off, at most 50
  std::uint32_t idle_max_sleep_us = 700;  // 10-900
  bool spin = false;
};

// Shared by all: the current policy. Set before the first worker starts; never null from then on. Readers
// hold what they loaded until their next quiescent state.
struct PolicySlot {
  std::atomic<const Policy*> current{nullptr};
};

}  // namespace swarmdns::worker
