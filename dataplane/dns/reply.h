// Replies, built over the query's own message: the question stays where it is, the sections are appended, OPT
// last. Each returns the length of the reply message (0 = cannot be built; the caller drops and counts) and
// leaves its partial sum, where known, in query.reply_sum. Used by workers and stream threads; no allocation,
// no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "dataplane/cache/entry.h"
#include "dataplane/dns/query.h"

namespace swarmdns::dns {

// How the service presents itself; immutable, swapped under RCU as part of worker::Policy.
struct ServiceView {
  std::uint16_t udp_payload_max = 1232;  // octets: largest UDP reply, and what our OPT says we take; 512-4096
  std::string nsid;                      // at most 255 octets; empty: NSID is not answered
  std::string version;                   // at most 255 octets; empty: version.bind is REFUSED
  std::string identity;                  // id.server, hostname.bind; as version
  std::uint32_t stale_ttl_s = 30;        // RFC 8767 5
  std::uint16_t tcp_keepalive_ds = 100;  // units of 100 ms, RFC 7828
};

// From an entry, fresh or (stale = true, RFC 8767: TTLs = stale_ttl_s, EDE 3 or 19) past its expiry. TTLs are
// those of the entry less its age, never under 0. AD only if the entry has it and the query had AD or DO (RFC
// 6840 5.8). Fits the client's limit: all of it; or without the additional section, which nobody needs; or
// the question alone with TC (RFC 2181 9).
[[nodiscard]] std::size_t build_from_entry(Query& query, const cache::Entry& entry, cache::Seconds now,
                                           bool stale, const ServiceView& service) noexcept;
// Header, question (if there is one) and OPT (if the query had one) with query.rcode and query.ede.
[[nodiscard]] std::size_t build_status(Query& query, const ServiceView& service) noexcept;
// The same with TC set: rate limit slip, or a client without a cookie where one is required.
[[nodiscard]] std::size_t build_truncated(Query& query, const ServiceView& service) noexcept;
// CHAOS TXT version.bind, version.server, id.server, hostname.bind (RFC 4892); REFUSED for everything else in
// that class.
[[nodiscard]] std::size_t build_chaos(Query& query, const ServiceView& service) noexcept;
// RFC 8482 4.2: one HINFO record.
[[nodiscard]] std::size_t build_any(Query& query, const ServiceView& service) noexcept;

// What query.action says, for the actions that need no cache: Status, Chaos, AnyHinfo, Truncate.
[[nodiscard]] std::size_t build_local(Query& query, const ServiceView& service) noexcept;

// The reply's header as it stands in query.message, for counters.
[[nodiscard]] inline bool reply_truncated(const Query& query) noexcept {
  return (std::to_integer<unsigned>(query.message[2]) & 0x02U) != 0;
}

}  // namespace swarmdns::dns
