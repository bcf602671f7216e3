// A process we started, or found running: held by a pidfd, so a signal can never reach a stranger that was
// given the same pid. The process outlives us: it has a session of its own and no pipe to us.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/supervise/unique_fd.h"

namespace swarmdns::controlplane {

// What tells a process from every other one, before and after it: a pid alone comes again.
struct ProcessIdentity {
  pid_t pid = 0;
  uint64_t start_ticks = 0;  // field 22 of /proc/PID/stat: clock ticks from boot to its start
  std::string boot_id;       // of /proc/sys/kernel/random/boot_id

  bool operator==(const ProcessIdentity&) const = default;
};

struct SpawnOptions {
  std::vector<std::string> argv;  // argv[0] is the path of the program
  std::string log_file;           // stdout and stderr are appended; "" = /dev/null
};

class Process {
 public:
  // Runs with / as directory, /dev/null as stdin, no other descriptor, default signals. The error is a
  // sentence.
  static std::expected<Process, std::string> spawn(const SpawnOptions& options);
  // The process of that identity, if it still runs.
  static std::optional<Process> adopt(const ProcessIdentity& identity);

  const ProcessIdentity& identity() const { return identity_; }
  pid_t pid() const { return identity_.pid; }
  bool adopted() const { return adopted_; }
  // Readable once the process has ended.
  int pidfd() const { return pidfd_.get(); }

  bool send_signal(int signal) const;
  // Waits; negative: for ever. true: it has ended.
  bool wait_ended(int timeout_ms) const;
  // After its end: reaps it and says how it ended: "exit status 1", "killed by signal 9 (Killed)", "ended
  // (found running, its status is not ours to know)".
  std::string reap();

 private:
  Process() = default;
  ProcessIdentity identity_;
  UniqueFd pidfd_;
  bool adopted_ = false;
};

// nullopt: no such process, or it is a zombie.
std::optional<ProcessIdentity> identity_of(pid_t pid);

}  // namespace swarmdns::controlplane
