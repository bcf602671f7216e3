// The control plane's log: lines of time, level and text on stderr, or in a file set aside as FILE.1 when it
// is large. Any thread.
#pragma once

#include <mutex>
#include <string>

namespace swarmdns::controlplane {

class Log {
 public:
  void info(const std::string& text) { write("info", text); }
  void warning(const std::string& text) { write("warning", text); }

  // From now on to `path` instead of stderr; false: it cannot be opened, stderr stays.
  bool to_file(const std::string& path);

 private:
  void write(const char* level, const std::string& text);

  std::mutex mutex_;
  std::string path_;
  int fd_ = 2;
  long written_ = 0;
};

}  // namespace swarmdns::controlplane
