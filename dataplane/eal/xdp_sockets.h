// The AF_XDP sockets of this process. DPDK's driver keeps them to itself and counts as missed only frames for
// which the kernel found no buffer; those that found the receive ring full are counted by the kernel alone.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace swarmdns::eal {

// Descriptors, ascending. Reads /proc: for the start, not for a loop.
[[nodiscard]] std::vector<int> xdp_sockets();
// Frames dropped because the receive ring was full, since the sockets were made. Any thread.
[[nodiscard]] std::uint64_t frames_beyond_the_ring(std::span<const int> sockets) noexcept;

}  // namespace swarmdns::eal
