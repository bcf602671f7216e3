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
  std::uint16_t additionals = 0;
};

// Copies the sections, and the TTLs as they are now; returns the partial sum of those TTLs, first octet even.
// TTLs are read where the entry has them, not where the copy just put them, which the processor would have to
// wait for. How many there are differs from answer to answer: the first four steps are always taken, those
// behind the last TTL for the last one once more, and not summed.
std::uint64_t copy_sections(std::byte* to, const cache::Entry& entry, const Cut& cut, std::uint32_t age,
                            bool stale, std::uint32_t stale_ttl_s) noexcept {
  const std::byte* const sections = entry.sections().data();
  const std::uint16_t* const offsets = entry.ttl_offsets().data();
  simd::copy(to, sections, cut.size);
  if (cut.ttls == 0) return 0;
  const std::uint32_t stale_mask = stale ? 0xffffffff : 0;
  std::uint64_t sum = 0;
  const auto renew = [&](std::size_t i, std::uint64_t counts) {
    const std::size_t offset = offsets[i];
    const std::uint32_t original = load_be32(sections + offset);
    const std::uint32_t left = original > age ? original - age : 0;
    const std::uint32_t wire = __builtin_bswap32((left & ~stale_mask) | (stale_ttl_s & stale_mask));
    std::memcpy(to + offset, &wire, sizeof wire);
    sum += (wire & counts) << (8 * (offset & 1));
  };
  constexpr std::size_t kAlways = 4;
  const std::size_t last = cut.ttls - 1;
  for (std::size_t i = 0; i < kAlways; ++i)
    renew(simd::least(i, last), std::uint64_t{0} - static_cast<std::uint64_t>(i <= simd::opaque(last)));
  for (std::size_t i = kAlways; i <= last; ++i) renew(i, ~std::uint64_t{0});
  return sum;
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
  return {at, std::size_t{entry.answers} + entry.authorities, 0};
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

  Cut cut{entry.sections_len, entry.ttl_count(), entry.additionals};
  const std::size_t room = limit > begin ? limit - begin : 0;
  parts::OptPlan plan = parts::plan_opt(query, service, ede, room);
  if (cut.size + plan.size > room && !shorten(entry, room - std::min(room, plan.size), cut)) [[unlikely]] {
    query.ede = ede;
    return build_truncated(query, service);
  }

  const std::uint32_t age = now > entry.born ? now - entry.born : 0;
  const std::uint64_t ttl_sum =
      copy_sections(query.message + begin, entry, cut, age, stale, service.stale_ttl_s);

  // AD tells of validation, and only those who can read it (RFC 6840 5.8). Signatures of stale data may have
  // expired.
  const bool wants_ad = (query.authentic_data() | query.edns.dnssec_ok) & !stale;
  const bool ad = wants_ad & ((entry.flags & cache::Entry::kAuthenticated) != 0);
  const auto flags =
      static_cast<std::uint16_t>(parts::reply_flags(query.flags, entry.rcode) | (ad ? Flags::kAd : 0));
  const std::uint16_t additionals = static_cast<std::uint16_t>(cut.additionals + (plan.size != 0 ? 1 : 0));
  const std::uint64_t header_sum =
      parts::write_header(query, flags, entry.answers, entry.authorities, additionals);
  const std::uint64_t opt_sum = parts::write_opt(query, service, plan, begin + cut.size, entry.rcode);

  if (cut.size == entry.sections_len) [[likely]] {
    const std::uint16_t sections = net::fold_sum(ttl_sum + entry.sections_sum);
    query.reply_sum = net::fold_sum(header_sum + query.question_sum + net::sum_at(sections, begin) + opt_sum);
  } else {
    query.reply_sum = net::kUnknownSum;
  }
  return begin + cut.size + plan.size;
}

}  // namespace swarmdns::dns
