// DNS messages written field by field, right or wrong, without the code under test.
#pragma once

#include <string_view>

#include "tests/packet/harness/bytes.h"

namespace swarmdns::test {

// "www.example.com." or "." in wire form; no escapes.
inline Octets wire_name(std::string_view text) {
  Octets out;
  while (!text.empty() && text != ".") {
    const std::size_t dot = text.find('.');
    const std::string_view label = text.substr(0, dot);
    put8(out, static_cast<unsigned>(label.size()));
    put_text(out, label);
    text = dot == std::string_view::npos ? std::string_view{} : text.substr(dot + 1);
  }
  put8(out, 0);
  return out;
}

inline constexpr unsigned kA = 1, kNs = 2, kCname = 5, kSoa = 6, kTxt = 16, kAaaa = 28, kOpt = 41,
                          kRrsig = 46;
inline constexpr unsigned kIn = 1, kCh = 3;

struct MessageBuilder {
  unsigned id = 0x1234;
  unsigned flags = 0x0100;  // RD
  unsigned counts[4] = {0, 0, 0, 0};
  Octets body;

  MessageBuilder& with_id(unsigned value) {
    id = value;
    return *this;
  }
  MessageBuilder& with_flags(unsigned value) {
    flags = value;
    return *this;
  }
  // Appends octets without counting them.
  MessageBuilder& raw(std::span<const std::byte> octets) {
    put(body, octets);
    return *this;
  }
  MessageBuilder& count(unsigned section, unsigned value) {
    counts[section] = value;
    return *this;
  }
  MessageBuilder& question(std::string_view name, unsigned type, unsigned klass = kIn) {
    ++counts[0];
    put(body, wire_name(name));
    put16(body, type);
    put16(body, klass);
    return *this;
  }
  // section: 1 answer, 2 authority, 3 additional. The owner is given in wire form: hex("c00c"),
  // wire_name("x.").
  MessageBuilder& record(unsigned section, std::span<const std::byte> owner, unsigned type, unsigned klass,
                         std::uint32_t ttl, std::span<const std::byte> rdata) {
    ++counts[section];
    put(body, owner);
    put16(body, type);
    put16(body, klass);
    put32(body, ttl);
    put16(body, static_cast<unsigned>(rdata.size()));
    put(body, rdata);
    return *this;
  }
  MessageBuilder& opt(unsigned payload = 1232, bool dnssec_ok = false,
                      std::span<const std::byte> options = {}, unsigned version = 0,
                      unsigned extended_rcode = 0) {
    return record(3, hex("00"), kOpt, payload,
                  extended_rcode << 24 | version << 16 | (dnssec_ok ? 0x8000U : 0U), options);
  }
  [[nodiscard]] Octets build() const {
    Octets out;
    put16(out, id);
    put16(out, flags);
    for (const unsigned n : counts) put16(out, n);
    put(out, body);
    return out;
  }
};

inline Octets option(unsigned code, std::span<const std::byte> data) {
  Octets out;
  put16(out, code);
  put16(out, static_cast<unsigned>(data.size()));
  put(out, data);
  return out;
}

inline Octets join(std::initializer_list<Octets> parts) {
  Octets out;
  for (const Octets& part : parts) put(out, part);
  return out;
}

}  // namespace swarmdns::test
