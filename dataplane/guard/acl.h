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

  [[nodiscard]] AclAction check(const net::Address& client) const noexcept;  // any thread

 private:
  struct Wide {
    std::uint64_t high;
    std::uint64_t low;
  };
  Acl() = default;

  // Range i begins at starts[i] and ends before starts[i + 1]; starts[0] is 0.
  std::vector<std::uint32_t> v4_starts_;
  std::vector<AclAction> v4_actions_;
  std::vector<Wide> v6_starts_;
  std::vector<AclAction> v6_actions_;
};

}  // namespace swarmdns::guard
