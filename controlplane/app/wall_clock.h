// Unix time, for what people read and for what crosses a restart; never to measure how long something takes.
#pragma once

#include <chrono>
#include <cstdint>

namespace swarmdns::controlplane {

inline std::uint64_t wall_ms() {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                        std::chrono::system_clock::now().time_since_epoch())
                                        .count());
}

}  // namespace swarmdns::controlplane
