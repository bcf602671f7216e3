// Views on an Ethernet frame: which frames take the fast path, where their parts lie, and turning a query
// frame into its reply. Free of DPDK: a frame is a span. Called by workers; no allocation, no state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/net/address.h"
#include "dataplane/net/checksum.h"
#include "dataplane/net/port_identity.h"
#include "dataplane/stats/counters.h"

namespace swarmdns::net {

inline constexpr std::size_t kEthernetHeader = 14;
inline constexpr std::size_t kVlanTag = 4;
inline constexpr std::size_t kIpv4Header = 20;
inline constexpr std::size_t kIpv6Header = 40;
inline constexpr std::size_t kUdpHeader = 8;
inline constexpr std::uint8_t kProtoUdp = 17;
// Ethernet, two tags, IPv6, UDP: the most that lies before a DNS message.
inline constexpr std::size_t kMaxHeaders = kEthernetHeader + 2 * kVlanTag + kIpv6Header + kUdpHeader;
inline constexpr std::uint16_t kDnsPort = 53;

enum class Verdict : std::uint8_t {
  FastPath,   // FrameInfo is filled; a UDP datagram to port 53 of a service address
  Exception,  // for the kernel, counted under FrameInfo::reason
  Drop,       // counted under FrameInfo::reason
};

// Filled by parse_frame; for verdicts other than FastPath only `reason` (and l3, if it got that far) means
// anything.
struct FrameInfo {
  std::uint16_t l3 = 0;           // offset of the IP header
  std::uint16_t l4 = 0;           // offset of the UDP header
  std::uint16_t payload = 0;      // offset of the DNS message
  std::uint16_t payload_len = 0;  // octets, by UDP length, never by the frame
  std::uint16_t source_port = 0;  // host order
  bool ipv6 = false;
  bool checksum_absent = false;   // IPv4 with UDP checksum 0
  std::uint16_t address_sum = 0;  // partial sum of both addresses: the reply's checksums need it again
  stats::Counter reason{};        // for Exception and Drop
  Address source;
  Address destination;
};

// The rules: RFC 791, 1122, 8200, 768, 8504; each beside its check in headers.cc. `checksum_good`: the NIC
// has already verified both the IPv4 header checksum and the UDP checksum.
Verdict parse_frame(std::span<const std::byte> frame, const PortIdentity& port, bool checksum_good,
                    FrameInfo& out) noexcept;

// Turns the query frame around in place: MACs, addresses and ports swapped, lengths, hop limit and checksums
// set for a DNS message of `message_len` octets at info.payload. `message_sum` is its partial sum when the
// builder knows it (dns::Query::reply_sum); else it is summed here. Returns the frame's new length. The frame
// must hold info.payload + message_len octets; message_len is at most 65,507.
std::size_t finish_reply(std::span<std::byte> frame, const FrameInfo& info, std::size_t message_len,
                         std::uint32_t message_sum = kUnknownSum) noexcept;

// For a reply that goes out later in another buffer: the headers before the DNS message are kept (at most
// kMaxHeaders octets; returns how many) ...
std::size_t save_headers(std::span<const std::byte> frame, const FrameInfo& info,
                         std::span<std::byte> out) noexcept;
// ... and put back to the front of a fresh frame, as if the query stood there: write the message at
// info.payload, then call finish_reply. Returns false when the frame is shorter than the headers.
bool restore_headers(std::span<const std::byte> headers, std::span<std::byte> frame) noexcept;

}  // namespace swarmdns::net
