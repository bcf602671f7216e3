// Files with keys and passphrases.
#pragma once

#include <expected>
#include <istream>
#include <string>

namespace swarmdns::controlplane {

// A new file of mode 0600, made before what goes into it: nobody's key is lost because the disk is full, or a
// file is there already. Removed again unless written.
class SecretFile {
 public:
  // The error is a sentence; an existing file is never replaced.
  static std::expected<SecretFile, std::string> create(const std::string& path);
  SecretFile(SecretFile&& other) noexcept;
  SecretFile(const SecretFile&) = delete;
  SecretFile& operator=(const SecretFile&) = delete;
  SecretFile& operator=(SecretFile&&) = delete;
  ~SecretFile();

  // Written and synced, or a sentence why not.
  std::expected<void, std::string> write(const std::string& contents);
  const std::string& path() const { return path_; }

 private:
  SecretFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  std::string path_;
  int fd_;
  bool written_ = false;
};

// The first line of a file, "-" = of `in`; at most 4096 bytes, not empty.
std::expected<std::string, std::string> read_secret(const std::string& path, std::istream& in);

}  // namespace swarmdns::controlplane
