// Name, CPUs and timer slack of a thread. All act on the calling thread; none is for the packet path.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace swarmdns::sync {

// Cut to the 15 bytes the kernel keeps.
void set_thread_name(std::string_view name) noexcept;

// Lets the calling thread, and threads it will make, run on exactly these CPUs. An empty list changes
// nothing. The error says which CPUs were asked for and why the kernel refused.
[[nodiscard]] std::expected<void, std::string> set_affinity(std::span<const unsigned> cpus);

// The CPUs the calling thread may run on, ascending.
[[nodiscard]] std::vector<unsigned> current_affinity();

// How late the kernel may wake this thread from a timed sleep to save power; the default is 50 µs.
void set_timer_slack(std::uint64_t nanoseconds) noexcept;

// What most slow threads begin with: name, CPUs (best effort), timer slack 1 ns.
void begin_slow_thread(std::string_view name, std::span<const unsigned> cpus) noexcept;

}  // namespace swarmdns::sync
