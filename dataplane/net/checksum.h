// The Internet checksum (RFC 1071) word-at-a-time. A *partial sum* here is the ones' complement sum of 16-bit
// words as they lie in memory (not swapped to host order), folded to 16 bits or not; sums of parts can simply
// be added when each part begins at an even octet of the whole, and a part that begins at an odd one is
// byte-swapped first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace swarmdns::net {

// Says that the caller does not know the sum of what it hands on.
inline constexpr std::uint32_t kUnknownSum = 0xffffffff;

[[nodiscard]] constexpr std::uint16_t fold_sum(std::uint64_t sum) noexcept {
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);  // now at most 0x1fffe + a little
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

// The sum of a part that begins at an odd octet, from its sum as if it began at an even one.
[[nodiscard]] constexpr std::uint16_t swap_sum(std::uint16_t sum) noexcept {
  return static_cast<std::uint16_t>((sum << 8) | (sum >> 8));
}

// Adds `length` octets from an even offset to `sum`. The result fits 64 bits for any datagram: at most 2^14
// words of 32 bits are added to what was there.
[[nodiscard]] inline std::uint64_t add_bytes(std::uint64_t sum, const std::byte* at,
                                             std::size_t length) noexcept {
  std::uint64_t high = 0;  // two chains, and no carry to wait for
  while (length >= 16) {
    std::uint64_t a;
    std::uint64_t b;
    std::memcpy(&a, at, 8);
    std::memcpy(&b, at + 8, 8);
    sum += (a & 0xffffffff) + (a >> 32);
    high += (b & 0xffffffff) + (b >> 32);
    at += 16;
    length -= 16;
  }
  sum += high;
  if (length >= 8) {
    std::uint64_t a;
    std::memcpy(&a, at, 8);
    sum += (a & 0xffffffff) + (a >> 32);
    at += 8;
    length -= 8;
  }
  if (length >= 4) {
    std::uint32_t a;
    std::memcpy(&a, at, 4);
    sum += a;
    at += 4;
    length -= 4;
  }
  if (length >= 2) {
    std::uint16_t a;
    std::memcpy(&a, at, 2);
    sum += a;
    at += 2;
    length -= 2;
  }
  if (length != 0) {
    std::uint16_t a = 0;  // padded with a zero octet behind, in memory order
    std::memcpy(&a, at, 1);
    sum += a;
  }
  return sum;
}

// The folded partial sum of `length` octets.
[[nodiscard]] inline std::uint16_t sum_bytes(const std::byte* at, std::size_t length) noexcept {
  return fold_sum(add_bytes(0, at, length));
}

}  // namespace swarmdns::net
