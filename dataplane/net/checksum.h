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

// Lengths that are summed in a fixed number of steps: those of most queries, as UDP datagrams.
inline constexpr std::size_t kSumFixedLeast = 32;
inline constexpr std::size_t kSumFixedMost = 80;

[[nodiscard]] inline std::uint64_t sum_fixed(const std::byte* at, std::size_t length) noexcept {
  using namespace simd;
  Words2 sums = word_sums(load(at)) + word_sums(load(at + kChunk));
  for (std::size_t i = kSumFixedLeast / kChunk; i < kSumFixedMost / kChunk; ++i) {
    // What an earlier chunk has had is not counted again; all of it, in chunks in vain.
    const std::size_t from = chunk_at(i, length);
    const Words2 fresh = without_first(load(at + from), least(kChunk * i - from, kChunk));
    sums += word_sums(fresh) << (8 * (from & 1));
  }
  return sums[0] + sums[1];
}

// Adds `length` octets from an even offset to `sum`. The result fits 64 bits for any datagram: at most 2^14
// words of 32 bits are added to what was there.
[[nodiscard]] inline std::uint64_t add_bytes(std::uint64_t sum, const std::byte* at,
                                             std::size_t length) noexcept {
  const auto word_at = [](const std::byte* from) {
    std::uint64_t word;
    std::memcpy(&word, from, sizeof word);
    return word;
  };
  const auto halves = [](std::uint64_t word) { return (word & 0xffffffff) + (word >> 32); };
  if (length - kSumFixedLeast <= kSumFixedMost - kSumFixedLeast) [[likely]]
    return sum + sum_fixed(at, length);
  if (length < 8) {
    std::uint64_t word = 0;  // padded with zeros behind, in memory order
    for (std::size_t i = 0; i < length; ++i) word |= std::to_integer<std::uint64_t>(at[i]) << (8 * i);
    return sum + halves(word);
  }
  const std::byte* const end = at + length;
  std::uint64_t other = 0;  // two chains, and no carry to wait for
  for (; end - at >= 16; at += 16) {
    sum += halves(word_at(at));
    other += halves(word_at(at + 8));
  }
  if (end - at >= 8) {
    sum += halves(word_at(at));
    at += 8;
  }
  // What is left are the last octets of a word that ends with them; none: shifted out.
  const auto left = static_cast<unsigned>(end - at);
  return sum + other + halves((word_at(end - 8) >> 8) >> (8 * (7 - left)));
}

// The folded partial sum of `length` octets.
[[nodiscard]] inline std::uint16_t sum_bytes(const std::byte* at, std::size_t length) noexcept {
  return fold_sum(add_bytes(0, at, length));
}

}  // namespace swarmdns::net
