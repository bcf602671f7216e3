#include "proto/dns/encode.h"

namespace swarmdns::dns {
namespace {

// Octets cut into groups of `bits` bits, the last one filled up with zero bits.
std::string to_base(Bytes octets, unsigned bits, std::string_view digits) {
  std::string out;
  out.reserve(octets.size() * 8 / bits + 1);
  unsigned held = 0;
  unsigned have = 0;
  for (const std::byte octet : octets) {
    held = (held << 8) | std::to_integer<unsigned>(octet);
    have += 8;
    while (have >= bits) {
      have -= bits;
      out += digits[(held >> have) & ((1U << bits) - 1)];
    }
    held &= (1U << have) - 1;
  }
  if (have != 0) out += digits[(held << (bits - have)) & ((1U << bits) - 1)];
  return out;
}

}  // namespace

std::string to_hex(Bytes octets) {
  return to_base(octets, 4, "0123456789ABCDEF");
}

std::string to_base64(Bytes octets) {
  std::string out = to_base(octets, 6, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
  while (out.size() % 4 != 0) out += '=';
  return out;
}

std::string to_base32hex(Bytes octets) {
  return to_base(octets, 5, "0123456789ABCDEFGHIJKLMNOPQRSTUV");
}

std::string to_quoted(Bytes octets) {
  std::string out = "\"";
  for (const std::byte octet : octets) {
    const char c = std::to_integer<char>(octet);
    if (c < 0x20 || c > 0x7e) {
      append_ddd(out, octet);
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
  return out;
}

void append_ddd(std::string& out, std::byte octet) {
  const auto v = std::to_integer<unsigned>(octet);
  out += '\\';
  out += static_cast<char>('0' + v / 100);
  out += static_cast<char>('0' + v / 10 % 10);
  out += static_cast<char>('0' + v % 10);
}

}  // namespace swarmdns::dns
