// Layout of interoperable server cookies (RFC 9018 4). Only the layout: the hash (SipHash-2-4) and its
// secrets belong to whoever guards the service. No allocation; everything is inline.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "proto/dns/bytes.h"
#include "proto/dns/error.h"

namespace swarmdns::dns {

inline constexpr std::size_t kClientCookieSize = 8;
inline constexpr std::size_t kServerCookieSize = 16;
inline constexpr std::uint8_t kServerCookieVersion = 1;
inline constexpr std::uint32_t kCookieMaxAge = 3600;    // seconds; older cookies are refused (RFC 9018 4.3)
inline constexpr std::uint32_t kCookieRenewAge = 1800;  // seconds; older ones are replaced by a new one
inline constexpr std::uint32_t kCookieMaxFuture = 300;  // seconds ahead of our clock that are let pass

using ClientCookie = std::array<std::byte, kClientCookieSize>;

struct ServerCookie {
  std::uint8_t version = kServerCookieVersion;
  std::uint32_t reserved = 0;   // 24 bits
  std::uint32_t timestamp = 0;  // seconds since 1970 modulo 2^32
  std::array<std::byte, 8> hash{};

  // Takes 16 octets apart; whether version, time and hash are good is for the caller to say.
  // Errors: BadOption when it is not 16 octets.
  static Expected<ServerCookie> parse(Bytes wire) {
    if (wire.size() != kServerCookieSize) return fail(Error::BadOption);
    ServerCookie cookie;
    const std::uint32_t head = load_be32(wire.data());
    cookie.version = static_cast<std::uint8_t>(head >> 24);
    cookie.reserved = head & 0xffffffU;
    cookie.timestamp = load_be32(wire.data() + 4);
    std::memcpy(cookie.hash.data(), wire.data() + 8, cookie.hash.size());
    return cookie;
  }

  void serialise(std::span<std::byte, kServerCookieSize> out) const {
    store_be32(out.data(), (std::uint32_t{version} << 24) | (reserved & 0xffffffU));
    store_be32(out.data() + 4, timestamp);
    std::memcpy(out.data() + 8, hash.data(), hash.size());
  }
};

// How old a timestamp is in seconds, negative when it lies ahead, by serial number arithmetic (RFC 1982, as
// RFC 9018 4.3 wants it): right across the wrap of 2106.
constexpr std::int32_t cookie_age(std::uint32_t timestamp, std::uint32_t now) {
  return static_cast<std::int32_t>(now - timestamp);
}

// True when the time of a cookie is acceptable at `now`.
constexpr bool cookie_time_ok(std::uint32_t timestamp, std::uint32_t now) {
  const std::int32_t age = cookie_age(timestamp, now);
  return age <= static_cast<std::int32_t>(kCookieMaxAge) &&
         age >= -static_cast<std::int32_t>(kCookieMaxFuture);
}

// What is hashed (RFC 9018 4.4): client cookie, version, reserved, timestamp, client's address.
struct CookieHashInput {
  std::array<std::byte, 32> octets{};
  std::size_t size = 0;  // 20 with an IPv4 address, 32 with IPv6

  Bytes bytes() const { return Bytes(octets).first(size); }
};

// `client` is 8 octets, `address` 4 or 16. Errors: BadOption for other sizes.
inline Expected<CookieHashInput> cookie_hash_input(Bytes client, const ServerCookie& cookie, Bytes address) {
  if (client.size() != kClientCookieSize || (address.size() != 4 && address.size() != 16)) {
    return fail(Error::BadOption);
  }
  CookieHashInput input;
  std::memcpy(input.octets.data(), client.data(), kClientCookieSize);
  store_be32(input.octets.data() + 8, (std::uint32_t{cookie.version} << 24) | (cookie.reserved & 0xffffffU));
  store_be32(input.octets.data() + 12, cookie.timestamp);
  std::memcpy(input.octets.data() + 16, address.data(), address.size());
  input.size = 16 + address.size();
  return input;
}

}  // namespace swarmdns::dns
