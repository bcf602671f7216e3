// Big-endian loads and stores on octet pointers, and the span types the library speaks.
// load_* and store_* do not check bounds: the caller has.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace swarmdns::dns {

using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

namespace detail {
// GCC 12 has std::byteswap; kept local so that clang with an older library builds too.
constexpr std::uint16_t swap16(std::uint16_t v) {
  return static_cast<std::uint16_t>((v << 8) | (v >> 8));
}
constexpr std::uint32_t swap32(std::uint32_t v) {
  return __builtin_bswap32(v);
}
constexpr std::uint64_t swap64(std::uint64_t v) {
  return __builtin_bswap64(v);
}
inline constexpr bool kLittle = std::endian::native == std::endian::little;
}  // namespace detail

inline std::uint8_t load_u8(const std::byte* p) {
  return std::to_integer<std::uint8_t>(*p);
}

inline std::uint16_t load_be16(const std::byte* p) {
  std::uint16_t v;
  std::memcpy(&v, p, sizeof v);
  return detail::kLittle ? detail::swap16(v) : v;
}

inline std::uint32_t load_be32(const std::byte* p) {
  std::uint32_t v;
  std::memcpy(&v, p, sizeof v);
  return detail::kLittle ? detail::swap32(v) : v;
}

inline std::uint64_t load_be64(const std::byte* p) {
  std::uint64_t v;
  std::memcpy(&v, p, sizeof v);
  return detail::kLittle ? detail::swap64(v) : v;
}

inline void store_u8(std::byte* p, std::uint8_t v) {
  *p = std::byte{v};
}

inline void store_be16(std::byte* p, std::uint16_t v) {
  if (detail::kLittle) v = detail::swap16(v);
  std::memcpy(p, &v, sizeof v);
}

inline void store_be32(std::byte* p, std::uint32_t v) {
  if (detail::kLittle) v = detail::swap32(v);
  std::memcpy(p, &v, sizeof v);
}

inline void store_be64(std::byte* p, std::uint64_t v) {
  if (detail::kLittle) v = detail::swap64(v);
  std::memcpy(p, &v, sizeof v);
}

// Octets of a text, without a copy.
inline Bytes as_octets(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

// Octets as text, without a copy.
inline std::string_view as_text(Bytes octets) {
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

}  // namespace swarmdns::dns
