// RUN_DIR/dataplane.pid: the process id, a line, held with flock() while the process lives. Whoever finds the
// lock taken knows that the data plane runs, whoever started it; the control plane adopts it by this file.
#pragma once

#include <expected>
#include <string>

namespace swarmdns::app {

class Pidfile {
 public:
  // The error names the process that runs already.
  [[nodiscard]] static std::expected<Pidfile, std::string> take(const std::string& path);
  Pidfile(Pidfile&& other) noexcept;
  Pidfile& operator=(Pidfile&&) = delete;
  Pidfile(const Pidfile&) = delete;
  Pidfile& operator=(const Pidfile&) = delete;
  ~Pidfile();  // removes the file

 private:
  Pidfile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  std::string path_;
  int fd_;
};

}  // namespace swarmdns::app
