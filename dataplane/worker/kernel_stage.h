// Frames that are not for the fast path: policed by kind and copied to the exception thread's ring.
#pragma once

#include "dataplane/exception/frame_ring.h"
#include "dataplane/stats/counters.h"
#include "dataplane/worker/batch.h"
#include "dataplane/worker/police.h"

namespace swarmdns::worker {

// Each frame of batch.to_kernel is counted under its ToKernel* name when it went, else under a drop; its
// memory is free.
void kernel_stage(Batch& batch, Police& police, exception::FrameRing& ring, stats::Block& counters) noexcept;

}  // namespace swarmdns::worker
