// Octet strings for tests: made from hex, appended to field by field, compared and shown as hex.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace swarmdns::test {

using Octets = std::vector<std::byte>;

// Hex digits; spaces, line ends, and comments from '#' to the line's end are ignored. Aborts on anything
// else.
inline Octets hex(std::string_view text) {
  Octets out;
  int high = -1;
  bool comment = false;
  for (const char c : text) {
    if (comment || c == '#') {
      comment = c != '\n';
      continue;
    }
    int digit = -1;
    if (c >= '0' && c <= '9') digit = c - '0';
    if (c >= 'a' && c <= 'f') digit = c - 'a' + 10;
    if (c >= 'A' && c <= 'F') digit = c - 'A' + 10;
    if (digit < 0) {
      if (c == ' ' || c == '\n' || c == '\t' || c == ':') continue;
      std::abort();
    }
    if (high < 0) {
      high = digit;
    } else {
      out.push_back(static_cast<std::byte>(high * 16 + digit));
      high = -1;
    }
  }
  if (high >= 0) std::abort();
  return out;
}

inline std::string to_hex(std::span<const std::byte> octets) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < octets.size(); ++i) {
    if (i > 0) out += i % 16 == 0 ? '\n' : ' ';
    const auto v = std::to_integer<unsigned>(octets[i]);
    out += kDigits[v >> 4];
    out += kDigits[v & 15];
  }
  return out;
}

[[gnu::noinline]] inline void put8(Octets& to, unsigned value) {
  to.push_back(static_cast<std::byte>(value));
}
inline void put16(Octets& to, unsigned value) {
  put8(to, value >> 8 & 0xff);
  put8(to, value & 0xff);
}
inline void put32(Octets& to, std::uint32_t value) {
  put16(to, value >> 16);
  put16(to, value & 0xffff);
}
// Not inlined: GCC 12 sees overflows in std::vector's growth that are not there.
[[gnu::noinline]] inline void put(Octets& to, std::span<const std::byte> octets) {
  to.insert(to.end(), octets.begin(), octets.end());
}
inline void put_text(Octets& to, std::string_view text) {
  put(to, std::as_bytes(std::span(text.data(), text.size())));
}

inline unsigned get8(std::span<const std::byte> from, std::size_t at) {
  return std::to_integer<unsigned>(from[at]);
}
inline unsigned get16(std::span<const std::byte> from, std::size_t at) {
  return get8(from, at) << 8 | get8(from, at + 1);
}
inline std::uint32_t get32(std::span<const std::byte> from, std::size_t at) {
  return std::uint32_t{get16(from, at)} << 16 | get16(from, at + 2);
}

// The Internet checksum as RFC 1071 1 describes it, octet pair by octet pair: on purpose nothing like the
// code under test.
inline unsigned internet_checksum(std::span<const std::byte> octets, std::uint32_t start = 0) {
  std::uint32_t sum = start;
  for (std::size_t i = 0; i < octets.size(); i += 2) {
    sum += get8(octets, i) << 8 | (i + 1 < octets.size() ? get8(octets, i + 1) : 0);
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return ~sum & 0xffff;
}

}  // namespace swarmdns::test
