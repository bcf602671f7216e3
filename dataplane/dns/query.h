// A DNS query as the pipeline sees it: parsed in place, its question folded for lookup. RFC 1035 4.1, RFC
// 6891, RFC 9619 (QDCOUNT), RFC 8482 (ANY). Free of DPDK; used by workers and stream threads on their own
// objects.
//
// A Query is reused for one message after the other and never cleared: parse_query writes every field that
// later stages read. It borrows the message's memory, and the reply is built over it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "dataplane/cache/key.h"
#include "dataplane/net/address.h"
#include "dataplane/net/checksum.h"
#include "dataplane/simd/chunks.h"
#include "dataplane/stats/counters.h"

namespace swarmdns::dns {

enum class Transport : std::uint8_t { Udp, Tcp };

// What the client's OPT record said.
struct EdnsState {
  bool present = false;
  bool dnssec_ok = false;
  bool nsid = false;
  bool keepalive = false;  // RFC 7828 option seen
  bool padding = false;    // RFC 7830 option seen
  std::uint8_t version = 0;
  std::uint8_t client_cookie_len = 0;        // 0 none, 8
  std::uint8_t server_cookie_len = 0;        // 0 or 8-32
  std::uint16_t payload_size = 512;          // as asked, at least 512
  std::uint16_t server_cookie_offset = 0;    // in the message, while the query still stands there
  std::array<std::byte, 8> client_cookie{};  // defined when client_cookie_len is 8
};

// What becomes of a query, set by the stages in their order.
enum class Action : std::uint8_t {
  Lookup,    // well-formed; ask the cache
  Status,    // answer with `rcode` (and `ede`), no sections
  Chaos,     // class CH: version.bind, version.server, id.server, hostname.bind
  AnyHinfo,  // RFC 8482
  Truncate,  // empty with TC: the client is to come back by TCP
  Drop,      // counted under `reason`
};

struct Query {
  // The message: `message` is where the DNS header stands, `capacity` the octets a reply may take there,
  // `length` the query's own. `limit` is the largest reply the client takes (UDP payload size; 65535 over
  // TCP); a reply is also held to the service's own limit and to the capacity.
  std::byte* message = nullptr;
  std::uint16_t length = 0;
  std::uint16_t capacity = 0;
  std::uint16_t limit = 512;
  Transport transport = Transport::Udp;

  Action action = Action::Drop;
  stats::Counter reason{};  // for Action::Drop
  std::uint16_t rcode = 0;  // extended, 0-4095
  std::uint16_t ede = 0;    // EDE info code + 1; 0 = none

  std::uint16_t id = 0;     // network order, as it stands
  std::uint16_t flags = 0;  // host order, as received
  std::uint16_t qtype = 0;  // host order; defined when there is a question
  std::uint16_t qclass = 0;
  std::uint16_t question_end = 12;  // offset behind the question; 12 when there is none to echo
  std::uint16_t question_sum = 0;   // partial sum of the question (net/checksum.h)
  std::uint8_t qname_len = 0;
  bool cookie_valid = false;       // set by the cookie guard; exempts from rate limiting
  bool server_cookie_due = false;  // the reply carries `reply_cookie`
  bool cookie_probe = false;       // QDCOUNT = 0 with a COOKIE, RFC 7873 5.4: FORMERR unless cookies are on
  EdnsState edns;
  std::array<std::byte, 16> reply_cookie{};  // server cookie of RFC 9018 to send; defined when due
  net::Address source;                       // the client; set by the caller

  // Partial sum of the reply message, for net::finish_reply; kUnknownSum where summing afresh is as cheap.
  std::uint32_t reply_sum = net::kUnknownSum;

  std::uint64_t hash = 0;  // of key(); set by the lookup stage
  // qname in lower case, and zeros behind it as cache::HashKey::hash_padded wants them.
  alignas(16) std::array<std::byte, simd::kFoldedRoom> folded;

  [[nodiscard]] bool recursion_desired() const noexcept { return (flags & 0x0100) != 0; }
  [[nodiscard]] bool checking_disabled() const noexcept { return (flags & 0x0010) != 0; }
  [[nodiscard]] bool authentic_data() const noexcept { return (flags & 0x0020) != 0; }
  [[nodiscard]] bool has_question() const noexcept { return question_end > 12; }
  [[nodiscard]] cache::Key key() const noexcept {
    return {folded.data(), qname_len,
            static_cast<std::uint8_t>((edns.dnssec_ok ? cache::kKeyDnssecOk : 0) |
                                      (checking_disabled() ? cache::kKeyCheckingDisabled : 0)),
            0, qtype};
  }
};

// Parses the query that stands in the first `length` octets of `buffer`; a reply may use all of `buffer` (of
// which no more than 65,535 octets count). Fills everything but source, hash and the cookie results, and sets
// `action`.
//
// As Unbound, our reference, has it: a query with answer or authority records, or with more than one
// additional record, or with one that is not OPT (TSIG and SIG(0) too: no client of a cache shares a key with
// it) is FORMERR; octets behind the last record are ignored. Meta-types are FORMERR with EDE 30, zone
// transfers REFUSED.
void parse_query(std::span<std::byte> buffer, std::uint16_t length, Transport transport,
                 Query& query) noexcept;

// Writes the question (class IN) to `buffer` behind room for a header, and makes `query` as parse_query left
// it, with Action::Lookup, but for `folded`. False when the buffer is too small for it.
bool restore_question(std::span<std::byte> buffer, std::span<const std::byte> qname, std::uint16_t qtype,
                      Query& query) noexcept;

// A question that waits: everything a reply needs is kept apart from the frame and put back into a fresh one.
// `Saved` is any struct with these members (miss::Request): transport, id, flags, qtype, qname_len, limit,
// cookie_valid, server_cookie_due, reply_cookie, edns, source, hash, and qname, an array of at least 255
// octets that keeps the client's case.
template <class Saved>
void save_query(const Query& query, Saved& saved) noexcept {
  saved.transport = query.transport;
  saved.id = query.id;
  saved.flags = query.flags;
  saved.qtype = query.qtype;
  saved.qname_len = query.qname_len;
  saved.limit = query.limit;
  saved.cookie_valid = query.cookie_valid;
  saved.server_cookie_due = query.server_cookie_due;
  saved.reply_cookie = query.reply_cookie;
  saved.edns = query.edns;
  saved.source = query.source;
  saved.hash = query.hash;
  std::memcpy(saved.qname.data(), query.message + 12, query.qname_len);
}

template <class Saved>
bool restore_query(const Saved& saved, std::span<std::byte> buffer, Query& query) noexcept {
  if (!restore_question(buffer, std::span<const std::byte>(saved.qname).first(saved.qname_len), saved.qtype,
                        query)) {
    return false;
  }
  query.transport = saved.transport;
  query.id = saved.id;
  query.flags = saved.flags;
  query.limit = saved.limit;
  query.cookie_valid = saved.cookie_valid;
  query.server_cookie_due = saved.server_cookie_due;
  query.reply_cookie = saved.reply_cookie;
  query.edns = saved.edns;
  query.source = saved.source;
  query.hash = saved.hash;
  return true;
}

}  // namespace swarmdns::dns
