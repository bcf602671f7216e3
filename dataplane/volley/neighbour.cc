#include "dataplane/volley/neighbour.h"

#include <algorithm>
#include <cstring>

#include "dataplane/net/checksum.h"
#include "dataplane/net/frame.h"
#include "proto/dns/bytes.h"

namespace swarmdns::volley {
namespace {

constexpr std::uint16_t kArpType = 0x0806;
constexpr std::uint16_t kIpv6Type = 0x86dd;
constexpr std::size_t kArpSize = 28;
constexpr std::size_t kIcmpSize = 32;  // a neighbour message with one link-layer address option
constexpr std::byte kSolicitation{135};
constexpr std::byte kAdvertisement{136};

net::Address v4_at(const std::byte* at) noexcept {
  return net::Address::v4(std::span<const std::uint8_t, 4>(reinterpret_cast<const std::uint8_t*>(at), 4));
}

net::Address v6_at(const std::byte* at) noexcept {
  return net::Address::v6(std::span<const std::uint8_t, 16>(reinterpret_cast<const std::uint8_t*>(at), 16));
}

net::MacAddress mac_at(const std::byte* at) noexcept {
  net::MacAddress mac;
  std::memcpy(mac.data(), at, mac.size());
  return mac;
}

void put_address(std::byte* at, const net::Address& address) noexcept {
  const auto octets = address.octets();
  std::memcpy(at, octets.data(), octets.size());
}

// ff02::1:ffXX:XXXX, with the last three octets of `address` (RFC 4291 2.7.1).
net::Address solicited_node(const net::Address& address) noexcept {
  net::Address out{{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff}};
  std::copy_n(address.bytes.begin() + 13, 3, out.bytes.begin() + 13);
  return out;
}

// 33:33 and the last four octets (RFC 2464 7).
std::array<std::byte, 6> multicast_mac(const net::Address& group) noexcept {
  std::array<std::byte, 6> mac{std::byte{0x33}, std::byte{0x33}};
  std::memcpy(mac.data() + 2, group.bytes.data() + 12, 4);
  return mac;
}

// The IPv6 header and the ICMPv6 checksum around a message of kIcmpSize octets at ip + 40.
void finish_icmpv6(std::byte* ip, const net::Address& from, const net::Address& to) noexcept {
  std::memset(ip, 0, net::kIpv6Header);
  ip[0] = std::byte{0x60};
  dns::store_be16(ip + 4, kIcmpSize);
  ip[6] = std::byte{58};
  ip[7] = std::byte{255};  // RFC 4861 7.1: proof that no router has forwarded it
  put_address(ip + 8, from);
  put_address(ip + 24, to);
  std::byte* const icmp = ip + net::kIpv6Header;
  std::uint64_t sum = net::add_bytes(0, ip + 8, 32);
  sum += __builtin_bswap16(static_cast<std::uint16_t>(kIcmpSize)) + __builtin_bswap16(std::uint16_t{58});
  const auto checksum = static_cast<std::uint16_t>(~net::fold_sum(net::add_bytes(sum, icmp, kIcmpSize)));
  std::memcpy(icmp + 2, &checksum, sizeof checksum);
}

// The link-layer address of a message's first option of `kind`, as RFC 4861 4.6.1 has it.
const std::byte* link_layer_option(std::span<const std::byte> options, std::byte kind) noexcept {
  while (options.size() >= 8) {
    const std::size_t size = std::to_integer<std::size_t>(options[1]) * 8;
    if (size == 0 || size > options.size()) return nullptr;
    if (options[0] == kind) return options.data() + 2;
    options = options.subspan(size);
  }
  return nullptr;
}

}  // namespace

std::size_t Neighbours::link_header(const std::byte* to, std::uint16_t type, std::byte* out) const noexcept {
  std::memcpy(out, to, 6);
  std::memcpy(out + 6, options_.own_mac.data(), 6);
  std::size_t at = 12;
  if (options_.vlan) {
    dns::store_be16(out + at, 0x8100);
    dns::store_be16(out + at + 2, *options_.vlan);
    at += net::kVlanTag;
  }
  dns::store_be16(out + at, type);
  return at + 2;
}

std::size_t Neighbours::ask(bool v6, std::byte* out) const noexcept {
  const auto& next_hop = v6 ? options_.next_hop_v6 : options_.next_hop_v4;
  if (!next_hop) return 0;
  const net::Address& from = sources_.address(v6, 0);
  if (!v6) {
    std::array<std::byte, 6> everybody;
    everybody.fill(std::byte{0xff});
    std::byte* const arp = out + link_header(everybody.data(), kArpType, out);
    std::memset(arp, 0, kArpSize);
    dns::store_be64(arp, 0x0001080006040001);  // Ethernet, IPv4, sizes 6 and 4, request
    std::memcpy(arp + 8, options_.own_mac.data(), 6);
    put_address(arp + 14, from);
    put_address(arp + 24, *next_hop);
    return static_cast<std::size_t>(arp - out) + kArpSize;
  }
  const net::Address group = solicited_node(*next_hop);
  std::byte* const ip = out + link_header(multicast_mac(group).data(), kIpv6Type, out);
  std::byte* const icmp = ip + net::kIpv6Header;
  std::memset(icmp, 0, kIcmpSize);
  icmp[0] = kSolicitation;
  put_address(icmp + 8, *next_hop);
  icmp[24] = std::byte{1};  // source link-layer address
  icmp[25] = std::byte{1};
  std::memcpy(icmp + 26, options_.own_mac.data(), 6);
  finish_icmpv6(ip, from, group);
  return static_cast<std::size_t>(icmp - out) + kIcmpSize;
}

std::size_t Neighbours::handle(std::span<const std::byte> frame, std::uint16_t l3, std::byte* out) noexcept {
  const auto packet = frame.subspan(l3);
  return dns::load_be16(frame.data() + l3 - 2) == kArpType ? handle_arp(packet, out)
                                                           : handle_icmpv6(packet, frame.data() + 6, out);
}

std::size_t Neighbours::handle_arp(std::span<const std::byte> arp, std::byte* out) noexcept {
  if (arp.size() < kArpSize || dns::load_be32(arp.data()) != 0x00010800) return 0;
  if (dns::load_be16(arp.data() + 4) != 0x0604) return 0;
  const net::Address sender = v4_at(arp.data() + 14);
  const net::Address target = v4_at(arp.data() + 24);
  // RFC 826: whoever speaks is learned from, whether it asks or answers.
  if (sender == options_.next_hop_v4 && !mac(false)) set(false, mac_at(arp.data() + 8));
  if (dns::load_be16(arp.data() + 6) != 1 || !sources_.owns(target)) return 0;
  std::byte* const reply = out + link_header(arp.data() + 8, kArpType, out);
  dns::store_be64(reply, 0x0001080006040002);
  std::memcpy(reply + 8, options_.own_mac.data(), 6);
  std::memcpy(reply + 14, arp.data() + 24, 4);
  std::memcpy(reply + 18, arp.data() + 8, 10);  // the asker's MAC and address
  return static_cast<std::size_t>(reply - out) + kArpSize;
}

std::size_t Neighbours::handle_icmpv6(std::span<const std::byte> ip, const std::byte* link_source,
                                      std::byte* out) noexcept {
  if (ip.size() < net::kIpv6Header + 24 || ip[7] != std::byte{255}) return 0;
  const std::size_t size = dns::load_be16(ip.data() + 4);
  if (size < 24 || size > ip.size() - net::kIpv6Header) return 0;
  const auto icmp = ip.subspan(net::kIpv6Header, size);
  std::uint64_t sum = net::add_bytes(0, ip.data() + 8, 32);
  sum += __builtin_bswap16(static_cast<std::uint16_t>(size)) + __builtin_bswap16(std::uint16_t{58});
  if (net::fold_sum(net::add_bytes(sum, icmp.data(), size)) != 0xffff || icmp[1] != std::byte{0}) return 0;
  const net::Address sender = v6_at(ip.data() + 8);
  const net::Address target = v6_at(icmp.data() + 8);
  const auto options = icmp.subspan(24);
  if (icmp[0] == kAdvertisement) {
    const std::byte* const link = link_layer_option(options, std::byte{2});
    if (target == options_.next_hop_v6 && link != nullptr && !mac(true)) set(true, mac_at(link));
    return 0;
  }
  if (icmp[0] != kSolicitation) return 0;
  const std::byte* const link = link_layer_option(options, std::byte{1});
  if (sender == options_.next_hop_v6 && link != nullptr && !mac(true)) set(true, mac_at(link));
  if (target.is_v4() || !sources_.owns(target)) return 0;
  // Duplicate address detection asks from ::, and is answered to all nodes (RFC 4861 7.2.4).
  const bool nobody = sender == net::Address{};
  const net::Address to =
      nobody ? net::Address{{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}} : sender;
  const auto group_mac = multicast_mac(to);
  // A probe to a MAC that is known already may come without the option (RFC 4861 4.3).
  const std::byte* const back = nobody ? group_mac.data() : link != nullptr ? link : link_source;
  std::byte* const reply_ip = out + link_header(back, kIpv6Type, out);
  std::byte* const reply = reply_ip + net::kIpv6Header;
  std::memset(reply, 0, kIcmpSize);
  reply[0] = kAdvertisement;
  reply[4] = nobody ? std::byte{0x20} : std::byte{0x60};  // override; solicited
  put_address(reply + 8, target);
  reply[24] = std::byte{2};  // target link-layer address
  reply[25] = std::byte{1};
  std::memcpy(reply + 26, options_.own_mac.data(), 6);
  finish_icmpv6(reply_ip, target, to);
  return static_cast<std::size_t>(reply - out) + kIcmpSize;
}

}  // namespace swarmdns::volley
