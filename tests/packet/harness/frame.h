// Ethernet frames built field by field, right or wrong, and reply frames taken apart and checked, without the
// code under test.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dataplane/net/address.h"
#include "tests/packet/harness/bytes.h"

namespace swarmdns::test {

inline const Octets kServerMac = hex("02 00 00 00 00 53");
inline const Octets kClientMac = hex("02 00 00 00 00 c1");

inline Octets address(std::string_view text) {
  const auto parsed = net::Address::parse(text);
  if (!parsed) std::abort();
  const auto octets = parsed->octets();
  Octets out;
  for (const std::uint8_t o : octets) put8(out, o);
  return out;
}

struct FrameBuilder {
  Octets destination_mac = kServerMac;
  Octets source_mac = kClientMac;
  std::vector<std::pair<unsigned, unsigned>> tags;  // TPID, TCI; the outer one first
  std::string source = "10.53.1.100";
  std::string destination = "10.53.1.1";
  unsigned source_port = 40000;
  unsigned destination_port = 53;
  Octets payload;
  Octets padding;  // behind the IP packet

  // Departures from what is right.
  std::optional<unsigned> ethertype;
  std::optional<unsigned> version;    // of IP
  std::optional<unsigned> ihl;        // in words of 4 octets
  std::optional<unsigned> ip_length;  // IPv4 total length, IPv6 payload length
  std::optional<unsigned> protocol;
  std::optional<unsigned> udp_length;
  std::optional<unsigned> udp_checksum;
  std::optional<unsigned> ip_checksum;
  unsigned fragment = 0x4000;  // flags and offset: DF
  unsigned ttl = 57;
  Octets ip_options;  // IPv4, a multiple of 4 octets

  [[nodiscard]] bool ipv6() const { return source.find(':') != std::string::npos; }

  [[nodiscard]] Octets build() const {
    const Octets from = address(source);
    const Octets to = address(destination);
    Octets udp;
    put16(udp, source_port);
    put16(udp, destination_port);
    put16(udp, udp_length.value_or(static_cast<unsigned>(8 + payload.size())));
    put16(udp, 0);
    put(udp, payload);
    Octets pseudo = from;
    put(pseudo, to);
    put16(pseudo, 17);
    put16(pseudo, static_cast<unsigned>(8 + payload.size()));
    unsigned checksum = internet_checksum(udp, ~internet_checksum(pseudo) & 0xffff);
    if (checksum == 0) checksum = 0xffff;
    checksum = udp_checksum.value_or(checksum);
    udp[6] = static_cast<std::byte>(checksum >> 8);
    udp[7] = static_cast<std::byte>(checksum & 0xff);

    Octets ip;
    if (ipv6()) {
      put32(ip,
            version.value_or(6) << 28 | 0x00a12345);  // traffic class and flow label, which are not echoed
      put16(ip, ip_length.value_or(static_cast<unsigned>(udp.size())));
      put8(ip, protocol.value_or(17));
      put8(ip, ttl);
      put(ip, from);
      put(ip, to);
    } else {
      const std::size_t header = 20 + ip_options.size();
      put8(ip, version.value_or(4) << 4 | ihl.value_or(static_cast<unsigned>(header / 4)));
      put8(ip, 0x28);  // type of service, which is not echoed
      put16(ip, ip_length.value_or(static_cast<unsigned>(header + udp.size())));
      put16(ip, 0xbeef);
      put16(ip, fragment);
      put8(ip, ttl);
      put8(ip, protocol.value_or(17));
      put16(ip, 0);
      put(ip, from);
      put(ip, to);
      put(ip, ip_options);
      const unsigned sum = ip_checksum.value_or(internet_checksum(ip));
      ip[10] = static_cast<std::byte>(sum >> 8);
      ip[11] = static_cast<std::byte>(sum & 0xff);
    }

    Octets frame = destination_mac;
    put(frame, source_mac);
    for (const auto& [tpid, tci] : tags) {
      put16(frame, tpid);
      put16(frame, tci);
    }
    put16(frame, ethertype.value_or(ipv6() ? 0x86dd : 0x0800));
    put(frame, ip);
    put(frame, udp);
    put(frame, padding);
    return frame;
  }
};

// The DNS message of a reply to `query`, after checking every octet before it: MACs, tags, addresses and
// ports exchanged, lengths, hop limit 64, both checksums. On a fault the message is empty and `fault` says
// what.
struct ReplyCheck {
  Octets message;
  std::string fault;
};

inline ReplyCheck check_reply(const FrameBuilder& query, std::span<const std::byte> reply) {
  const auto bad = [](std::string why) { return ReplyCheck{{}, std::move(why)}; };
  Octets link = query.source_mac;
  put(link, query.destination_mac);
  for (const auto& [tpid, tci] : query.tags) {
    put16(link, tpid);
    put16(link, tci);
  }
  put16(link, query.ipv6() ? 0x86dd : 0x0800);
  if (reply.size() < link.size() || !std::equal(link.begin(), link.end(), reply.begin()))
    return bad("link header");
  const auto ip = reply.subspan(link.size());
  const std::size_t header = query.ipv6() ? 40 : 20;
  if (ip.size() < header + 8 + 12) return bad("too short");
  const Octets from = address(query.destination);
  const Octets to = address(query.source);
  const std::size_t addresses = query.ipv6() ? 8 : 12;
  if (query.ipv6()) {
    if (get32(ip, 0) != 0x60000000) return bad("IPv6 version, class or label");
    if (get16(ip, 4) != ip.size() - 40) return bad("IPv6 payload length");
    if (get8(ip, 6) != 17 || get8(ip, 7) != 64) return bad("next header or hop limit");
  } else {
    if (get16(ip, 0) != 0x4500) return bad("IPv4 version or type of service");
    if (get16(ip, 2) != ip.size()) return bad("IPv4 total length");
    if (get32(ip, 4) != 0x00004000) return bad("identification or flags");
    if (get8(ip, 8) != 64 || get8(ip, 9) != 17) return bad("TTL or protocol");
    if (internet_checksum(ip.first(20)) != 0) return bad("IPv4 header checksum");
  }
  if (!std::equal(from.begin(), from.end(), ip.begin() + static_cast<std::ptrdiff_t>(addresses)))
    return bad("source");
  if (!std::equal(to.begin(), to.end(), ip.begin() + static_cast<std::ptrdiff_t>(addresses + from.size()))) {
    return bad("destination");
  }
  const auto udp = ip.subspan(header);
  if (get16(udp, 0) != 53 || get16(udp, 2) != query.source_port) return bad("ports");
  if (get16(udp, 4) != udp.size()) return bad("UDP length");
  if (get16(udp, 6) == 0) return bad("no UDP checksum");
  Octets pseudo = from;
  put(pseudo, to);
  put16(pseudo, 17);
  put16(pseudo, static_cast<unsigned>(udp.size()));
  if (internet_checksum(udp, ~internet_checksum(pseudo) & 0xffff) != 0) return bad("UDP checksum");
  return {Octets(udp.begin() + 8, udp.end()), {}};
}

}  // namespace swarmdns::test
