// A directory that goes with the test, and files in it as strings.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace swarmdns::restart {

class Scratch {
 public:
  Scratch() {
    char name[] = "/tmp/swarmdns-restart-XXXXXX";
    path_ = mkdtemp(name) == nullptr ? "/nonexistent" : name;
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }
  static std::string read(const std::string& path) {
    std::ostringstream out;
    out << std::ifstream(path, std::ios::binary).rdbuf();
    return out.str();
  }
  static void write(const std::string& path, const std::string& octets) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << octets;
  }

 private:
  std::string path_;
};

}  // namespace swarmdns::restart
