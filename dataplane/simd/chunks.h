// Octet strings in chunks of 16, without branches on their length: what the packet path compares, copies and
// sums is a few dozen octets of ever another length, and a mispredicted loop costs more than a chunk in vain.
//
// The i-th chunk of a string of 16 octets or more begins at 16 * i, or where the last one begins that still
// ends with the string: nothing is read or written outside of it, and a fixed number of chunks serves all
// lengths up to that. Plain vector extensions of the compiler: SSE2 on x86-64, whatever there is elsewhere.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace swarmdns::simd {

using Octets16 = std::uint8_t __attribute__((vector_size(16)));
using Words2 = std::uint64_t __attribute__((vector_size(16)));

inline constexpr std::size_t kChunk = 16;

[[nodiscard]] inline Words2 load(const std::byte* at) noexcept {
  Words2 chunk;
  std::memcpy(&chunk, at, sizeof chunk);
  return chunk;
}
inline void store(std::byte* at, Words2 chunk) noexcept {
  std::memcpy(at, &chunk, sizeof chunk);
}

// The value, of which the compiler knows nothing from here on: it would make branches of what it knows.
[[nodiscard]] inline std::size_t opaque(std::size_t value) noexcept {
  asm("" : "+r"(value));
  return value;
}
// The lesser of the two, without a branch.
[[nodiscard]] inline std::size_t least(std::size_t a, std::size_t b) noexcept {
  const std::size_t other = opaque(b);
  return a < other ? a : other;
}

// Where chunk `i` of `length` octets begins.
[[nodiscard]] inline std::size_t chunk_at(std::size_t i, std::size_t length) noexcept {
  return least(kChunk * i, length - kChunk);
}

namespace detail {
alignas(16) inline constexpr std::uint8_t kMask[48] = {
    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0};
}  // namespace detail

// Clears the first `count` octets, at most 16, of a chunk ...
[[nodiscard]] inline Words2 without_first(Words2 chunk, std::size_t count) noexcept {
  return chunk & load(reinterpret_cast<const std::byte*>(detail::kMask) + kChunk - count);
}
// ... or all but those.
[[nodiscard]] inline Words2 first_only(Words2 chunk, std::size_t count) noexcept {
  return chunk & load(reinterpret_cast<const std::byte*>(detail::kMask) + 2 * kChunk - count);
}

// The sum of the four 32-bit words of a chunk, in two parts.
[[nodiscard]] inline Words2 word_sums(Words2 chunk) noexcept {
  return (chunk & Words2{0xffffffff, 0xffffffff}) + (chunk >> 32);
}

// 'A'-'Z' become 'a'-'z'; all other octets stay (RFC 4343).
[[nodiscard]] inline Words2 fold(Words2 chunk) noexcept {
  const auto octets = reinterpret_cast<Octets16>(chunk);
  const auto upper = reinterpret_cast<Octets16>(octets - static_cast<std::uint8_t>('A') < 26);
  return reinterpret_cast<Words2>(octets | (upper & 0x20));
}

// a[0..length) == b[0..length).
[[nodiscard]] inline bool equal(const std::byte* a, const std::byte* b, std::size_t length) noexcept {
  constexpr std::size_t kFixed = 5;  // words: names are short
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  if (length < kWord) [[unlikely]] {
    std::byte different{};
    for (std::size_t i = 0; i < length; ++i) different |= a[i] ^ b[i];
    return different == std::byte{0};
  }
  const auto difference = [=](std::size_t at) {
    std::uint64_t one;
    std::uint64_t other;
    std::memcpy(&one, a + at, kWord);
    std::memcpy(&other, b + at, kWord);
    return one ^ other;
  };
  const std::size_t last = length - kWord;
  std::uint64_t different = 0;
  for (std::size_t i = 0; i < kFixed; ++i) different |= difference(least(kWord * i, last));
  for (std::size_t at = kFixed * kWord; at < length; at += kWord) different |= difference(least(at, last));
  return different == 0;
}

// to[0..length) = from[0..length); they do not overlap.
inline void copy(std::byte* to, const std::byte* from, std::size_t length) noexcept {
  constexpr std::size_t kFixed = 8;
  if (length < kChunk) {
    for (std::size_t i = 0; i < length; ++i) to[i] = from[i];
    return;
  }
  for (std::size_t i = 0; i < kFixed; ++i) {
    const std::size_t at = chunk_at(i, length);
    store(to + at, load(from + at));
  }
  for (std::size_t at = kFixed * kChunk; at < length; at += 4 * kChunk) {
    for (std::size_t i = 0; i < 4; ++i) {
      const std::size_t from_at = least(at + i * kChunk, length - kChunk);
      store(to + from_at, load(from + from_at));
    }
  }
}

}  // namespace swarmdns::simd
