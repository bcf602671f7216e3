// Detaching from the terminal: the caller's process waits until the node is up, and leaves with its exit
// status.
#pragma once

#include <sys/types.h>

#include <expected>
#include <optional>
#include <string>

namespace swarmdns::controlplane {

class Daemon {
 public:
  // Forks. In the first process: waits, and returns the exit status to leave with. In the second: nullopt; it
  // has a session of its own, and stderr is still the caller's. Call before any thread is made.
  std::optional<int> detach();

  // In the second process: up, or failed. The first process leaves.
  void report(int exit_status);
  // stdin, stdout and stderr away from the terminal.
  void let_go();

 private:
  int fd_ = -1;
};

// Only one control plane per RUN_DIR: holds a lock on RUN_DIR/controlplane.lock until the process ends. The
// error is a sentence.
std::expected<void, std::string> lock_run_dir(const std::string& run_dir);

// Beside this program, in the build tree beside it, or where it is installed; the last when it is nowhere.
std::string find_dataplane();

}  // namespace swarmdns::controlplane
