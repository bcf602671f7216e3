// Cache entries as messages, for the tests of control/.
#pragma once

#include <string>
#include <string_view>

#include "proto/dns/name_text.h"
#include "swarmdns/v1/dataplane.pb.h"

namespace swarmdns::control {

inline std::string wire(std::string_view name) {
  const dns::Name parsed = dns::name_from_text(name).value();
  return {reinterpret_cast<const char*>(parsed.wire().data()), parsed.size()};
}

inline std::string be16(unsigned v) {
  return {static_cast<char>(v >> 8), static_cast<char>(v)};
}
inline std::string be32(std::uint32_t v) {
  return be16(v >> 16) + be16(v & 0xffff);
}

// A record of type A whose owner is the question.
inline std::string a_record(std::uint32_t ttl, unsigned char last = 1) {
  return be16(0xc00c) + be16(1) + be16(1) + be32(ttl) + be16(4) +
         std::string{'\xc0', 0, 2, static_cast<char>(last)};
}

inline std::string txt_record(std::uint32_t ttl, std::size_t bytes) {
  std::string rdata;
  while (rdata.size() + 1 < bytes) {
    const std::size_t n = std::min<std::size_t>(255, bytes - rdata.size() - 1);
    rdata += static_cast<char>(n);
    rdata.append(n, 'x');
  }
  return be16(0xc00c) + be16(16) + be16(1) + be32(ttl) + be16(static_cast<unsigned>(rdata.size())) + rdata;
}

// Fresh, just resolved.
inline v1::CacheEntry a_entry(std::string_view name, std::uint32_t ttl = 300, unsigned char last = 1) {
  v1::CacheEntry entry;
  entry.mutable_key()->set_qname(wire(name));
  entry.mutable_key()->set_qtype(1);
  entry.set_sections(a_record(ttl, last));
  entry.set_answers(1);
  entry.set_remaining_ms(std::int64_t{ttl} * 1000);
  return entry;
}

inline v1::CacheEntry txt_entry(std::string_view name, std::size_t bytes) {
  v1::CacheEntry entry;
  entry.mutable_key()->set_qname(wire(name));
  entry.mutable_key()->set_qtype(16);
  entry.set_sections(txt_record(300, bytes));
  entry.set_answers(1);
  entry.set_remaining_ms(300'000);
  return entry;
}

}  // namespace swarmdns::control
