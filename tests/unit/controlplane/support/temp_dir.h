// A directory that goes with the test.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace swarmdns::controlplane {

class TempDir {
 public:
  TempDir() {
    std::string name = testing::TempDir() + "swarmdns-XXXXXX";
    if (mkdtemp(name.data()) != nullptr) path_ = name;
    EXPECT_NE(path_, "");
  }
  ~TempDir() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline void write_file(const std::string& path, const std::string& octets) {
  std::ofstream(path, std::ios::binary) << octets;
}
inline std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace swarmdns::controlplane
