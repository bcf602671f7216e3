// What a cache entry is found by.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace swarmdns::cache {

inline constexpr std::uint8_t kKeyDnssecOk = 1;          // DO
inline constexpr std::uint8_t kKeyCheckingDisabled = 2;  // CD

struct Key {
  const std::byte* qname = nullptr;  // wire format, folded to lower case, qname_len bytes with the root label
  std::uint8_t qname_len = 0;        // 1-255
  std::uint8_t flags = 0;            // kKey*
  std::uint8_t view = 0;
  std::uint16_t qtype = 0;  // host order

  // All but the name in one word, laid out as in an Entry; qname_len is part of it.
  [[nodiscard]] constexpr std::uint64_t word() const noexcept {
    return std::uint64_t{qtype} | std::uint64_t{qname_len} << 16 | std::uint64_t{flags} << 24 |
           std::uint64_t{view} << 32;
  }
};

}  // namespace swarmdns::cache
