// Replies, built over the query's own message: the question stays where it is, the sections are appended, OPT last.
// Each returns the length of the reply message (0 = cannot be built; the caller drops and counts). Used by workers and
// stream threads; no allocation, no clock.
#pragma once

#include <cstdint>
#include <string>

#include "dataplane/cache/entry.h"
#include "dataplane/dns/query.h"

namespace swarmdns::dns {

// How the service presents itself; immutable, swapped under RCU as part of worker::Policy.
struct ServiceView {
  std::uint16_t udp_payload_max = 1232;
  std::string nsid;      // empty: NSID is not answered
  std::string version;   // empty: version.bind is REFUSED
  std::string identity;  // id.server, hostname.bind
  std::uint32_t stale_ttl_s = 30;
  std::uint16_t tcp_keepalive_ds = 100;  // units of 100 ms, RFC 7828
};

// From an entry, fresh or (stale = true, RFC 8767: TTLs = stale_ttl_s, EDE 3) past its expiry. Truncates (TC) when the
// client's limit is too small. AD only if the entry has it and the query had AD or DO.
[[nodiscard]] std::size_t build_from_entry(Query& query, const cache::Entry& entry, cache::Seconds now, bool stale,
                                           const ServiceView& service) noexcept;
// Header, question (if there is one) and OPT (if the query had one) with query.rcode and query.ede.
[[nodiscard]] std::size_t build_status(Query& query, const ServiceView& service) noexcept;
// Empty answer with TC set: rate limit slip, BADCOOKIE over UDP.
[[nodiscard]] std::size_t build_truncated(Query& query, const ServiceView& service) noexcept;
[[nodiscard]] std::size_t build_chaos(Query& query, const ServiceView& service) noexcept;
[[nodiscard]] std::size_t build_any(Query& query, const ServiceView& service) noexcept;

}  // namespace swarmdns::dns
