// Stage 3: who may ask, and who is known by a cookie. Before the lookup, so that nobody learns from timing
// what the cache holds, and no miss is started for one who may not ask.
#include "dataplane/worker/stages.h"
#include "proto/dns/types.h"

namespace swarmdns::worker {
namespace {

using stats::Counter;

constexpr std::uint16_t kEdeProhibited = 18 + 1;  // RFC 8914 4.19, as Query::ede has it

}  // namespace

void guard_stage(Batch& batch, const Context& context) noexcept {
  const Policy& policy = context.policy;
  batch.live.retain([&](std::size_t i) {
    dns::Query& query = batch.queries[i];
    const guard::AclAction allowed = policy.acl->check(query.source);
    if (allowed == guard::AclAction::Deny) {
      batch.fates[i] = Fate::Gone;
      context.counters.add(Counter::DropAcl);
      return false;
    }
    if (policy.rate_limiter) {
      batch.rate_keys[i] = policy.rate_limiter->keys(query.source);
      policy.rate_limiter->prefetch(batch.rate_keys[i]);
    }
    if (allowed == guard::AclAction::Refuse) {
      query.action = dns::Action::Status;
      query.rcode = dns::to_u16(dns::Rcode::Refused);
      query.ede = kEdeProhibited;
    }
    switch (guard::guard_cookies(policy.cookies.get(), query, context.moment.wall_s)) {
      case guard::CookieVerdict::None:
        break;
      case guard::CookieVerdict::ClientOnly:
        context.counters.add(Counter::CookieOnlyClient);
        break;
      case guard::CookieVerdict::Valid:
        context.counters.add(Counter::CookieValid);
        break;
      case guard::CookieVerdict::Invalid:
        context.counters.add(Counter::CookieInvalid);
        break;
    }
    return true;
  });
}

}  // namespace swarmdns::worker
