// The load generator as a neighbour on its link: it asks for the MAC of the server (or of the gateway to it)
// and answers for its client addresses, by ARP (RFC 826) and IPv6 neighbour discovery (RFC 4861). No timers
// here, no allocation. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "dataplane/net/address.h"
#include "dataplane/volley/incoming.h"
#include "dataplane/volley/sources.h"

namespace swarmdns::volley {

class Neighbours {
 public:
  // Room for any frame written here.
  static constexpr std::size_t kMaxFrame = 14 + 4 + 40 + 32;

  struct Options {
    net::MacAddress own_mac{};
    std::optional<std::uint16_t> vlan;
    // Whose MAC is wanted: the server's address or the gateway's.
    std::optional<net::Address> next_hop_v4;
    std::optional<net::Address> next_hop_v6;
  };
  // `sources` must outlive this, and have a client of each family that has a next hop.
  Neighbours(const Options& options, const Sources& sources) : options_(options), sources_(sources) {}

  // The MAC is given, and not to be asked for.
  void set(bool v6, const net::MacAddress& mac) noexcept { macs_[v6 ? 1 : 0] = mac; }
  [[nodiscard]] const std::optional<net::MacAddress>& mac(bool v6) const noexcept {
    return macs_[v6 ? 1 : 0];
  }
  [[nodiscard]] bool complete() const noexcept { return !wanted(false) && !wanted(true); }
  // There is a next hop of that family, and its MAC is not known yet.
  [[nodiscard]] bool wanted(bool v6) const noexcept {
    return (v6 ? options_.next_hop_v6 : options_.next_hop_v4).has_value() && !mac(v6);
  }

  // Writes the question for the next hop's MAC and returns the frame's length; 0: there is none.
  std::size_t ask(bool v6, std::byte* out) const noexcept;

  // Takes what classify() called a Neighbour: learns from it, and writes the answer to `out` when it asks for
  // an address of ours. Returns the answer's length, 0 for none.
  std::size_t handle(std::span<const std::byte> frame, std::uint16_t l3, std::byte* out) noexcept;

 private:
  std::size_t handle_arp(std::span<const std::byte> arp, std::byte* out) noexcept;
  std::size_t handle_icmpv6(std::span<const std::byte> ip, const std::byte* link_source,
                            std::byte* out) noexcept;
  std::size_t link_header(const std::byte* to, std::uint16_t type, std::byte* out) const noexcept;

  Options options_;
  const Sources& sources_;
  std::array<std::optional<net::MacAddress>, 2> macs_;
};

}  // namespace swarmdns::volley
