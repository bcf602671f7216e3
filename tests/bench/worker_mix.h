// The published, seeded mix that the worker bench runs on: names, their answers, and the queries for them.
// Everything follows from the index of a name and a seed, so that tens of millions need no memory here.
//
//   names     10-34 octets, one in five with "www."; unique
//   answers   12 % NXDOMAIN, 15 % CNAME (one or two links, then one or two addresses), 10 % AAAA (1-2), rest
//   A (1-4) DO        30 % of the names are asked with DO: every record set then carries its RRSIG (ECDSA
//   P-256), NXDOMAIN an
//             NSEC and the SOA, both signed
//   EDNS      70 % of the queries (all with DO), 1232 octets; 5 % of those with a client cookie
//   clients   8,192 addresses, half IPv4 and half IPv6; random ports
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "dataplane/cache/image.h"
#include "dataplane/net/frame.h"

namespace swarmdns::bench {

inline constexpr net::MacAddress kServerMac{0x02, 0, 0, 0, 0, 0x53};
inline constexpr const char* kServerV4 = "10.53.1.1";
inline constexpr const char* kServerV6 = "fd53:1::1";

class Mix {
 public:
  explicit Mix(std::uint64_t seed) : seed_(seed) {}

  // The answer to name `index` as the cache takes it.
  [[nodiscard]] cache::EntryImage answer(std::uint64_t index, cache::Seconds now) const;
  // A query frame for name `index`, `variation` choosing client, ID and options. Returns its length; at most
  // 200 octets are written.
  std::size_t query(std::uint64_t index, std::uint64_t variation, std::byte* frame) const;

  struct Name {
    std::array<std::byte, 64> wire;  // zeros behind the name, as a folded one has
    std::uint8_t length = 0;
  };
  [[nodiscard]] Name name(std::uint64_t index) const;
  // 0 or cache::kKeyDnssecOk; what the queries for this name ask with.
  [[nodiscard]] std::uint8_t key_flags(std::uint64_t index) const;
  [[nodiscard]] std::uint16_t qtype(std::uint64_t index) const;

 private:
  enum class Shape : std::uint8_t { Address, Address6, Alias, NxDomain };
  [[nodiscard]] Shape shape(std::uint64_t index) const;
  [[nodiscard]] std::uint64_t random(std::uint64_t index, std::uint64_t salt) const;
  std::uint64_t seed_;
};

}  // namespace swarmdns::bench
