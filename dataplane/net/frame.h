// Views on an Ethernet frame: which frames take the fast path, where their parts lie, and turning a query frame
// into its reply. Free of DPDK: a frame is a span. Called by workers; no allocation, no state.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/stats/counters.h"

namespace swarmdns::net {

using MacAddress = std::array<std::uint8_t, 6>;

// IPv4 addresses stand as IPv4-mapped IPv6, so that everything above net/ knows one kind.
struct alignas(16) Address {
  std::array<std::uint8_t, 16> bytes{};
  friend bool operator==(const Address&, const Address&) = default;
  [[nodiscard]] bool is_v4() const noexcept;
};

enum class Verdict : std::uint8_t {
  FastPath,   // FrameInfo is filled; a UDP datagram to port 53 of a service address
  Exception,  // for the kernel, counted under FrameInfo::reason
  Drop,       // counted under FrameInfo::reason
};

struct FrameInfo {
  std::uint16_t l3 = 0;           // offset of the IP header
  std::uint16_t l4 = 0;           // offset of the UDP header
  std::uint16_t payload = 0;      // offset of the DNS message
  std::uint16_t payload_len = 0;  // by UDP length, never by the frame
  bool ipv6 = false;
  bool checksum_absent = false;   // IPv4 UDP checksum 0
  std::uint16_t source_port = 0;  // host order
  Address source;
  Address destination;
  stats::Counter reason{};        // for Exception and Drop
};

// What a port answers to; immutable, built by control.
class PortIdentity;

// RFC 791, 8200, 768, 9.. : see headers.cc. `checksum_good`: the NIC has already verified IP and UDP checksums.
Verdict parse_frame(std::span<const std::byte> frame, const PortIdentity& port, bool checksum_good, FrameInfo& out) noexcept;

// Turns the query frame around in place: MACs, addresses and ports swapped, lengths, hop limit and checksums set for
// a DNS message of `message_len` bytes at info.payload. Returns the frame's new length.
std::size_t finish_reply(std::span<std::byte> frame, const FrameInfo& info, std::size_t message_len) noexcept;

}  // namespace swarmdns::net
