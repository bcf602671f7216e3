// Who may ask: longest matching prefix decides. Immutable after build; swapped under RCU as part of
// worker::Policy.
//
// Compiled to sorted ranges, one table a family: a check is a branch-free binary search, log2(2 * rules + 1)
// steps at most, over 8 octets (IPv4: 4) a range.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dataplane/net/address.h"

namespace swarmdns::guard {

enum class AclAction : std::uint8_t {
  Allow,
  Deny,    // dropped, and counted
  Refuse,  // REFUSED with EDE 18 (Prohibited)
};

using net::Prefix;

struct AclRule {
  Prefix prefix;
  AclAction action;
};

// What holds when the operator wrote no rules: loopback and the networks that the node is connected to may
// ask.
[[nodiscard]] std::vector<AclRule> default_acl_rules(std::span<const Prefix> connected);

class Acl {
 public:
  // Of rules with the same prefix the last one holds.
  static std::unique_ptr<const Acl> build(std::span<const AclRule> rules, AclAction otherwise);

  // Any thread.
  [[nodiscard, gnu::always_inline]] AclAction check(const net::Address& client) const noexcept {
    if (client.is_v4()) {
      const std::uint32_t key = v4_number(client);
      return v4_actions_[find_piece(v4_starts_, [key](std::uint32_t start) { return start <= key; })];
    }
    const Number key = v6_number(client);
    return v6_actions_[find_piece(v6_starts_, [key](Number start) { return start <= key; })];
  }

 private:
  __extension__ using Number = unsigned __int128;
  Acl() = default;

  static std::uint32_t v4_number(const net::Address& address) noexcept {
    return static_cast<std::uint32_t>(__builtin_bswap64(address.low()));
  }
  static Number v6_number(const net::Address& address) noexcept {
    return (Number{__builtin_bswap64(address.high())} << 64) | __builtin_bswap64(address.low());
  }
  // The index of the last start that is not above the key; starts[0] never is. No branch depends on the data.
  template <class Start, class NotAbove>
  [[gnu::always_inline]] static std::size_t find_piece(const std::vector<Start>& starts,
                                                       NotAbove not_above) noexcept {
    const Start* base = starts.data();
    std::size_t left = starts.size();
    while (left > 1) {
      const std::size_t half = left / 2;
      base += not_above(base[half]) ? half : 0;
      left -= half;
    }
    return static_cast<std::size_t>(base - starts.data());
  }

  // Range i begins at starts[i] and ends before starts[i + 1]; starts[0] is 0.
  std::vector<std::uint32_t> v4_starts_;
  std::vector<AclAction> v4_actions_;
  std::vector<Number> v6_starts_;
  std::vector<AclAction> v6_actions_;
};

}  // namespace swarmdns::guard
