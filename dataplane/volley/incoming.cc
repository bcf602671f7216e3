#include "dataplane/volley/incoming.h"

#include <cstring>

#include "dataplane/net/checksum.h"
#include "dataplane/net/frame.h"
#include "proto/dns/bytes.h"

namespace swarmdns::volley {
namespace {

constexpr std::uint16_t kArp = 0x0806;
constexpr std::uint16_t kIpv4 = 0x0800;
constexpr std::uint16_t kIpv6 = 0x86dd;
constexpr std::uint16_t kVlanTpid = 0x8100;
constexpr std::uint16_t kFragmentBits = 0x3fff;  // more fragments, and the offset

bool same(const std::byte* at, const net::Address& address) noexcept {
  const auto octets = address.octets();
  return std::memcmp(at, octets.data(), octets.size()) == 0;
}

// The UDP header and payload behind an IP header that was found good. `address_sum`: of both addresses.
void take_datagram(std::span<const std::byte> udp, const IncomingRules& rules, bool checksum_good,
                   std::uint64_t address_sum, Incoming& out) noexcept {
  if (udp.size() < net::kUdpHeader || dns::load_be16(udp.data()) != rules.target_port) return;
  const std::size_t length = dns::load_be16(udp.data() + 4);
  if (length < net::kUdpHeader || length > udp.size()) return;
  out.port = dns::load_be16(udp.data() + 2);
  out.message = udp.subspan(net::kUdpHeader, length - net::kUdpHeader);
  out.kind = FrameKind::Datagram;
  if (checksum_good || !rules.verify_checksums) return;
  if (dns::load_be16(udp.data() + 6) == 0) {
    if (out.v6) out.kind = FrameKind::BadChecksum;  // RFC 8200 8.1: IPv6 always carries one
    return;
  }
  const auto length_and_protocol = static_cast<std::uint16_t>(length + 17);
  const std::uint64_t sum =
      net::add_bytes(address_sum + __builtin_bswap16(length_and_protocol), udp.data(), length);
  // length + 17 may only wrap beyond what IPv4 and IPv6 without jumbograms can carry.
  if (net::fold_sum(sum) != 0xffff) out.kind = FrameKind::BadChecksum;
}

void take_v4(std::span<const std::byte> ip, const IncomingRules& rules, bool checksum_good,
             Incoming& out) noexcept {
  if (ip.size() < net::kIpv4Header || !rules.target_v4) return;
  const auto first = std::to_integer<unsigned>(ip[0]);
  const std::size_t header = std::size_t{first & 0xf} * 4;
  const std::size_t total = dns::load_be16(ip.data() + 2);
  if (first >> 4 != 4 || header < net::kIpv4Header || total < header || total > ip.size()) return;
  if (ip[9] != std::byte{17} || !same(ip.data() + 12, *rules.target_v4)) return;
  out.destination = ip.data() + 16;
  if ((dns::load_be16(ip.data() + 6) & kFragmentBits) != 0) {
    out.kind = FrameKind::Fragment;
    return;
  }
  if (!checksum_good && rules.verify_checksums && net::sum_bytes(ip.data(), header) != 0xffff) {
    out.kind = FrameKind::BadChecksum;
    return;
  }
  take_datagram(ip.subspan(header, total - header), rules, checksum_good,
                net::add_bytes(0, ip.data() + 12, 8), out);
}

void take_v6(std::span<const std::byte> ip, const IncomingRules& rules, bool checksum_good,
             Incoming& out) noexcept {
  constexpr std::byte kFragmentHeader{44};
  constexpr std::byte kIcmpv6{58};
  if (ip.size() < net::kIpv6Header || std::to_integer<unsigned>(ip[0]) >> 4 != 6) return;
  const std::size_t payload = dns::load_be16(ip.data() + 4);
  if (payload > ip.size() - net::kIpv6Header) return;
  if (ip[6] == kIcmpv6) {
    // Neighbour solicitation and advertisement (RFC 4861 4.3, 4.4).
    const bool neighbour =
        payload >= 24 && (ip[net::kIpv6Header] == std::byte{135} || ip[net::kIpv6Header] == std::byte{136});
    if (neighbour) out.kind = FrameKind::Neighbour;
    return;
  }
  if (!rules.target_v6 || !same(ip.data() + 8, *rules.target_v6)) return;
  out.v6 = true;
  out.destination = ip.data() + 24;
  if (ip[6] == kFragmentHeader) {
    out.kind = FrameKind::Fragment;
  } else if (ip[6] == std::byte{17}) {
    take_datagram(ip.subspan(net::kIpv6Header, payload), rules, checksum_good,
                  net::add_bytes(0, ip.data() + 8, 32), out);
  }
}

}  // namespace

Incoming classify(std::span<const std::byte> frame, const IncomingRules& rules, bool checksum_good) noexcept {
  Incoming out;
  if (frame.size() < net::kEthernetHeader + net::kVlanTag) return out;
  std::size_t at = 12;
  std::uint16_t type = dns::load_be16(frame.data() + at);
  if (rules.vlan) {
    if (type != kVlanTpid || (dns::load_be16(frame.data() + at + 2) & 0xfff) != *rules.vlan) return out;
    at += net::kVlanTag;
    type = dns::load_be16(frame.data() + at);
  }
  at += 2;
  out.l3 = static_cast<std::uint16_t>(at);
  if (type == kArp) {
    out.kind = FrameKind::Neighbour;
    return out;
  }
  const bool group = (frame[0] & std::byte{1}) != std::byte{0};
  const bool ours = std::memcmp(frame.data(), rules.own_mac.data(), 6) == 0;
  if (!group && !ours) return out;
  if (type == kIpv4) {
    take_v4(frame.subspan(at), rules, checksum_good, out);
  } else if (type == kIpv6) {
    take_v6(frame.subspan(at), rules, checksum_good, out);
  }
  return out;
}

}  // namespace swarmdns::volley
