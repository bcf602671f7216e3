// What becomes of a reply before it goes out, whoever builds it (the reply stage, for misses too, and stream
// threads): rate limiting, and the counters of its reply code. Any thread, on its own query and counters.
#pragma once

#include <cstdint>

#include "dataplane/cache/entry.h"
#include "dataplane/dns/query.h"
#include "dataplane/dns/reply.h"
#include "dataplane/stats/counters.h"
#include "dataplane/stats/rcode_counter.h"
#include "dataplane/worker/policy.h"

namespace swarmdns::worker {

// Counts a finished reply by its rcode and TC.
inline void count_reply(const dns::Query& query, const cache::Entry* entry, stats::Block& counters) noexcept {
  // The upper bits of an extended rcode (RFC 6891 6.1.3) are in the OPT record: only the query knows them.
  const unsigned in_header = std::to_integer<unsigned>(query.message[3]) & 0x0f;
  const unsigned extended =
      entry == nullptr && query.action == dns::Action::Status ? query.rcode & 0xff0U : 0;
  counters.add(stats::rcode_counter(extended | in_header));
  if (dns::reply_truncated(query)) counters.add(stats::Counter::Truncated);
}

// Rate limiting of one reply over UDP: false when it is not to be sent. A reply that slips becomes a
// truncated one. `keys`: of query.source, where rate limiting is on.
[[nodiscard]] inline bool pass_rate_limit(dns::Query& query, const cache::Entry*& entry, const Policy& policy,
                                          const guard::RateLimiter::Keys& keys, std::uint32_t now_ms,
                                          stats::Block& counters) noexcept {
  if (!policy.rate_limiter || query.cookie_valid) return true;
  for (const guard::Prefix& prefix : policy.rate_limit_exempt) {
    if (prefix.contains(query.source)) return true;
  }
  switch (policy.rate_limiter->charge(keys, now_ms)) {
    case guard::RateVerdict::Pass:
      return true;
    case guard::RateVerdict::Slip:
      counters.add(stats::Counter::RateLimitSlipped);
      entry = nullptr;
      query.action = dns::Action::Truncate;
      query.rcode = 0;
      query.ede = 0;
      return true;
    case guard::RateVerdict::Drop:
      break;
  }
  counters.add(stats::Counter::DropRateLimited);
  return false;
}

// The same for a reply outside of a burst, whose keys nobody has computed ahead.
[[nodiscard]] inline bool pass_rate_limit(dns::Query& query, const cache::Entry*& entry, const Policy& policy,
                                          std::uint32_t now_ms, stats::Block& counters) noexcept {
  const auto keys =
      policy.rate_limiter ? policy.rate_limiter->keys(query.source) : guard::RateLimiter::Keys{};
  return pass_rate_limit(query, entry, policy, keys, now_ms, counters);
}

}  // namespace swarmdns::worker
