// DNS cookies: RFC 7873, with the interoperable server cookie of RFC 9018 (version 1, SipHash-2-4). The first secret signs,
// all of them verify, which is how a swarm rolls its secret over. Immutable; swapped under RCU.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "dataplane/dns/query.h"

namespace swarmdns::guard {

using CookieSecret = std::array<std::uint8_t, 16>;

enum class CookieVerdict : std::uint8_t { None, ClientOnly, Valid, Invalid };

class Cookies {
 public:
  Cookies(std::vector<CookieSecret> secrets, bool require);
  // Checks the cookie of query.edns for query.source at `wall_s` (Unix seconds; RFC 9018 4.3: one hour old at most, five
  // minutes ahead at most) and sets query.cookie_valid, server_cookie_due and reply_cookie.
  CookieVerdict check(dns::Query& query, std::uint32_t wall_s) const noexcept;
  [[nodiscard]] bool required() const noexcept { return require_; }

 private:
  std::vector<CookieSecret> secrets_;
  bool require_;
};

}  // namespace swarmdns::guard
