#include "dataplane/worker/stages.h"

namespace swarmdns::worker {

void run_stages(Batch& batch, const Context& context) noexcept {
  headers_stage(batch, context);
  question_stage(batch, context);
  guard_stage(batch, context);
  lookup_stage(batch, context);
  miss_stage(batch, context);
  reply_stage(batch, context);
}

}  // namespace swarmdns::worker
