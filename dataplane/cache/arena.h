// The cache's memory: one reservation, all of it resident from the start, so that nothing on the packet path
// ever faults and the budget can neither be exceeded nor found missing later.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <utility>

namespace swarmdns::cache {

class Arena {
 public:
  static constexpr std::size_t kHugePage = 2U << 20;

  Arena() = default;
  Arena(Arena&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        huge_(other.huge_) {}
  Arena& operator=(Arena&& other) noexcept;
  ~Arena();

  // `size` is rounded down to whole 2 MiB; at least one. With `hugepages` explicit huge pages are taken when
  // the system has enough of them free; otherwise ordinary pages, transparent huge ones where the kernel
  // gives them. The memory is zero and aligned to 2 MiB. The error says how much could not be had.
  [[nodiscard]] static std::expected<Arena, std::string> map(std::size_t size, bool hugepages);

  [[nodiscard]] std::byte* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool explicit_hugepages() const noexcept { return huge_; }

  // For a test of the read side: everything read-only, or writable again.
  [[nodiscard]] bool protect(bool read_only) const noexcept;

 private:
  Arena(std::byte* data, std::size_t size, bool huge) noexcept : data_(data), size_(size), huge_(huge) {}

  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  bool huge_ = false;
};

}  // namespace swarmdns::cache
