// Which frames take the fast path. The order of the checks decides under which name a frame with several
// faults is counted: link, network, addresses, transport; the checksum, which costs most, comes last.
#include <cstring>

#include "dataplane/net/frame.h"

namespace swarmdns::net {
namespace {

using stats::Counter;

constexpr std::uint16_t kTypeIpv4 = 0x0800;
constexpr std::uint16_t kTypeArp = 0x0806;
constexpr std::uint16_t kTypeVlan = 0x8100;  // 802.1Q
constexpr std::uint16_t kTypeQinq = 0x88a8;  // 802.1ad
constexpr std::uint16_t kTypeIpv6 = 0x86dd;

constexpr std::uint8_t kProtoHopByHop = 0;
constexpr std::uint8_t kProtoIcmp = 1;
constexpr std::uint8_t kProtoTcp = 6;
constexpr std::uint8_t kProtoFragment = 44;
constexpr std::uint8_t kProtoIcmpv6 = 58;

constexpr std::uint64_t kMacMask = 0xffffffffffff;  // the low six octets of a little-endian load

std::uint8_t octet(const std::byte* at) noexcept {
  return std::to_integer<std::uint8_t>(*at);
}

std::uint16_t be16(const std::byte* at) noexcept {
  std::uint16_t v;
  std::memcpy(&v, at, sizeof v);
  return __builtin_bswap16(v);
}

std::uint64_t raw64(const std::byte* at) noexcept {
  std::uint64_t v;
  std::memcpy(&v, at, sizeof v);
  return v;
}

constexpr std::uint64_t halves(std::uint64_t word) noexcept {
  return (word & 0xffffffff) + (word >> 32);
}

Verdict drop(FrameInfo& out, Counter reason) noexcept {
  out.reason = reason;
  return Verdict::Drop;
}

Verdict to_kernel(FrameInfo& out, Counter reason) noexcept {
  out.reason = reason;
  return Verdict::Exception;
}

bool is_vlan(std::uint16_t type) noexcept {
  return type == kTypeVlan || type == kTypeQinq;
}

// IPv6 headers that stand between the fixed header and the transport (RFC 8200 4, RFC 7045).
bool is_extension(std::uint8_t next) noexcept {
  switch (next) {
    case kProtoHopByHop:
    case 43:   // routing
    case 50:   // ESP
    case 51:   // authentication
    case 60:   // destination options
    case 135:  // mobility
    case 139:  // HIP
    case 140:  // shim6
      return true;
    default:
      return false;
  }
}

// UDP (RFC 768) to a service address; `available` octets of IP payload at out.l4.
Verdict parse_udp(const std::byte* udp, std::size_t available, const PortIdentity& port, bool checksum_good,
                  FrameInfo& out) noexcept {
  if (available < kUdpHeader) return drop(out, Counter::DropUdpLength);
  const std::uint16_t length = be16(udp + 4);
  // Shorter than the IP payload is lawful: what follows is not part of the datagram.
  if (length < kUdpHeader || length > available) return drop(out, Counter::DropUdpLength);
  if (be16(udp + 2) != kDnsPort) return drop(out, Counter::DropUdpPort);
  out.source_port = be16(udp);
  if (out.source_port == 0) return drop(out, Counter::DropSourcePortZero);  // nobody to answer (RFC 768)
  if (port.is_martian(out.source)) return drop(out, Counter::DropMartianSource);

  std::uint16_t checksum;
  std::memcpy(&checksum, udp + 6, sizeof checksum);
  out.checksum_absent = checksum == 0;
  if (out.checksum_absent) {
    if (out.ipv6) return drop(out, Counter::DropUdpChecksum);  // RFC 8200 8.1; RFC 6935 is for tunnels
  } else if (!checksum_good) {
    std::uint64_t sum =
        std::uint64_t{out.address_sum} + __builtin_bswap16(kProtoUdp) + __builtin_bswap16(length);
    sum = add_bytes(sum, udp, length);
    if (fold_sum(sum) != 0xffff) return drop(out, Counter::DropUdpChecksum);
  }
  out.payload = static_cast<std::uint16_t>(out.l4 + kUdpHeader);
  out.payload_len = static_cast<std::uint16_t>(length - kUdpHeader);
  return Verdict::FastPath;
}

// Not UDP, or UDP that the kernel must look at first: for us or not?
Verdict other_ipv4(std::uint8_t protocol, std::uint8_t header, bool fragment, const PortIdentity& port,
                   FrameInfo& out) noexcept {
  if (!port.is_for_us(out.destination)) return drop(out, Counter::DropForeignAddress);
  if (port.is_martian(out.source)) return drop(out, Counter::DropMartianSource);
  if (fragment) return to_kernel(out, Counter::ToKernelFragment);
  if (header > kIpv4Header) return to_kernel(out, Counter::ToKernelOptions);
  if (protocol == kProtoTcp) return to_kernel(out, Counter::ToKernelTcp);
  if (protocol == kProtoIcmp) return to_kernel(out, Counter::ToKernelIcmp);
  return to_kernel(out, Counter::ToKernelOther);
}

Verdict parse_ipv4(std::span<const std::byte> frame, const PortIdentity& port, bool checksum_good,
                   FrameInfo& out) noexcept {
  const std::byte* ip = frame.data() + out.l3;
  const std::size_t available = frame.size() - out.l3;
  if (available < kIpv4Header) return drop(out, Counter::DropRunt);
  const std::uint8_t version_ihl = octet(ip);
  if (version_ihl >> 4 != 4) return drop(out, Counter::DropIpVersion);
  const std::size_t header = std::size_t{4} * (version_ihl & 0x0fU);
  const std::size_t total = be16(ip + 2);
  if (header < kIpv4Header || total < header) return drop(out, Counter::DropIpHeader);
  if (total > available) return drop(out, Counter::DropRunt);

  const std::uint64_t addresses = halves(raw64(ip + 12));
  out.address_sum = fold_sum(addresses);
  if (!checksum_good) {  // RFC 1122 3.2.1.2
    std::uint32_t middle;
    std::memcpy(&middle, ip + 8, sizeof middle);
    std::uint64_t sum = halves(raw64(ip)) + middle + addresses;
    if (header != kIpv4Header) [[unlikely]]
      sum = add_bytes(sum, ip + kIpv4Header, header - kIpv4Header);
    if (fold_sum(sum) != 0xffff) return drop(out, Counter::DropIpHeader);
  }

  std::uint32_t source;
  std::uint32_t destination;
  std::memcpy(&source, ip + 12, sizeof source);
  std::memcpy(&destination, ip + 16, sizeof destination);
  constexpr std::uint64_t kMapped = 0xffff0000;  // octets 8-11 of an IPv4-mapped address
  const std::uint64_t source_words[2] = {0, kMapped | (std::uint64_t{source} << 32)};
  const std::uint64_t destination_words[2] = {0, kMapped | (std::uint64_t{destination} << 32)};
  std::memcpy(out.source.bytes.data(), source_words, sizeof source_words);
  std::memcpy(out.destination.bytes.data(), destination_words, sizeof destination_words);
  out.ipv6 = false;

  const std::uint8_t protocol = octet(ip + 9);
  const bool fragment = (be16(ip + 6) & 0x3fff) != 0;  // MF or an offset; DF alone is no fragment
  if (protocol != kProtoUdp || fragment || header != kIpv4Header) [[unlikely]] {
    return other_ipv4(protocol, static_cast<std::uint8_t>(header), fragment, port, out);
  }
  if (!port.service().contains(out.destination)) return drop(out, Counter::DropForeignAddress);
  out.l4 = static_cast<std::uint16_t>(out.l3 + kIpv4Header);
  return parse_udp(ip + kIpv4Header, total - kIpv4Header, port, checksum_good, out);
}

Verdict other_ipv6(std::uint8_t next, const PortIdentity& port, FrameInfo& out) noexcept {
  if (!port.is_for_us(out.destination)) return drop(out, Counter::DropForeignAddress);
  // Duplicate address detection asks from :: (RFC 4862 5.4.2); an own source is for the kernel to judge as
  // well.
  if (next == kProtoIcmpv6) return to_kernel(out, Counter::ToKernelIcmp);
  if (port.is_martian(out.source)) return drop(out, Counter::DropMartianSource);
  if (next == kProtoFragment) return to_kernel(out, Counter::ToKernelFragment);
  if (is_extension(next)) return to_kernel(out, Counter::ToKernelOptions);  // never walked here
  if (next == kProtoTcp) return to_kernel(out, Counter::ToKernelTcp);
  return to_kernel(out, Counter::ToKernelOther);
}

Verdict parse_ipv6(std::span<const std::byte> frame, const PortIdentity& port, bool checksum_good,
                   FrameInfo& out) noexcept {
  const std::byte* ip = frame.data() + out.l3;
  const std::size_t available = frame.size() - out.l3;
  if (available < kIpv6Header) return drop(out, Counter::DropRunt);
  if (octet(ip) >> 4 != 6) return drop(out, Counter::DropIpVersion);
  const std::size_t length = be16(ip + 4);
  if (length > available - kIpv6Header) return drop(out, Counter::DropRunt);

  out.address_sum = fold_sum(halves(raw64(ip + 8)) + halves(raw64(ip + 16)) + halves(raw64(ip + 24)) +
                             halves(raw64(ip + 32)));
  std::memcpy(out.source.bytes.data(), ip + 8, 16);
  std::memcpy(out.destination.bytes.data(), ip + 24, 16);
  out.ipv6 = true;

  // ::/64 holds only ::, ::1 and IPv4 in IPv6's clothes, which would pass for the IPv4 address above (RFC
  // 4942 2.2).
  if (out.destination.high() == 0) return drop(out, Counter::DropForeignAddress);
  const std::uint8_t next = octet(ip + 6);
  if (out.source.high() == 0 && next != kProtoIcmpv6) return drop(out, Counter::DropMartianSource);
  if (next != kProtoUdp) [[unlikely]]
    return other_ipv6(next, port, out);
  if (!port.service().contains(out.destination)) return drop(out, Counter::DropForeignAddress);
  out.l4 = static_cast<std::uint16_t>(out.l3 + kIpv6Header);
  return parse_udp(ip + kIpv6Header, length, port, checksum_good, out);
}

// Broadcast and multicast: ARP, and the IPv6 control traffic that an interface cannot live without.
Verdict parse_group(std::span<const std::byte> frame, std::uint16_t type, FrameInfo& out) noexcept {
  if (type == kTypeArp) return to_kernel(out, Counter::ToKernelArp);
  if (type != kTypeIpv6) return drop(out, Counter::DropForeignMac);
  const std::byte* ip = frame.data() + out.l3;
  if (frame.size() - out.l3 < kIpv6Header) return drop(out, Counter::DropRunt);
  if (octet(ip) >> 4 != 6) return drop(out, Counter::DropIpVersion);
  if (be16(ip + 4) > frame.size() - out.l3 - kIpv6Header) return drop(out, Counter::DropRunt);
  // Only link-local scope (ff02::/16): solicited-node, all-nodes, all-routers.
  if (be16(ip + 24) != 0xff02) return drop(out, Counter::DropForeignMac);
  const std::uint8_t next = octet(ip + 6);
  if (next == kProtoIcmpv6) return to_kernel(out, Counter::ToKernelIcmp);
  if (next == kProtoHopByHop) return to_kernel(out, Counter::ToKernelOptions);  // MLD (RFC 3810 5)
  return drop(out, Counter::DropForeignMac);
}

}  // namespace

Verdict parse_frame(std::span<const std::byte> frame, const PortIdentity& port, bool checksum_good,
                    FrameInfo& out) noexcept {
  if (frame.size() < kEthernetHeader) return drop(out, Counter::DropRunt);
  const std::byte* at = frame.data();
  std::size_t l3 = kEthernetHeader;
  std::uint16_t type = be16(at + 12);
  for (int tags = 0; is_vlan(type); ++tags) {
    if (tags == 2) return drop(out, Counter::DropVlanDepth);
    if (frame.size() < l3 + kVlanTag) return drop(out, Counter::DropRunt);
    type = be16(at + l3 + 2);
    l3 += kVlanTag;
  }
  out.l3 = static_cast<std::uint16_t>(l3);

  // A reply would go to this MAC: it must be one station's.
  if ((octet(at + 6) & 1) != 0) return drop(out, Counter::DropMartianSource);
  if ((raw64(at) & kMacMask) != port.mac_word()) [[unlikely]] {
    if ((octet(at) & 1) == 0) return drop(out, Counter::DropForeignMac);
    return parse_group(frame, type, out);
  }
  if (type == kTypeIpv4) return parse_ipv4(frame, port, checksum_good, out);
  if (type == kTypeIpv6) return parse_ipv6(frame, port, checksum_good, out);
  if (type == kTypeArp) return to_kernel(out, Counter::ToKernelArp);
  return drop(out, Counter::DropEtherType);
}

}  // namespace swarmdns::net
