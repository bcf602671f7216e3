#include "dataplane/guard/cookies.h"

#include <sodium.h>

#include <cassert>
#include <cstring>
#include <utility>

#include "proto/dns/bytes.h"
#include "proto/dns/cookie.h"
#include "proto/dns/types.h"

namespace swarmdns::guard {
namespace {

static_assert(crypto_shorthash_siphash24_KEYBYTES == std::tuple_size_v<CookieSecret>);
static_assert(crypto_shorthash_siphash24_BYTES == 8);

std::uint64_t load64(const std::byte* at) noexcept {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

}  // namespace

Cookies::Cookies(std::vector<CookieSecret> secrets, bool require)
    : secrets_(std::move(secrets)), require_(require) {
  assert(!secrets_.empty());
}

// RFC 9018 4.4: client cookie, the first eight octets of the server cookie (as received: reserved bits that
// we do not know are not held against anybody, 4.2), client's address.
std::uint64_t Cookies::hash(const CookieSecret& secret, const dns::Query& query,
                            const Wire& cookie) noexcept {
  std::array<std::uint8_t, 32> input;
  std::memcpy(input.data(), query.edns.client_cookie.data(), 8);
  std::memcpy(input.data() + 8, cookie.data(), 8);
  const auto address = query.source.octets();
  std::memcpy(input.data() + 16, address.data(), address.size());
  std::uint64_t out;
  crypto_shorthash_siphash24(reinterpret_cast<unsigned char*>(&out), input.data(), 16 + address.size(),
                             secret.data());
  return out;
}

CookieVerdict Cookies::check(dns::Query& query, std::uint32_t wall_s) const noexcept {
  query.cookie_valid = false;
  query.server_cookie_due = false;
  if (query.edns.client_cookie_len == 0) return CookieVerdict::None;
  query.server_cookie_due = true;

  CookieVerdict verdict = CookieVerdict::ClientOnly;
  if (query.edns.server_cookie_len != 0) {
    verdict = CookieVerdict::Invalid;
    Wire wire;
    // Other lengths and versions are nobody's we know.
    if (query.edns.server_cookie_len == wire.size()) {
      std::memcpy(wire.data(), query.message + query.edns.server_cookie_offset, wire.size());
      const std::uint32_t made = dns::load_be32(wire.data() + 4);
      if (wire[0] == std::byte{dns::kServerCookieVersion} && dns::cookie_time_ok(made, wall_s)) {
        const std::uint64_t theirs = load64(wire.data() + 8);
        for (std::size_t i = 0; i < secrets_.size(); ++i) {
          if (hash(secrets_[i], query, wire) != theirs) continue;
          query.cookie_valid = true;
          verdict = CookieVerdict::Valid;
          const auto renew = static_cast<std::int32_t>(dns::kCookieRenewAge);
          if (i == 0 && dns::cookie_age(made, wall_s) <= renew) {  // good for a while yet
            query.reply_cookie = wire;
            return verdict;
          }
          break;
        }
      }
    }
  }

  Wire fresh{std::byte{dns::kServerCookieVersion}};
  dns::store_be32(fresh.data() + 4, wall_s);
  const std::uint64_t signature = hash(secrets_.front(), query, fresh);
  std::memcpy(fresh.data() + 8, &signature, sizeof signature);
  query.reply_cookie = fresh;
  return verdict;
}

CookieVerdict guard_cookies_fully(const Cookies* cookies, dns::Query& query, std::uint32_t wall_s) noexcept {
  const auto answer = [&query](dns::Rcode rcode) {
    query.action = dns::Action::Status;
    query.rcode = dns::to_u16(rcode);
  };
  if (cookies == nullptr) {
    if (query.cookie_probe) answer(dns::Rcode::FormErr);  // no question, and nothing else to answer: RFC 9619
    return CookieVerdict::None;
  }
  const CookieVerdict verdict = cookies->check(query, wall_s);
  if (query.cookie_probe) {
    if (verdict == CookieVerdict::Invalid) answer(dns::Rcode::BadCookie);  // RFC 7873 5.4
    return verdict;
  }
  if (!cookies->required() || verdict == CookieVerdict::Valid || query.transport == dns::Transport::Tcp)
    return verdict;
  if (query.action == dns::Action::Status || query.action == dns::Action::Drop) return verdict;
  if (verdict == CookieVerdict::None) {
    query.action = dns::Action::Truncate;  // RFC 7873 5.2.1: the handshake of TCP proves the address as well
  } else {
    answer(dns::Rcode::BadCookie);  // 5.2.3, 5.2.4; the reply carries a cookie to come back with
  }
  return verdict;
}

}  // namespace swarmdns::guard
