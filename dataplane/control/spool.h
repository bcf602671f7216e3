// A sequence of records kept on disk in a file without a name, until it is known whether they may be used. It
// goes with the process, whatever becomes of it. One thread at a time.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <string_view>

namespace swarmdns::control {

class Spool {
 public:
  // Holds at most `limit` bytes.
  [[nodiscard]] static std::expected<Spool, std::string> create(const std::string& directory,
                                                                std::uint64_t limit);
  Spool(Spool&& other) noexcept;
  Spool& operator=(Spool&&) = delete;
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;
  ~Spool();

  // Errors: the limit, the disk.
  [[nodiscard]] std::expected<void, std::string> append(std::string_view record);

  // Every record in order; `visit` returns false to stop.
  [[nodiscard]] std::expected<void, std::string> replay(
      const std::function<bool(const std::string& record)>& visit);

  [[nodiscard]] std::uint64_t size() const noexcept { return written_ + buffer_.size(); }

 private:
  Spool(int fd, std::uint64_t limit) : fd_(fd), limit_(limit) {}
  std::expected<void, std::string> flush();
  int fd_;
  std::uint64_t limit_;
  std::uint64_t written_ = 0;
  std::string buffer_;
};

}  // namespace swarmdns::control
