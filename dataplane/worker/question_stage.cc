// Stage 2: the DNS message.
#include "dataplane/worker/stages.h"

namespace swarmdns::worker {

void question_stage(Batch& batch, const Context& context) noexcept {
  Places went_in = batch.live;
  batch.live.clear();
  for (const std::size_t i : went_in) {
    const Frame& frame = batch.frames[i];
    const net::FrameInfo& info = batch.infos[i];
    dns::Query& query = batch.queries[i];
    query.source = info.source;
    // Where the reply will grow to.
    __builtin_prefetch(frame.data + 128, 1);
    __builtin_prefetch(frame.data + 192, 1);
    dns::parse_query({frame.data + info.payload, static_cast<std::size_t>(frame.room - info.payload)},
                     info.payload_len, dns::Transport::Udp, query);
    if (query.action == dns::Action::Drop) {
      batch.fates[i] = Fate::Gone;
      context.counters.add(query.reason);
      continue;
    }
    batch.live.push(i);
  }
  context.counters.add(stats::Counter::Queries, batch.live.size());
}

}  // namespace swarmdns::worker
