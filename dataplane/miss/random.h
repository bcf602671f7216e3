// Unpredictable numbers for query IDs, ports and letter case: libsodium's generator, drawn in blocks. One
// thread each.
#pragma once

#include <sodium.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace swarmdns::miss {

class Random {
 public:
  [[nodiscard]] std::uint16_t u16() noexcept { return draw<std::uint16_t>(); }
  [[nodiscard]] std::uint32_t u32() noexcept { return draw<std::uint32_t>(); }
  [[nodiscard]] std::uint64_t u64() noexcept { return draw<std::uint64_t>(); }
  // 0 to n-1; n at least 1. The bias is below n / 2^32.
  [[nodiscard]] std::uint32_t below(std::uint32_t n) noexcept {
    return static_cast<std::uint32_t>((std::uint64_t{u32()} * n) >> 32);
  }

 private:
  template <class T>
  T draw() noexcept {
    if (at_ + sizeof(T) > block_.size()) {
      randombytes_buf(block_.data(), block_.size());
      at_ = 0;
    }
    T value;
    std::memcpy(&value, block_.data() + at_, sizeof value);
    sodium_memzero(block_.data() + at_, sizeof value);  // what was used is not left lying about
    at_ += sizeof value;
    return value;
  }

  std::array<std::byte, 1024> block_{};
  std::size_t at_ = 1024;
};

}  // namespace swarmdns::miss
