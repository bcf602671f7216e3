// The parts that every reply has, shared by the builders of this folder and by nobody else: header flags,
// size limit, OPT with its options.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "dataplane/dns/reply.h"
#include "proto/dns/edns.h"
#include "proto/dns/header.h"

namespace swarmdns::dns::parts {

// Which options the reply's OPT carries, and how many octets the record takes (0: the query had no OPT).
struct OptPlan {
  std::size_t size = 0;
  std::uint16_t ede = 0;  // info code + 1
  bool cookie = false;
  bool nsid = false;
  bool keepalive = false;
};

// All that are due and fit in `room` octets behind the question: NSID goes first, then EDE, keepalive, and
// the cookie.
[[nodiscard]] OptPlan plan_options(const Query& query, const ServiceView& service, std::uint16_t ede,
                                   std::size_t room) noexcept;

// Writes the options of the plan behind the fixed part at `opt`.
void write_options(std::byte* opt, const Query& query, const ServiceView& service,
                   const OptPlan& plan) noexcept;

// Octets that this reply may take: the client's limit, over UDP our own too, and what the memory holds.
[[nodiscard, gnu::always_inline]] inline std::size_t reply_limit(const Query& query,
                                                                 const ServiceView& service) noexcept {
  const std::size_t limit = query.transport == Transport::Udp
                                ? std::min<std::size_t>(query.limit, service.udp_payload_max)
                                : query.limit;
  return std::min<std::size_t>(limit, query.capacity);
}

// QR and RA set; opcode, RD and CD as asked (RFC 1035 4.1.1, RFC 4035 3.2.2); AA, Z clear. AD and TC are the
// caller's.
[[nodiscard]] constexpr std::uint16_t reply_flags(std::uint16_t query_flags, unsigned rcode) noexcept {
  return static_cast<std::uint16_t>(Flags::kQr | Flags::kRa |
                                    (query_flags & (Flags::kOpcodeMask | Flags::kRd | Flags::kCd)) |
                                    (rcode & Flags::kRcodeMask));
}

// Writes the header and returns its partial sum. `records`: numbers of answer, authority and additional
// records in the lower three of four 16-bit lanes, as Entry::record_counts has them.
[[gnu::always_inline]] inline std::uint64_t write_header(Query& query, std::uint16_t flags,
                                                         std::uint64_t records) noexcept {
  const std::uint16_t wire_flags = __builtin_bswap16(flags);
  const std::uint32_t first = query.id | (std::uint32_t{wire_flags} << 16);
  constexpr std::uint64_t kLowOctets = 0x00ff00ff00ff00ff;
  const std::uint64_t lanes = (records << 16) | (query.has_question() ? 1 : 0);
  const std::uint64_t counts = ((lanes & kLowOctets) << 8) | ((lanes >> 8) & kLowOctets);
  std::memcpy(query.message, &first, sizeof first);
  std::memcpy(query.message + 4, &counts, sizeof counts);
  return std::uint64_t{query.id} + wire_flags + (counts & 0xffffffff) + (counts >> 32);
}

[[nodiscard, gnu::always_inline]] inline OptPlan plan_opt(const Query& query, const ServiceView& service,
                                                          std::uint16_t ede, std::size_t room) noexcept {
  OptPlan plan;
  if (!query.edns.present) return plan;
  if (ede != 0 || query.server_cookie_due || query.edns.nsid || query.edns.keepalive) [[unlikely]] {
    return plan_options(query, service, ede, room);
  }
  plan.size = kOptFixedSize;
  return plan;
}

// One additional record, as write_header counts them; none when the query had no OPT.
[[gnu::always_inline]] inline std::uint64_t opt_record(const OptPlan& plan) noexcept {
  return std::uint64_t{plan.size != 0} << 32;
}

// Writes OPT at `at` (from the start of the message) and returns its partial sum as part of the message. The
// room has been planned for; `rcode` is the extended one.
[[gnu::always_inline]] inline std::uint64_t write_opt(const Query& query, const ServiceView& service,
                                                      const OptPlan& plan, std::size_t at,
                                                      unsigned rcode) noexcept {
  if (plan.size == 0) return 0;
  std::byte* const opt = query.message + at;
  const std::uint64_t payload = __builtin_bswap16(service.udp_payload_max);
  const std::uint64_t extended = rcode >> 4;
  const std::uint64_t dnssec_ok = query.edns.dnssec_ok ? 0x80 : 0;
  const std::uint64_t size = plan.size - kOptFixedSize;
  // Root, type 41, payload size, extended rcode, version 0, DO; then the low octet of the flags and RDLENGTH.
  const std::uint64_t head =
      (std::uint64_t{0x29} << 16) | (payload << 24) | (extended << 40) | (dnssec_ok << 56);
  const std::uint32_t tail =
      static_cast<std::uint32_t>(dnssec_ok | ((size >> 8) << 16) | ((size & 0xff) << 24));
  std::memcpy(opt, &head, sizeof head);
  std::memcpy(opt + 7, &tail, sizeof tail);
  std::uint16_t sum = 0;
  if (size == 0) [[likely]] {
    sum = net::fold_sum((head & 0xffffffff) + (head >> 32));
  } else {
    write_options(opt, query, service, plan);
    sum = net::sum_bytes(opt, plan.size);
  }
  return net::sum_at(sum, at);
}

}  // namespace swarmdns::dns::parts
