// Stage 1: Ethernet, VLAN, IP and UDP headers.
#include "dataplane/worker/stages.h"

namespace swarmdns::worker {

void headers_stage(Batch& batch, const Context& context) noexcept {
  batch.live.clear();
  batch.to_kernel.clear();
  for (std::size_t i = 0; i < batch.count; ++i) {
    // Headers and question of a frame are its first two cache lines; the NIC or another core has written
    // them.
    __builtin_prefetch(batch.frames[i].data);
    __builtin_prefetch(batch.frames[i].data + 64);
  }
  for (std::size_t i = 0; i < batch.count; ++i) {
    const Frame& frame = batch.frames[i];
    net::FrameInfo& info = batch.infos[i];
    switch (net::parse_frame({frame.data, frame.length}, context.identity, frame.checksum_good, info)) {
      case net::Verdict::FastPath:
        batch.fates[i] = Fate::Pending;
        batch.live.push(i);
        break;
      case net::Verdict::Exception:
        batch.fates[i] = Fate::ToKernel;
        batch.to_kernel.push(i);
        break;
      case net::Verdict::Drop:
        batch.fates[i] = Fate::Gone;
        context.counters.add(info.reason);
        break;
    }
  }
  context.counters.add(stats::Counter::RxFrames, batch.count);
}

}  // namespace swarmdns::worker
