// Stage 2: the DNS message.
#include "dataplane/worker/stages.h"

namespace swarmdns::worker {

void question_stage(Batch& batch, const Context& context) noexcept {
  batch.live.retain([&](std::size_t i) {
    const Frame& frame = batch.frames[i];
    const net::FrameInfo& info = batch.infos[i];
    dns::Query& query = batch.queries[i];
    query.source = info.source;
    prefetch_line(batch.ahead[i], 1);
    prefetch_line(batch.ahead[i], 2);
    dns::parse_query({frame.data + info.payload, static_cast<std::size_t>(frame.room - info.payload)},
                     info.payload_len, dns::Transport::Udp, query);
    if (query.action != dns::Action::Drop) [[likely]]
      return true;
    batch.fates[i] = Fate::Gone;
    context.counters.add(query.reason);
    return false;
  });
  context.counters.add(stats::Counter::Queries, batch.live.size());
}

}  // namespace swarmdns::worker
