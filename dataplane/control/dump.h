// The whole cache as a stream of slices: a header, entries, and a trailer with a digest over all before it.
#pragma once

#include <functional>
#include <string>

#include "dataplane/control/cache_calls.h"

namespace swarmdns::control {

inline constexpr char kDumpMagic[] = "SWARMDNS-CACHE";
inline constexpr std::uint32_t kDumpFormat = 1;
inline constexpr std::size_t kMaxSliceBytes = std::size_t{1} << 20;

// `send` returns false when nobody listens any more. It may block: the caller's thread is then no RCU reader.
// Cached failures are left out. Blocks nobody; while it runs the writer does not move entries within the
// table.
grpc::Status dump_cache(CacheCalls& calls, const std::string& node,
                        const std::function<bool(const v1::CacheSlice&)>& send);

// Unix time, ms.
[[nodiscard]] std::uint64_t wall_milliseconds() noexcept;

}  // namespace swarmdns::control
