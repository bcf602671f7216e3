// Stage 6: the reply, built over the query in its own frame.
#include "dataplane/worker/stages.h"

#include "dataplane/worker/outcome.h"

namespace swarmdns::worker {

void reply_stage(Batch& batch, const Context& context) noexcept {
  const Policy& policy = context.policy;
  std::size_t sent = 0;
  for (const std::size_t i : batch.replies) {
    dns::Query& query = batch.queries[i];
    prefetch_line(batch.ahead[i], 3);
    batch.fates[i] = Fate::Gone;
    if (!pass_rate_limit(query, batch.entries[i], policy, batch.rate_keys[i], context.moment.ms,
                         context.counters)) {
      continue;
    }
    const cache::Entry* entry = batch.entries[i];
    const std::size_t length = entry != nullptr ? dns::build_from_entry(query, *entry, context.moment.now,
                                                                        batch.stale[i], policy.service)
                                                : dns::build_local(query, policy.service);
    if (length == 0) [[unlikely]] {
      context.counters.add(stats::Counter::DropNoQuestionEcho);
      continue;
    }
    count_reply(query, entry, context.counters);
    const Frame& frame = batch.frames[i];
    batch.reply_lengths[i] = static_cast<std::uint16_t>(
        net::finish_reply({frame.data, frame.room}, batch.infos[i], length, query.reply_sum));
    batch.fates[i] = Fate::Reply;
    ++sent;
  }
  context.counters.add(stats::Counter::Replies, sent);
}

}  // namespace swarmdns::worker
