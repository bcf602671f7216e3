// How much of the miss path one client prefix, or the names below one registered name, may hold at a time:
// exact counts in bounded memory. The miss thread's own.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "dataplane/miss/pool.h"
#include "dataplane/net/address.h"
#include "proto/dns/name.h"

namespace swarmdns::miss {

class Quota {
 public:
  // `max_units`: no more than this many units are ever out over all keys.
  explicit Quota(std::size_t max_units);

  // One unit for `key`, unless `limit` or more are out; false then, or at the bound.
  [[nodiscard]] bool take(std::uint64_t key, std::uint32_t limit);
  // Gives a unit back that take() gave for the same key.
  void give(std::uint64_t key) noexcept;
  [[nodiscard]] std::uint32_t held(std::uint64_t key) const noexcept;
  [[nodiscard]] std::size_t keys() const noexcept { return nodes_.used(); }

 private:
  struct Node {
    std::uint64_t key = 0;
    std::uint32_t count = 0;
    std::uint32_t next = kNone;
  };
  [[nodiscard]] std::size_t bucket(std::uint64_t key) const noexcept { return key & (buckets_.size() - 1); }

  Pool<Node> nodes_;
  std::vector<std::uint32_t> buckets_;
};

// Keys under a secret, so that nobody can aim at another's count.
class QuotaKeys {
 public:
  QuotaKeys();
  // The client's /24 or /56.
  [[nodiscard]] std::uint64_t prefix(const net::Address& client) const noexcept;
  // The first `octets` of the address (IPv4: of its IPv4-mapped form).
  [[nodiscard]] std::uint64_t block(const net::Address& client, std::size_t octets) const noexcept;
  // The registered name above `name` (folded), see registered_name().
  [[nodiscard]] std::uint64_t zone(dns::NameView name) const noexcept;

 private:
  std::array<unsigned char, 16> secret_{};
};

// The part of a name that somebody registered, near enough for a quota: two labels; three where the second is
// a customary public one ("co.uk"); for reverse names the network: /16 of IPv4, /32 of IPv6. `name` must be
// folded.
[[nodiscard]] dns::NameView registered_name(dns::NameView name) noexcept;

}  // namespace swarmdns::miss
