// ASCII case folding of octet strings (RFC 4343), eight octets at a time. Used on the hot path: no branches
// on the data, no tables, no bounds checks (the caller gives lengths it has checked).
//
// Folding a whole wire-format name, length octets included, is safe: length octets are 0–63 and 'A'–'Z' are
// 65–90, so no length octet is ever changed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "proto/dns/bytes.h"

namespace swarmdns::dns {

// Lower-cases each of the eight octets of `word` that is 'A'–'Z'; octets ≥ 0x80 are left alone.
constexpr std::uint64_t fold_word(std::uint64_t word) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  // On the low seven bits no sum carries into the next octet: 0x7f + 0x3f = 0xbe.
  const std::uint64_t low = word & (kOnes * 0x7f);
  const std::uint64_t from_a = low + kOnes * (0x80 - 'A');   // top bit: octet ≥ 'A'
  const std::uint64_t above_z = low + kOnes * (0x7f - 'Z');  // top bit: octet > 'Z'
  const std::uint64_t upper = (from_a ^ above_z) & ~word & (kOnes * 0x80);
  return word | (upper >> 2);  // 0x80 >> 2 == 0x20, the case bit
}

constexpr std::byte fold_octet(std::byte octet) {
  const auto v = std::to_integer<unsigned>(octet);
  return v - 'A' < 26U ? static_cast<std::byte>(v | 0x20U) : octet;
}

namespace detail {
inline std::uint64_t load_raw64(const std::byte* p) {
  std::uint64_t v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
inline std::uint32_t load_raw32(const std::byte* p) {
  std::uint32_t v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
}  // namespace detail

// dst[0..len) = folded src[0..len). Exactly len octets are read and written. `dst == src` is allowed, any
// other overlap is not.
inline void fold_copy(std::byte* dst, const std::byte* src, std::size_t len) {
  if (len >= 8) {
    std::size_t i = 0;
    for (; i + 8 <= len; i += 8) {
      const std::uint64_t word = fold_word(detail::load_raw64(src + i));
      std::memcpy(dst + i, &word, sizeof word);
    }
    if (i < len) {  // the last eight octets once more: folding twice changes nothing
      const std::uint64_t word = fold_word(detail::load_raw64(src + len - 8));
      std::memcpy(dst + len - 8, &word, sizeof word);
    }
    return;
  }
  if (len >= 4) {
    const std::uint64_t head = detail::load_raw32(src);
    const std::uint64_t tail = detail::load_raw32(src + len - 4);
    const std::uint64_t both = fold_word(head | (tail << 32));
    const auto folded_head = static_cast<std::uint32_t>(both);
    const auto folded_tail = static_cast<std::uint32_t>(both >> 32);
    std::memcpy(dst, &folded_head, sizeof folded_head);
    std::memcpy(dst + len - 4, &folded_tail, sizeof folded_tail);
    return;
  }
  for (std::size_t i = 0; i < len; ++i) dst[i] = fold_octet(src[i]);
}

// a[0..len) == b[0..len) ignoring ASCII case.
inline bool fold_equal(const std::byte* a, const std::byte* b, std::size_t len) {
  std::size_t i = 0;
  for (; i + 8 <= len; i += 8) {
    if (fold_word(detail::load_raw64(a + i)) != fold_word(detail::load_raw64(b + i))) return false;
  }
  for (; i < len; ++i) {
    if (fold_octet(a[i]) != fold_octet(b[i])) return false;
  }
  return true;
}

}  // namespace swarmdns::dns
