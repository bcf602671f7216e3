// Stage 6: the reply, built over the query in its own frame.
#include "dataplane/worker/stages.h"

#include "dataplane/stats/rcode_counter.h"

namespace swarmdns::worker {
namespace {

using stats::Counter;

bool exempt(const net::Address& client, const Policy& policy) noexcept {
  for (const guard::Prefix& prefix : policy.rate_limit_exempt) {
    if (prefix.contains(client)) return true;
  }
  return false;
}

// The two below, for replies outside of a burst too, as parts of the stage's own loop.
[[gnu::always_inline]] inline void count(const dns::Query& query, const cache::Entry* entry,
                                         stats::Block& counters) noexcept {
  // The upper bits of an extended rcode (RFC 6891 6.1.3) are in the OPT record: only the query knows them.
  const unsigned in_header = std::to_integer<unsigned>(query.message[3]) & 0x0f;
  const unsigned extended =
      entry == nullptr && query.action == dns::Action::Status ? query.rcode & 0xff0U : 0;
  counters.add(stats::rcode_counter(extended | in_header));
  if (dns::reply_truncated(query)) counters.add(Counter::Truncated);
}

[[gnu::always_inline]] inline bool pass(dns::Query& query, const cache::Entry*& entry, const Policy& policy,
                                        const guard::RateLimiter::Keys& keys, std::uint32_t now_ms,
                                        stats::Block& counters) noexcept {
  if (!policy.rate_limiter || query.cookie_valid || exempt(query.source, policy)) return true;
  switch (policy.rate_limiter->charge(keys, now_ms)) {
    case guard::RateVerdict::Pass:
      return true;
    case guard::RateVerdict::Slip:
      counters.add(Counter::RateLimitSlipped);
      entry = nullptr;
      query.action = dns::Action::Truncate;
      query.rcode = 0;
      query.ede = 0;
      return true;
    case guard::RateVerdict::Drop:
      break;
  }
  counters.add(Counter::DropRateLimited);
  return false;
}

}  // namespace

void count_reply(const dns::Query& query, const cache::Entry* entry, stats::Block& counters) noexcept {
  count(query, entry, counters);
}

bool pass_rate_limit(dns::Query& query, const cache::Entry*& entry, const Policy& policy,
                     const guard::RateLimiter::Keys& keys, std::uint32_t now_ms,
                     stats::Block& counters) noexcept {
  return pass(query, entry, policy, keys, now_ms, counters);
}

void reply_stage(Batch& batch, const Context& context) noexcept {
  const Policy& policy = context.policy;
  std::size_t sent = 0;
  for (const std::size_t i : batch.replies) {
    dns::Query& query = batch.queries[i];
    batch.fates[i] = Fate::Gone;
    if (!pass(query, batch.entries[i], policy, batch.rate_keys[i], context.moment.ms, context.counters)) {
      continue;
    }
    const cache::Entry* entry = batch.entries[i];
    const std::size_t length = entry != nullptr ? dns::build_from_entry(query, *entry, context.moment.now,
                                                                        batch.stale[i], policy.service)
                                                : dns::build_local(query, policy.service);
    if (length == 0) [[unlikely]] {
      context.counters.add(Counter::DropNoQuestionEcho);
      continue;
    }
    count(query, entry, context.counters);
    const Frame& frame = batch.frames[i];
    batch.reply_lengths[i] = static_cast<std::uint16_t>(
        net::finish_reply({frame.data, frame.room}, batch.infos[i], length, query.reply_sum));
    batch.fates[i] = Fate::Reply;
    ++sent;
  }
  context.counters.add(Counter::Replies, sent);
}

}  // namespace swarmdns::worker
