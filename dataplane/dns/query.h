// A DNS query as the pipeline sees it: parsed in place, its question folded for lookup. RFC 1035 4.1, RFC 6891,
// RFC 9619 (QDCOUNT), RFC 8482 (ANY). Free of DPDK; used by workers and stream threads on their own objects.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/cache/key.h"
#include "dataplane/net/frame.h"

namespace swarmdns::dns {

enum class Transport : std::uint8_t { Udp, Tcp };

// What the client's OPT record said. Offsets are from the start of the message; 0 = absent.
struct EdnsState {
  bool present = false;
  bool dnssec_ok = false;
  bool nsid = false;
  bool keepalive = false;             // RFC 7828 option seen
  bool padding = false;
  std::uint8_t version = 0;
  std::uint8_t client_cookie_len = 0;  // 0 none, 8
  std::uint8_t server_cookie_len = 0;  // 0 or 8-32
  std::uint16_t payload_size = 512;    // as asked, at least 512
  std::array<std::byte, 40> cookie{};  // client cookie, then server cookie
};

// What became of a query, set by the stages in their order.
enum class Action : std::uint8_t {
  Lookup,    // well-formed; ask the cache
  Status,    // answer with `rcode` (and `ede`), no sections
  Chaos,     // class CH: version.bind, id.server, hostname.bind
  AnyHinfo,  // RFC 8482
  Drop,      // counted under `reason`
};

struct Query {
  // The message: `message` is where the DNS header stands, `capacity` the bytes a reply may take there, `length` the
  // query's own. `limit` is the largest reply the client takes (UDP payload size; 65535 over TCP).
  std::byte* message = nullptr;
  std::uint16_t length = 0;
  std::uint16_t capacity = 0;
  std::uint16_t limit = 512;
  Transport transport = Transport::Udp;

  Action action = Action::Drop;
  stats::Counter reason{};
  std::uint16_t rcode = 0;     // extended, 0-4095
  std::uint16_t ede = 0;       // EDE info code + 1; 0 = none

  std::uint16_t id = 0;        // network order, as it stands
  std::uint16_t flags = 0;     // host order, as received
  std::uint16_t qtype = 0;
  std::uint16_t qclass = 0;
  std::uint16_t question_end = 12;  // offset behind the question; 12 when there is none to echo
  std::uint8_t qname_len = 0;
  bool cookie_valid = false;   // set by the cookie guard; exempts from rate limiting
  bool server_cookie_due = false;  // the reply carries a fresh server cookie
  EdnsState edns;
  std::array<std::byte, 16> reply_cookie{};  // server cookie of RFC 9018 to send
  net::Address source;         // the client

  std::uint64_t hash = 0;
  alignas(16) std::array<std::byte, 256> folded;  // qname folded to lower case; bytes behind qname_len are zero up to 8

  [[nodiscard]] bool recursion_desired() const noexcept { return (flags & 0x0100) != 0; }
  [[nodiscard]] bool checking_disabled() const noexcept { return (flags & 0x0010) != 0; }
  [[nodiscard]] bool authentic_data() const noexcept { return (flags & 0x0020) != 0; }
  [[nodiscard]] cache::Key key() const noexcept;
};

// Fills everything but source, hash and the cookie results. Sets `action`.
void parse_query(std::span<const std::byte> message, Query& query) noexcept;

}  // namespace swarmdns::dns
