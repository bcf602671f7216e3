// The Internet checksum (RFC 1071) word-at-a-time. A *partial sum* here is the ones' complement sum of 16-bit
// words as they lie in memory (not swapped to host order), folded to 16 bits or not; sums of parts can simply
// be added when each part begins at an even octet of the whole, and a part that begins at an odd one is
// byte-swapped first.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "dataplane/simd/chunks.h"

namespace swarmdns::net {

// Says that the caller does not know the sum of what it hands on.
inline constexpr std::uint32_t kUnknownSum = 0xffffffff;

// Each step adds the halves; adding the word turned by half leaves their sum, with its end-around carry, on
// top.
[[nodiscard]] constexpr std::uint16_t fold_sum(std::uint64_t sum) noexcept {
  sum += std::rotr(sum, 32);
  auto half = static_cast<std::uint32_t>(sum >> 32);
  half += std::rotr(half, 16);
  return static_cast<std::uint16_t>(half >> 16);
}

// The sum of a part that begins at octet `offset`, from its sum as if it began at an even one; not folded. To
// turn the octets of a ones' complement sum is to multiply it by 256.
[[nodiscard]] constexpr std::uint64_t sum_at(std::uint16_t sum, std::size_t offset) noexcept {
  return std::uint64_t{sum} << (8 * (offset & 1));
}

// Adds `length` octets, at most 65,535, from an even offset to `sum`. The result fits 64 bits for any
// datagram.
[[nodiscard, gnu::always_inline]] inline std::uint64_t add_bytes(std::uint64_t sum, const std::byte* at,
                                                                 std::size_t length) noexcept {
  return sum + simd::word_sum(at, length);
}

// The folded partial sum of `length` octets.
[[nodiscard, gnu::always_inline]] inline std::uint16_t sum_bytes(const std::byte* at,
                                                                 std::size_t length) noexcept {
  return fold_sum(add_bytes(0, at, length));
}

}  // namespace swarmdns::net
