// Replies that come back by the miss path: built into a fresh frame from what the waiter left behind.
#pragma once

#include <cstddef>

#include "dataplane/miss/miss.h"
#include "dataplane/stats/counters.h"
#include "dataplane/worker/batch.h"
#include "dataplane/worker/moment.h"
#include "dataplane/worker/policy.h"

namespace swarmdns::worker {

// The frame's length, or 0 when there is nothing to send (counted: rate limit, no room). `scratch` is
// overwritten. The caller gives `reply` back afterwards.
[[nodiscard]] std::size_t build_miss_reply(const miss::Reply& reply, const Frame& frame, dns::Query& scratch,
                                           const Policy& policy, const Moment& moment,
                                           stats::Block& counters) noexcept;

}  // namespace swarmdns::worker
