// Octets for the tests of proto/dns: from hexadecimal, from text, and messages put together by hand so that
// the readers are not tested against our own writer only.
#pragma once

#include <cstdint>
#include <ostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "proto/dns/bytes.h"
#include "proto/dns/encode.h"
#include "proto/dns/name.h"
#include "proto/dns/name_text.h"
#include "proto/dns/types.h"

namespace swarmdns::dns::test {

// A type of this namespace, so that `+` below is found.
struct Octets : std::vector<std::byte> {
  using vector::vector;
};

// Hexadecimal digits; spaces are ignored.
inline Octets hex(std::string_view text) {
  Octets out;
  int high = -1;
  for (const char c : text) {
    if (c == ' ' || c == '\n') continue;
    const std::string_view digits = "0123456789abcdef";
    const auto v = digits.find(c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c);
    if (v == std::string_view::npos) throw std::invalid_argument("not hexadecimal");
    if (high < 0) {
      high = static_cast<int>(v);
    } else {
      out.push_back(static_cast<std::byte>(high * 16 + static_cast<int>(v)));
      high = -1;
    }
  }
  if (high >= 0) throw std::invalid_argument("odd number of digits");
  return out;
}

inline Octets octets(std::string_view text) {
  const Bytes view = as_octets(text);
  return {view.begin(), view.end()};
}

inline Octets operator+(Octets a, const Octets& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

inline Octets u16(std::uint16_t v) {
  return {static_cast<std::byte>(v >> 8), static_cast<std::byte>(v & 0xff)};
}

inline Octets u32(std::uint32_t v) {
  return u16(static_cast<std::uint16_t>(v >> 16)) + u16(static_cast<std::uint16_t>(v & 0xffff));
}

// For GoogleTest's messages.
inline void PrintTo(const Octets& data, std::ostream* out) {
  *out << to_hex(data);
}

// A name that must be valid.
inline Name name(std::string_view text) {
  return name_from_text(text).value();
}

inline Octets wire(std::string_view text) {
  const Name n = name(text);
  return {n.wire().begin(), n.wire().end()};
}

inline Octets header(std::uint16_t flags, std::uint16_t qd, std::uint16_t an, std::uint16_t ns,
                     std::uint16_t ar, std::uint16_t id = 0x1234) {
  return u16(id) + u16(flags) + u16(qd) + u16(an) + u16(ns) + u16(ar);
}

inline Octets question(std::string_view qname, Type type, Class klass = Class::IN) {
  return wire(qname) + u16(to_u16(type)) + u16(to_u16(klass));
}

// `owner` in wire form, so that it may be a pointer.
inline Octets record(const Octets& owner, Type type, std::uint32_t ttl, const Octets& rdata,
                     Class klass = Class::IN) {
  return owner + u16(to_u16(type)) + u16(to_u16(klass)) + u32(ttl) +
         u16(static_cast<std::uint16_t>(rdata.size())) + rdata;
}

// xorshift64*: the same numbers on every machine.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545f4914f6cdd1dULL;
  }
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(next() % n); }
  std::byte octet() { return static_cast<std::byte>(next() >> 56); }

 private:
  std::uint64_t state_;
};

// A random valid name: any octets, any number of labels, at times the longest possible.
inline Name random_name(Random& random) {
  Name out;
  const std::size_t labels = random.below(10) == 0 ? kMaxLabelCount : random.below(6);
  for (std::size_t i = 0; i < labels; ++i) {
    const std::size_t longest = random.below(4) == 0 ? kMaxLabelSize : 8;
    Octets label(1 + random.below(longest));
    const bool any = random.below(3) == 0;
    for (auto& octet : label) octet = any ? random.octet() : static_cast<std::byte>('a' + random.below(3));
    if (!out.prepend_label(label)) break;
  }
  return out;
}

}  // namespace swarmdns::dns::test
