#include "dataplane/worker/kernel_stage.h"

namespace swarmdns::worker {

void kernel_stage(Batch& batch, Police& police, exception::FrameRing& ring, stats::Block& counters) noexcept {
  for (const std::size_t i : batch.to_kernel) {
    const stats::Counter reason = batch.infos[i].reason;
    batch.fates[i] = Fate::Gone;
    if (!police.pass(reason)) {
      counters.add(stats::Counter::DropKernelPoliced);
    } else if (!ring.push({batch.frames[i].data, batch.frames[i].length})) {
      counters.add(stats::Counter::DropKernelRingFull);
    } else {
      counters.add(reason);
    }
  }
}

}  // namespace swarmdns::worker
