// The keyed hash of cache keys. Which names share a bucket is unknowable without the key: it is not a matter
// of a seed mixed into a fixed function, but a universal family in three steps, with the bounds proven for
// names chosen before (or without sight of) the key:
//
// 1. NH over 64-bit words (the heart of UMAC): the sum over pairs of words of (w0 + k0) * (w1 + k1),
//    modulo 2^128. Names are padded with zeros, their length is part of the first word: two different
//    keys agree with probability 2^-64 at most when they have as many words, 2^-63 when not.
// 2. Vector multiply-shift (Dietzfelbinger) from those 128 bits to 64: the high half of
//    a * lo + b * hi + c modulo 2^128, for random 128-bit a, b, c. Any two different inputs give
//    independent, uniform 64-bit values: any l bits of them agree with probability 2^-l.
// 3. A bijection, which takes nothing from those bounds: names in a row differ by steps in a row up to
//    here, and would fill the buckets like a comb.
//
// A name of up to 40 bytes costs three multiplications in the first step and four in the second.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

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

  // Of any key.
  [[nodiscard, gnu::always_inline]] std::uint64_t hash(const Key& key) const noexcept {
    // Only what is read of it is cleared.
    alignas(16) std::byte padded[kPaddedRoom];
    std::memset(padded, 0, 48);
    std::memcpy(padded, key.qname, key.qname_len);
    std::memset(padded + key.qname_len, 0, 24);
    return hash_padded({padded, key.qname_len, key.flags, key.view, key.qtype});
  }
  // The same, when zeros stand behind the name as simd::fold_name writes them.
  [[nodiscard, gnu::always_inline]] std::uint64_t hash_padded(const Key& key) const noexcept {
    const auto word = [at = key.qname](std::size_t i) { return detail::load64(at + 8 * i); };
    const std::uint64_t* k = words_.data();
    // The same number of words for all names of up to 40 octets: a loop that ends by chance costs more than
    // a word in vain.
    Wide sum = multiply(key.word() + k[0], word(0) + k[1]);
    sum += multiply(word(1) + k[2], word(2) + k[3]);
    sum += multiply(word(3) + k[4], word(4) + k[5]);
    for (std::size_t i = kFixedWords; 8 * i < key.qname_len; i += 2) {
      sum += multiply(word(i) + k[i + 1], word(i + 1) + k[i + 2]);
    }
    const auto lo = static_cast<std::uint64_t>(sum);
    const auto hi = static_cast<std::uint64_t>(sum >> 64);
    const Wide mixed = wide_a() * lo + wide_b() * hi + wide_c();
    return scatter(static_cast<std::uint64_t>(mixed >> 64));
  }

 private:
  [[gnu::always_inline]] static std::uint64_t scatter(std::uint64_t value) noexcept {
    value ^= value >> 32;
    value *= 0x9e3779b97f4a7c15;
    return value ^ (value >> 29);
  }

  // Of the name, in any case.
  static constexpr std::size_t kFixedWords = 5;
  // One for the rest of the key, 32 for the name, and up to three to pair.
  static constexpr std::size_t kNameWords = 36;
  static constexpr std::size_t kPaddedRoom = 8 * kNameWords;
  static constexpr std::size_t kWords = kNameWords + 6;

  [[gnu::always_inline]] static Wide multiply(std::uint64_t a, std::uint64_t b) noexcept {
    return static_cast<Wide>(a) * b;
  }
  [[nodiscard, gnu::always_inline]] Wide wide(std::size_t i) const noexcept {
    return static_cast<Wide>(words_[i + 1]) << 64 | words_[i];
  }
  [[nodiscard, gnu::always_inline]] Wide wide_a() const noexcept { return wide(kNameWords); }
  [[nodiscard, gnu::always_inline]] Wide wide_b() const noexcept { return wide(kNameWords + 2); }
  [[nodiscard, gnu::always_inline]] Wide wide_c() const noexcept { return wide(kNameWords + 4); }

  alignas(64) std::array<std::uint64_t, kWords> words_{};
};

}  // namespace swarmdns::cache
