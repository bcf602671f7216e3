// What the tests of the load generator share: lists and clients by a word, and query frames taken apart octet
// by octet, without the code under test.
#pragma once

#include <gtest/gtest.h>

#include "dataplane/volley/query_frames.h"
#include "dataplane/volley/query_list.h"
#include "dataplane/volley/sources.h"
#include "tests/packet/harness/frame.h"
#include "tests/packet/harness/message.h"

namespace swarmdns::volley::support {

inline QueryList list_of(std::string_view text) {
  auto list = QueryList::parse(text, "list");
  if (!list) std::abort();
  return std::move(*list);
}

inline Sources sources_of(std::initializer_list<const char*> prefixes, std::uint32_t most = 64) {
  std::vector<net::Prefix> parsed;
  for (const char* prefix : prefixes) parsed.push_back(*net::Prefix::parse(prefix));
  auto sources = Sources::make(parsed, most, {}, 1);
  if (!sources) std::abort();
  return std::move(*sources);
}

inline const net::MacAddress kOwnMac{2, 0, 0, 0, 0, 0xc1};
inline const net::MacAddress kServerMac{2, 0, 0, 0, 0, 0x53};

inline FrameOptions frame_options() {
  return {.own_mac = kOwnMac,
          .target_v4 = net::Address::parse("10.53.1.1"),
          .target_v6 = net::Address::parse("fd53:1::1")};
}

struct Sent {
  std::string fault;  // empty: every octet before the message is as it must be
  std::string source;
  unsigned source_port = 0;
  test::Octets message;
};

inline Sent take_apart(std::span<const std::byte> frame, bool v6, std::optional<unsigned> vlan = {}) {
  Sent out;
  const auto bad = [&](std::string why) {
    out.fault = std::move(why);
    return out;
  };
  test::Octets link;
  for (const auto octet : kServerMac) test::put8(link, octet);
  for (const auto octet : kOwnMac) test::put8(link, octet);
  if (vlan) {
    test::put16(link, 0x8100);
    test::put16(link, *vlan);
  }
  test::put16(link, v6 ? 0x86dd : 0x0800);
  if (frame.size() < link.size() + 40 || !std::equal(link.begin(), link.end(), frame.begin()))
    return bad("link header");
  const auto ip = frame.subspan(link.size());
  const std::size_t header = v6 ? 40 : 20;
  const auto target = test::address(v6 ? "fd53:1::1" : "10.53.1.1");
  const std::size_t address = target.size();
  const auto source = ip.subspan(v6 ? 8 : 12, address);
  if (!std::ranges::equal(ip.subspan(v6 ? 24 : 16, address), target)) return bad("destination");
  if (v6) {
    if (test::get32(ip, 0) != 0x60000000 || test::get16(ip, 6) != 0x1140) return bad("IPv6 header");
    if (test::get16(ip, 4) != ip.size() - 40) return bad("IPv6 length");
  } else {
    if (test::get16(ip, 0) != 0x4500 || test::get32(ip, 4) != 0x4000 || test::get16(ip, 8) != 0x4011)
      return bad("IPv4 header");
    if (test::get16(ip, 2) != ip.size()) return bad("IPv4 length");
    if (test::internet_checksum(ip.first(20)) != 0) return bad("IPv4 checksum");
  }
  const auto udp = ip.subspan(header);
  if (test::get16(udp, 2) != 53 || test::get16(udp, 4) != udp.size()) return bad("UDP header");
  if (test::get16(udp, 6) == 0) return bad("no UDP checksum");
  test::Octets pseudo(source.begin(), source.end());
  test::put(pseudo, target);
  test::put16(pseudo, 17);
  test::put16(pseudo, static_cast<unsigned>(udp.size()));
  if (test::internet_checksum(udp, ~test::internet_checksum(pseudo) & 0xffff) != 0)
    return bad("UDP checksum");
  const auto* octets = reinterpret_cast<const std::uint8_t*>(source.data());
  out.source = v6 ? net::Address::v6(std::span<const std::uint8_t, 16>(octets, 16)).to_text()
                  : net::Address::v4(std::span<const std::uint8_t, 4>(octets, 4)).to_text();
  out.source_port = test::get16(udp, 0);
  out.message.assign(udp.begin() + 8, udp.end());
  return out;
}

}  // namespace swarmdns::volley::support
