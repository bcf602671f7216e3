// Who may ask: longest matching prefix decides. Immutable after build; swapped under RCU as part of worker::Policy.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>

#include "dataplane/net/frame.h"

namespace swarmdns::guard {

enum class AclAction : std::uint8_t { Allow, Deny, Refuse };

// "10.0.0.0/8", "2001:db8::/32" or a bare address. `length` counts within the IPv4-mapped form (0-128).
struct Prefix {
  net::Address address;
  std::uint8_t length = 0;
  [[nodiscard]] static std::expected<Prefix, std::string> parse(std::string_view text);
  [[nodiscard]] bool contains(const net::Address& address) const noexcept;
};

struct AclRule {
  Prefix prefix;
  AclAction action;
};

class Acl {
 public:
  static std::unique_ptr<const Acl> build(std::span<const AclRule> rules, AclAction otherwise);
  virtual ~Acl() = default;
  [[nodiscard]] virtual AclAction check(const net::Address& client) const noexcept = 0;  // any thread
};

}  // namespace swarmdns::guard
