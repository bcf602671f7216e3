// What a received frame is to the load generator: a datagram of a server asked, something of its
// neighbourhood, or nothing of ours. Lengths come from IP and UDP, never from the frame. No state, no
// allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "dataplane/net/address.h"

namespace swarmdns::volley {

enum class FrameKind : std::uint8_t {
  Datagram,     // UDP from a target's address and port, checksums right
  Neighbour,    // ARP, or an ICMPv6 neighbour message
  BadChecksum,  // of IP or UDP, otherwise as Datagram
  Fragment,     // of IP, from a target: its answer was larger than the path takes
  Other,
};

struct Incoming {
  FrameKind kind = FrameKind::Other;
  bool v6 = false;
  std::uint16_t l3 = 0;                    // offset of what is behind the link header
  std::uint16_t port = 0;                  // the destination's
  const std::byte* destination = nullptr;  // 4 or 16 octets
  std::span<const std::byte> message;      // the DNS message
};

struct IncomingRules {
  net::MacAddress own_mac{};
  std::optional<std::uint16_t> vlan;  // frames must carry this tag, or none
  std::optional<net::Address> target_v4;
  std::optional<net::Address> target_v6;
  std::uint16_t target_port = 53;
  bool verify_checksums = true;
};

// `checksum_good`: the NIC has verified IP and UDP checksums.
[[nodiscard]] Incoming classify(std::span<const std::byte> frame, const IncomingRules& rules,
                                bool checksum_good) noexcept;

}  // namespace swarmdns::volley
