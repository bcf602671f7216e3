// The addresses the queries come from: as many clients as one wants, spread evenly over prefixes (so that a
// wide one gives clients in many networks, which is how rate limiters count them). Built at start, then
// immutable.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <vector>

#include "dataplane/net/address.h"
#include "dataplane/net/checksum.h"

namespace swarmdns::volley {

class Sources {
 public:
  // `most`: clients a prefix may have, at least 1. Left out are an IPv4 prefix's network and broadcast
  // address, an IPv6 prefix's subnet-router anycast address (RFC 4291 2.6.1), and `taken`.
  [[nodiscard]] static std::expected<Sources, std::string> make(std::span<const net::Prefix> prefixes,
                                                                std::uint32_t most,
                                                                std::span<const net::Address> taken,
                                                                std::uint64_t seed);

  [[nodiscard]] std::uint32_t count(bool v6) const noexcept {
    return static_cast<std::uint32_t>(of(v6).size());
  }
  [[nodiscard]] const net::Address& address(bool v6, std::uint32_t i) const noexcept { return of(v6)[i]; }
  // The address as it lies in a header: 4 or 16 octets.
  [[nodiscard]] const std::byte* octets(bool v6, std::uint32_t i) const noexcept {
    return reinterpret_cast<const std::byte*>(of(v6)[i].bytes.data()) + (v6 ? 0 : 12);
  }
  // The partial sum of those octets, unfolded.
  [[nodiscard]] std::uint64_t sum(bool v6, std::uint32_t i) const noexcept {
    return net::add_bytes(0, octets(v6, i), v6 ? 16 : 4);
  }

  // Ours to answer ARP and neighbour solicitations for. Of a prefix all but `taken`: a client that has sent
  // nothing yet is there all the same.
  [[nodiscard]] bool owns(const net::Address& address) const noexcept;

 private:
  [[nodiscard]] const std::vector<net::Address>& of(bool v6) const noexcept { return v6 ? v6_ : v4_; }

  std::vector<net::Prefix> prefixes_;
  std::vector<net::Address> taken_;
  std::vector<net::Address> v4_;
  std::vector<net::Address> v6_;
};

}  // namespace swarmdns::volley
