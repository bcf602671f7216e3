// Everything that configuration decides for the packet path, in one immutable object. Control builds a new one and
// swaps the pointer under RCU; workers and stream threads load it once a burst.
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
  std::shared_ptr<const guard::Acl> acl;
  std::shared_ptr<const guard::Cookies> cookies;      // null: off
  std::shared_ptr<guard::RateLimiter> rate_limiter;   // null: off; one table, kept over configurations
  std::vector<guard::Prefix> rate_limit_exempt;
  std::uint32_t stale_max_s = 86400;                  // 0: no serve-stale
  std::uint32_t prefetch_percent = 10;                // 0: off
  std::uint32_t idle_max_sleep_us = 250;
  bool spin = false;
};

// Shared by all: the current policy. Readers hold what they loaded until their next quiescent state.
struct PolicySlot {
  std::atomic<const Policy*> current{nullptr};
};

}  // namespace swarmdns::worker
