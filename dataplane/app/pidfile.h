// One data plane for a run directory, and how others find it.
//
// RUN_DIR/dataplane.lock is held with flock() while the process lives: it decides. RUN_DIR/dataplane.pid says
// who it is: "PID START_TICKS BOOT_ID", a line, START_TICKS being field 22 of /proc/PID/stat. The control
// plane adopts a running data plane by it, whoever started that.
#pragma once

#include <expected>
#include <string>

namespace swarmdns::app {

class Pidfile {
 public:
  // Takes the lock and writes the file. The error names the process that runs already.
  [[nodiscard]] static std::expected<Pidfile, std::string> take(const std::string& run_dir);
  Pidfile(Pidfile&& other) noexcept;
  Pidfile& operator=(Pidfile&&) = delete;
  Pidfile(const Pidfile&) = delete;
  Pidfile& operator=(const Pidfile&) = delete;
  ~Pidfile();  // removes both files

 private:
  Pidfile(std::string run_dir, int fd) : run_dir_(std::move(run_dir)), fd_(fd) {}
  std::string run_dir_;
  int fd_;  // of the lock
};

[[nodiscard]] std::string pidfile_path(const std::string& run_dir);
[[nodiscard]] std::string lockfile_path(const std::string& run_dir);

}  // namespace swarmdns::app
