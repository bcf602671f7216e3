// For tests that nothing is written: in a child process, says of a write to read-only memory where it went.
#pragma once

#include <signal.h>
#include <unistd.h>

namespace swarmdns::cache::testing {

inline constexpr int kWroteThere = 77;
inline constexpr int kFaultElsewhere = 78;

inline const void* watched_address = nullptr;

// From now on a fault ends the process: with kWroteThere when it is at `address`. Also under
// AddressSanitizer, which leaves the signal to who wants it.
inline void exit_on_fault_at(const void* address) {
  watched_address = address;
  struct sigaction action {};
  action.sa_flags = SA_SIGINFO;
  action.sa_sigaction = [](int, siginfo_t* info, void*) {
    ::_exit(info->si_code == SEGV_ACCERR && info->si_addr == watched_address ? kWroteThere : kFaultElsewhere);
  };
  (void)::sigaction(SIGSEGV, &action, nullptr);
}

}  // namespace swarmdns::cache::testing
