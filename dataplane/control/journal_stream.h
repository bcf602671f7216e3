// The mutation journal as a stream of batches.
#pragma once

#include <functional>

#include "dataplane/control/cache_calls.h"

namespace swarmdns::control {

// Sends from request.from on. Without `follow` it ends at what there is now. `send` returns false when nobody
// listens; `over` is asked at least every half second while there is nothing to send. No RCU reader.
grpc::Status stream_journal(CacheCalls& calls, const v1::JournalRequest& request,
                            const std::function<bool(const v1::JournalBatch&)>& send,
                            const std::function<bool()>& over);

}  // namespace swarmdns::control
