// Reads a dump back into the cache. Nothing becomes visible before the digest of all of it has been verified.
#pragma once

#include <functional>

#include "dataplane/control/cache_calls.h"

namespace swarmdns::control {

// `next` gives the slices one after the other, false at the end. A dump that is cut, altered, or of another
// format is refused and the cache is as before. Otherwise entries are taken with the lifetime they have left:
// the time since the dump is subtracted by the wall clock. What lives longer in the cache already stays.
// Origins are kept; those of node 0 become unknown unless the dump is in this node's own numbering.
grpc::Status load_cache(CacheCalls& calls, const v1::DataplaneConfig& config,
                        const std::function<bool(v1::CacheSlice&)>& next, v1::LoadResponse& response);

}  // namespace swarmdns::control
