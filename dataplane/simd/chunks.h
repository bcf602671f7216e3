// Octet strings in chunks of 16, without branches on lengths that names and answers usually have: what the
// packet path compares, copies, sums and folds is a few dozen octets of ever another length, and a
// mispredicted loop costs more than a chunk in vain.
//
// The i-th chunk of a string of 16 octets or more begins at 16 * i, or where the last one begins that still
// ends with the string: nothing is read or written outside of it, and a fixed number of chunks serves all
// lengths up to that. Plain vector extensions of the compiler: SSE2 on x86-64, whatever there is elsewhere.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "dataplane/simd/branchless.h"

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

// Lengths that are summed in a fixed number of steps: those of most queries, as UDP datagrams.
inline constexpr std::size_t kSumFixedLeast = 32;
inline constexpr std::size_t kSumFixedMost = 80;

[[nodiscard]] inline std::uint64_t sum_fixed(const std::byte* at, std::size_t length) noexcept {
  Words2 sums = word_sums(load(at)) + word_sums(load(at + kChunk));
  for (std::size_t i = kSumFixedLeast / kChunk; i < kSumFixedMost / kChunk; ++i) {
    // What an earlier chunk has had is not counted again; all of it, in chunks in vain.
    const std::size_t from = chunk_at(i, length);
    const Words2 fresh = without_first(load(at + from), least(kChunk * i - from, kChunk));
    sums += word_sums(fresh) << (8 * (from & 1));
  }
  return sums[0] + sums[1];
}

// The sum of 32-bit words as they lie in memory, the last padded with zeros; at most 65,535 octets.
[[nodiscard]] inline std::uint64_t word_sum(const std::byte* at, std::size_t length) noexcept {
  const auto word_at = [](const std::byte* from) {
    std::uint64_t word;
    std::memcpy(&word, from, sizeof word);
    return word;
  };
  const auto halves = [](std::uint64_t word) { return (word & 0xffffffff) + (word >> 32); };
  if (length - kSumFixedLeast <= kSumFixedMost - kSumFixedLeast) [[likely]]
    return sum_fixed(at, length);
  if (length < 8) {
    std::uint64_t word = 0;  // padded with zeros behind, in memory order
    for (std::size_t i = 0; i < length; ++i) word |= std::to_integer<std::uint64_t>(at[i]) << (8 * i);
    return halves(word);
  }
  const std::byte* const end = at + length;
  std::uint64_t sum = 0;
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

// `name`, at most 255 octets, in lower case to `to`, which has kFoldedRoom octets; behind it stand at least 8
// zeros, up to a multiple of 16 and to 48 octets. `readable`: octets from `name` on that may be read. Returns
// the word sum of the name as it came.
//
// Three chunks in any case: most names take no more. What of the buffer lies behind the name is read, and
// masked; where the buffer ends too soon, so is a copy.
inline constexpr std::size_t kFoldedRoom = 272;
[[nodiscard]] inline std::uint64_t fold_name(std::byte* to, const std::byte* name, std::size_t length,
                                             std::size_t readable) noexcept {
  constexpr std::size_t kFixed = 3;
  std::byte copy[kFoldedRoom];
  if (std::max(kFixed * kChunk, length + 8 + kChunk) > readable) [[unlikely]] {
    std::memcpy(copy, name, length);
    name = copy;
  }
  Words2 sums{};
  const auto take = [&](std::size_t at) {
    const std::size_t left = length - least(at, length);
    const Words2 chunk = first_only(load(name + at), least(kChunk, left));
    sums += word_sums(chunk);
    store(to + at, fold(chunk));
  };
  for (std::size_t i = 0; i < kFixed; ++i) take(i * kChunk);
  for (std::size_t at = kFixed * kChunk; at < length + 8; at += kChunk) take(at);
  return sums[0] + sums[1];
}

}  // namespace swarmdns::simd
