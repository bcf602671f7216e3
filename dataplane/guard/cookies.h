// DNS cookies: RFC 7873, with the interoperable server cookie of RFC 9018 (version 1, SipHash-2-4). The first
// secret signs, all of them verify, which is how a swarm rolls its secret over. Immutable; swapped under RCU;
// any thread.
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
  // `secrets`: at least one. `require`: over UDP, only clients that returned our cookie are answered.
  Cookies(std::vector<CookieSecret> secrets, bool require);

  // Checks the cookie of query.edns for query.source at `wall_s` (Unix seconds; RFC 9018 4.3: one hour old at
  // most, five minutes ahead at most) and sets query.cookie_valid, server_cookie_due and reply_cookie. A
  // valid cookie younger than half an hour, made with the first secret, is sent back as it came.
  CookieVerdict check(dns::Query& query, std::uint32_t wall_s) const noexcept;
  [[nodiscard]] bool required() const noexcept { return require_; }

 private:
  using Wire = std::array<std::byte, 16>;
  [[nodiscard]] static std::uint64_t hash(const CookieSecret& secret, const dns::Query& query,
                                          const Wire& cookie) noexcept;

  std::vector<CookieSecret> secrets_;
  bool require_;
};

// guard_cookies() for the queries that are not most.
CookieVerdict guard_cookies_fully(const Cookies* cookies, dns::Query& query, std::uint32_t wall_s) noexcept;

// The guard as a whole, one query: check() and what follows from it. `cookies` may be null (off). On an
// Invalid cookie over UDP where cookies are required, or in a cookie probe, the query becomes BADCOOKIE; a
// client without any where they are required is told to come by TCP (Action::Truncate). Queries that are
// answered with an error already are left so.
[[gnu::always_inline]] inline CookieVerdict guard_cookies(const Cookies* cookies, dns::Query& query,
                                                          std::uint32_t wall_s) noexcept {
  // Most queries come without, and may.
  if (query.edns.client_cookie_len == 0 && (cookies == nullptr || !cookies->required())) [[likely]] {
    query.cookie_valid = false;
    query.server_cookie_due = false;
    return CookieVerdict::None;
  }
  return guard_cookies_fully(cookies, query, wall_s);
}

}  // namespace swarmdns::guard
