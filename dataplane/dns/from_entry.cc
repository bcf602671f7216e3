// The reply from a cache entry: the one function that every hit pays for.
#include "dataplane/dns/reply_parts.h"
#include "dataplane/simd/chunks.h"
#include "proto/dns/types.h"

namespace swarmdns::dns {
namespace {

// How much of an entry goes into the reply.
struct Cut {
  std::size_t size = 0;  // octets of the sections
  std::size_t ttls = 0;  // TTLs in them
};

// What is left of a TTL, as it goes on the wire.
[[gnu::always_inline]] inline std::uint32_t wire_ttl(const std::byte* at, std::uint32_t age) noexcept {
  const std::uint32_t original = load_be32(at);
  return __builtin_bswap32(original > age ? original - age : 0);
}

// TTLs that differ; see renew_ttls.
[[gnu::noinline]] std::uint64_t renew_mixed_ttls(std::byte* to, const cache::Entry& entry, std::size_t count,
                                                 std::uint32_t age) noexcept {
  const std::byte* const sections = entry.sections().data();
  std::uint64_t sum = 0;
  for (const std::uint16_t offset : entry.ttl_offsets().first(count)) {
    const std::uint32_t wire = wire_ttl(sections + offset, age);
    std::memcpy(to + offset, &wire, sizeof wire);
    sum += std::uint64_t{wire} << (8 * (offset & 1));
  }
  return sum;
}

// RFC 8767 5: one TTL for all.
[[gnu::noinline]] std::uint64_t write_stale_ttls(std::byte* to, const cache::Entry& entry, std::size_t count,
                                                 std::uint32_t ttl) noexcept {
  const std::uint32_t wire = __builtin_bswap32(ttl);
  std::uint64_t sum = 0;
  for (const std::uint16_t offset : entry.ttl_offsets().first(count)) {
    std::memcpy(to + offset, &wire, sizeof wire);
    sum += std::uint64_t{wire} << (8 * (offset & 1));
  }
  return sum;
}

// Writes the TTLs as they are now over those of the copy, and returns the partial sum of them, first octet
// even. They are read where the entry has them, not where the copy just put them, which the processor would
// have to wait for. Those of most answers are equal. How many there are is chance: the first four are always
// written, the last one more than once.
[[gnu::always_inline]] inline std::uint64_t renew_ttls(std::byte* to, const cache::Entry& entry,
                                                       std::size_t count, std::uint32_t age) noexcept {
  if (entry.odd_ttls == cache::Entry::kMixedTtls || count != entry.ttl_count()) [[unlikely]] {
    return renew_mixed_ttls(to, entry, count, age);
  }
  constexpr std::size_t kAlways = 4;
  const std::uint16_t* const offsets = entry.ttl_offsets().data();
  const std::uint32_t wire = wire_ttl(entry.sections().data() + offsets[0], age);
  const std::size_t last = count - 1;
  for (std::size_t i = 0; i < kAlways; ++i)
    std::memcpy(to + offsets[simd::least(i, last)], &wire, sizeof wire);
  for (std::size_t i = kAlways; i <= last; ++i) std::memcpy(to + offsets[i], &wire, sizeof wire);
  return std::uint64_t{wire} * (count - entry.odd_ttls) + (std::uint64_t{wire} << 8) * entry.odd_ttls;
}

// The sections up to the additional one. They were written by our own renderer; the bounds are checked all
// the same.
Cut without_additionals(const cache::Entry& entry) noexcept {
  const auto sections = entry.sections();
  std::size_t at = 0;
  for (unsigned left = unsigned{entry.answers} + entry.authorities; left > 0; --left) {
    while (at < sections.size()) {
      const std::uint8_t label = load_u8(sections.data() + at);
      at += label >= 0xc0 ? 2U : 1U + label;
      if (label == 0 || label >= 0xc0) break;
    }
    if (at + 10 > sections.size()) return {};
    at += 10U + load_be16(sections.data() + at + 8);
  }
  if (at > sections.size()) return {};
  return {at, std::size_t{entry.answers} + entry.authorities};
}

// What does not fit in `room` octets as a whole. False: not even without the additional section.
[[gnu::noinline]] bool shorten(const cache::Entry& entry, std::size_t room, Cut& cut) noexcept {
  if (entry.additionals == 0) return false;
  cut = without_additionals(entry);
  return cut.size != 0 && cut.size <= room;
}

}  // namespace

std::size_t build_from_entry(Query& query, const cache::Entry& entry, cache::Seconds now, bool stale,
                             const ServiceView& service) noexcept {
  const std::size_t begin = query.question_end;
  const std::size_t limit = parts::reply_limit(query, service);
  std::uint16_t ede = entry.ede;
  if (stale) [[unlikely]] {
    const bool nxdomain = entry.rcode == to_u16(Rcode::NXDomain);
    ede = static_cast<std::uint16_t>(
        1 + static_cast<std::uint16_t>(nxdomain ? EdeCode::StaleNXDomainAnswer : EdeCode::StaleAnswer));
  }
  query.rcode = entry.rcode;

  Cut cut{entry.sections_len, entry.ttl_count()};
  const std::size_t room = limit > begin ? limit - begin : 0;
  parts::OptPlan plan = parts::plan_opt(query, service, ede, room);
  if (cut.size + plan.size > room && !shorten(entry, room - std::min(room, plan.size), cut)) [[unlikely]] {
    query.ede = ede;
    return build_truncated(query, service);
  }

  const std::uint32_t age = now > entry.born ? now - entry.born : 0;
  std::byte* const to = query.message + begin;
  simd::copy(to, entry.sections().data(), cut.size);
  std::uint64_t ttl_sum = 0;
  if (cut.ttls != 0) [[likely]] {
    ttl_sum = stale ? write_stale_ttls(to, entry, cut.ttls, service.stale_ttl_s)
                    : renew_ttls(to, entry, cut.ttls, age);
  }

  // AD tells of validation, and only those who can read it (RFC 6840 5.8). Signatures of stale data may have
  // expired.
  const bool wants_ad = (query.authentic_data() | query.edns.dnssec_ok) & !stale;
  const bool ad = wants_ad & ((entry.flags & cache::Entry::kAuthenticated) != 0);
  const auto flags =
      static_cast<std::uint16_t>(parts::reply_flags(query.flags, entry.rcode) | (ad ? Flags::kAd : 0));
  const bool whole = cut.size == entry.sections_len;
  const std::uint64_t records = whole ? entry.record_counts() : entry.record_counts() & 0xffff'ffff;
  const std::uint64_t header_sum = parts::write_header(query, flags, records + parts::opt_record(plan));
  const std::uint64_t opt_sum = parts::write_opt(query, service, plan, begin + cut.size, entry.rcode);

  if (whole) [[likely]] {
    const std::uint16_t sections = net::fold_sum(ttl_sum + entry.sections_sum);
    query.reply_sum = net::fold_sum(header_sum + query.question_sum + net::sum_at(sections, begin) + opt_sum);
  } else {
    query.reply_sum = net::kUnknownSum;
  }
  return begin + cut.size + plan.size;
}

}  // namespace swarmdns::dns
