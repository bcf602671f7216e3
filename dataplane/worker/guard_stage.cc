// Stage 3: who may ask, and who is known by a cookie. Before the lookup, so that nobody learns from timing
// what the cache holds, and no miss is started for one who may not ask.
#include "dataplane/worker/stages.h"

namespace swarmdns::worker {
namespace {

using stats::Counter;

constexpr std::uint16_t kRefused = 5;
constexpr std::uint16_t kEdeProhibited = 18 + 1;  // RFC 8914 4.19, as Query::ede has it

}  // namespace

void guard_stage(Batch& batch, const Context& context) noexcept {
  const Policy& policy = context.policy;
  Places went_in = batch.live;
  batch.live.clear();
  for (const std::size_t i : went_in) {
    dns::Query& query = batch.queries[i];
    const guard::AclAction allowed = policy.acl->check(query.source);
    if (allowed == guard::AclAction::Deny) {
      batch.fates[i] = Fate::Gone;
      context.counters.add(Counter::DropAcl);
      continue;
    }
    if (policy.rate_limiter) {
      batch.rate_keys[i] = policy.rate_limiter->keys(query.source);
      policy.rate_limiter->prefetch(batch.rate_keys[i]);
    }
    if (allowed == guard::AclAction::Refuse) {
      query.action = dns::Action::Status;
      query.rcode = kRefused;
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
    batch.live.push(i);
  }
}

}  // namespace swarmdns::worker
