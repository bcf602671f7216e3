#include "dataplane/sync/affinity.h"

#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>

#include <algorithm>
#include <cstring>

namespace swarmdns::sync {

void set_thread_name(std::string_view name) noexcept {
  char cut[16] = {};
  std::ranges::copy(name.substr(0, sizeof cut - 1), cut);
  ::pthread_setname_np(::pthread_self(), cut);
}

std::expected<void, std::string> set_affinity(std::span<const unsigned> cpus) {
  if (cpus.empty()) return {};
  cpu_set_t set;
  CPU_ZERO(&set);
  std::string asked;
  for (const unsigned cpu : cpus) {
    if (!asked.empty()) asked += ',';
    asked += std::to_string(cpu);
    if (cpu >= CPU_SETSIZE) {
      return std::unexpected("CPU " + std::to_string(cpu) + " is beyond the largest number, " +
                             std::to_string(CPU_SETSIZE - 1));
    }
    CPU_SET(cpu, &set);
  }
  if (const int error = ::pthread_setaffinity_np(::pthread_self(), sizeof set, &set); error != 0) {
    return std::unexpected("cannot run on CPUs " + asked + ": " + std::strerror(error));
  }
  return {};
}

std::vector<unsigned> current_affinity() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<unsigned> cpus;
  if (::pthread_getaffinity_np(::pthread_self(), sizeof set, &set) != 0) return cpus;
  for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  }
  return cpus;
}

void set_timer_slack(std::uint64_t nanoseconds) noexcept {
  ::prctl(PR_SET_TIMERSLACK, static_cast<unsigned long>(nanoseconds), 0, 0, 0);
}

void begin_slow_thread(std::string_view name, std::span<const unsigned> cpus) noexcept {
  set_thread_name(name);
  set_timer_slack(1);
  try {
    (void)set_affinity(cpus);
    // Out of memory while wording an error that nobody reads here. NOLINTNEXTLINE(bugprone-empty-catch)
  } catch (...) {
  }
}

}  // namespace swarmdns::sync
