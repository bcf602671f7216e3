// The stages a burst goes through, in this order; each is one pass over what the one before left, in a file
// of its own. None allocates, locks, logs or makes a system call. Called by workers, tests and benches on
// their own Batch.
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/cache/reader.h"
#include "dataplane/miss/channel.h"
#include "dataplane/stats/counters.h"
#include "dataplane/worker/batch.h"
#include "dataplane/worker/moment.h"
#include "dataplane/worker/policy.h"

namespace swarmdns::worker {

// What a burst is handled under: the same for all of its frames.
struct Context {
  const Policy& policy;
  const net::PortIdentity& identity;  // of the port the burst came from
  const cache::Reader& reader;
  miss::Channel& misses;
  stats::Block& counters;
  Moment moment;
  std::uint16_t port = 0;  // its index, for the waiters
};

// Ethernet to UDP: `live`, `to_kernel`, or dropped.
void headers_stage(Batch& batch, const Context& context) noexcept;
// The DNS message: parsed, or dropped.
void question_stage(Batch& batch, const Context& context) noexcept;
// ACL and cookies.
void guard_stage(Batch& batch, const Context& context) noexcept;
// The cache: `replies`, `misses`, `prefetches`.
void lookup_stage(Batch& batch, const Context& context) noexcept;
// Its parts: what is to be looked up, and what follows from what was found. In between, the table is asked
// (the bench asks other tables there).
struct Lookups {
  Places places;
  std::array<const cache::Entry*, kMaxBurst> found;  // by place in `places`; null: not there
};
void gather_lookups(Batch& batch, const Context& context, Lookups& lookups) noexcept;
void settle_lookups(Batch& batch, const Context& context, const Lookups& lookups) noexcept;
// Copies misses and prefetches to the miss ring. What does not fit is answered stale where that can be.
void miss_stage(Batch& batch, const Context& context) noexcept;
// Rate limit, then the reply in the query's own frame.
void reply_stage(Batch& batch, const Context& context) noexcept;

// All of them.
void run_stages(Batch& batch, const Context& context) noexcept;

}  // namespace swarmdns::worker
