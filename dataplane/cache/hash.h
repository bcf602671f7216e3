// The keyed hash of cache keys. Which names share a bucket is unknowable without the key: it is not a matter
// of a seed mixed into a fixed function, but a universal family in two steps, with the bounds proven for
// names chosen before (or without sight of) the key:
//
// 1. NH over 64-bit words (the heart of UMAC): the sum over pairs of words of (w0 + k0) * (w1 + k1), modulo
// 2^128.
//    Two different keys of equal length agree with probability 2^-64 at most, of different length 2^-63.
// 2. Vector multiply-shift (Dietzfelbinger) from those 128 bits to 64: the high half of a * lo + b * hi + c
// modulo
//    2^128, for random 128-bit a, b, c. Any two different inputs give independent, uniform 64-bit values: any
//    l bits of them agree with probability 2^-l.
//
// A name of up to 40 bytes costs three multiplications in the first step and four in the second.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "dataplane/cache/entry.h"
#include "dataplane/cache/key.h"
#include "dataplane/simd/chunks.h"

namespace swarmdns::cache {

__extension__ using Wide = unsigned __int128;

class HashKey {
 public:
  // From the system's random numbers.
  [[nodiscard]] static HashKey random();
  // For tests: the same bytes give the same key.
  [[nodiscard]] static HashKey from_seed(std::uint64_t seed);

  [[nodiscard]] std::uint64_t hash(const Key& key) const noexcept {
    const std::byte* at = key.qname;
    const std::size_t length = key.qname_len;
    const std::uint64_t* k = words_.data();
    Wide sum;
    if (length >= 8) [[likely]] {
      // Word i begins at 8 * i, or where the last one begins that ends with the name: the same number of
      // words for all names of up to 40 octets, for a loop that ends by chance costs more than a word in
      // vain. (That a word is in twice is no harm: of names of equal length, all words begin at the same
      // octets.)
      const std::size_t last = length - 8;
      const auto word = [&](std::size_t i) { return detail::load64(at + simd::least(8 * i, last)); };
      sum = multiply(key.word() + k[0], word(kFixedWords - 1) + k[1]);
      sum += multiply(word(0) + k[2], word(1) + k[3]);
      sum += multiply(word(2) + k[4], word(3) + k[5]);
      for (std::size_t i = kFixedWords; 8 * i < length; i += 2) {
        sum += multiply(word(i) + k[i + 1], word(i + 1) + k[i + 2]);
      }
    } else {
      sum = multiply(key.word() + k[0], short_name(at, length) + k[1]);
    }
    const auto lo = static_cast<std::uint64_t>(sum);
    const auto hi = static_cast<std::uint64_t>(sum >> 64);
    const Wide mixed = wide_a() * lo + wide_b() * hi + wide_c();
    return static_cast<std::uint64_t>(mixed >> 64);
  }

 private:
  // Of the name, in any case.
  static constexpr std::size_t kFixedWords = 5;
  // One for the rest of the key, 32 for the name, and up to three to pair.
  static constexpr std::size_t kNameWords = 36;
  static constexpr std::size_t kWords = kNameWords + 6;

  static Wide multiply(std::uint64_t a, std::uint64_t b) noexcept { return static_cast<Wide>(a) * b; }
  static std::uint64_t short_name(const std::byte* at, std::size_t length) noexcept {
    if (length >= 4) {
      return std::uint64_t{detail::load32(at)} | std::uint64_t{detail::load32(at + length - 4)} << 32;
    }
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < length; ++i)
      word |= std::uint64_t{std::to_integer<std::uint8_t>(at[i])} << (8 * i);
    return word;
  }
  [[nodiscard]] Wide wide(std::size_t i) const noexcept {
    return static_cast<Wide>(words_[i + 1]) << 64 | words_[i];
  }
  [[nodiscard]] Wide wide_a() const noexcept { return wide(kNameWords); }
  [[nodiscard]] Wide wide_b() const noexcept { return wide(kNameWords + 2); }
  [[nodiscard]] Wide wide_c() const noexcept { return wide(kNameWords + 4); }

  alignas(64) std::array<std::uint64_t, kWords> words_{};
};

}  // namespace swarmdns::cache
