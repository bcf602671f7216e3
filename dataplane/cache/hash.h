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
// A name of 24 bytes costs two multiplications in the first step and four in the second.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "dataplane/cache/entry.h"
#include "dataplane/cache/key.h"

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
    if (length >= 8) {
      sum = multiply(key.word() + k[0], detail::load64(at + length - 8) + k[1]);
      std::size_t i = 0;
      k += 2;
      for (; i + 16 < length; i += 16, k += 2) {
        sum += multiply(detail::load64(at + i) + k[0], detail::load64(at + i + 8) + k[1]);
      }
      // One whole word may be left before the last, which is already in. (A word may be in twice: no harm.)
      if (i + 8 < length) sum += multiply(detail::load64(at + i) + k[0], k[1]);
    } else {
      sum = multiply(key.word() + k[0], short_name(at, length) + k[1]);
    }
    const auto lo = static_cast<std::uint64_t>(sum);
    const auto hi = static_cast<std::uint64_t>(sum >> 64);
    const Wide mixed = wide_a() * lo + wide_b() * hi + wide_c();
    return static_cast<std::uint64_t>(mixed >> 64);
  }

 private:
  // One word for the rest of the key, one for the last bytes of the name, up to 31 before it, and one to
  // pair.
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
