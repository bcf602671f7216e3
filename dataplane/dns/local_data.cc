// Answers that need no cache: the CHAOS names about this server (RFC 4892), and ANY (RFC 8482).
#include <string_view>

#include "dataplane/dns/reply_parts.h"
#include "proto/dns/types.h"

namespace swarmdns::dns {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kRecordHead = 12;  // pointer to the question, type, class, TTL, RDLENGTH
constexpr std::size_t kMaxText = 255;    // of a <character-string>

// One record that answers the question under its own name; `strings` are the <character-string>s of its
// RDATA.
template <std::size_t N>
std::size_t build_strings(Query& query, const ServiceView& service, Type type, std::uint32_t ttl,
                          const std::string_view (&strings)[N]) noexcept {
  std::size_t rdata = 0;
  for (const std::string_view text : strings) rdata += 1 + std::min(text.size(), kMaxText);
  const std::size_t begin = query.question_end;
  const std::size_t end = begin + kRecordHead + rdata;
  const std::size_t limit = parts::reply_limit(query, service);
  if (end > limit) return build_truncated(query, service);
  const parts::OptPlan plan = parts::plan_opt(query, service, query.ede, limit - end);
  if (end + plan.size > limit) return build_truncated(query, service);

  std::byte* at = query.message + begin;
  store_be16(at, 0xc000 | kHeaderSize);
  store_be16(at + 2, to_u16(type));
  store_be16(at + 4, query.qclass);
  store_be32(at + 6, ttl);
  store_be16(at + 10, static_cast<std::uint16_t>(rdata));
  at += kRecordHead;
  for (const std::string_view text : strings) {
    const std::size_t size = std::min(text.size(), kMaxText);
    store_u8(at, static_cast<std::uint8_t>(size));
    std::memcpy(at + 1, text.data(), size);
    at += 1 + size;
  }
  parts::write_opt(query, service, plan, end, 0);
  parts::write_header(query, parts::reply_flags(query.flags, 0), 1 + parts::opt_record(plan));
  query.reply_sum = net::kUnknownSum;
  return end + plan.size;
}

}  // namespace

std::size_t build_chaos(Query& query, const ServiceView& service) noexcept {
  const std::string_view name(reinterpret_cast<const char*>(query.folded.data()), query.qname_len);
  std::string_view text;
  if (name == "\7version\4bind\0"sv || name == "\7version\6server\0"sv) {
    text = service.version;
  } else if (name == "\2id\6server\0"sv || name == "\10hostname\4bind\0"sv) {
    text = service.identity;
  }
  query.rcode = to_u16(Rcode::NoError);
  if (text.empty()) {  // not one of ours, or switched off
    query.rcode = to_u16(Rcode::Refused);
    return build_status(query, service);
  }
  if (query.qtype != to_u16(Type::TXT) && query.qtype != to_u16(Type::ANY))
    return build_status(query, service);
  return build_strings(query, service, Type::TXT, 0, {text});
}

std::size_t build_any(Query& query, const ServiceView& service) noexcept {
  constexpr std::uint32_t kTtl = 3600;
  query.rcode = to_u16(Rcode::NoError);
  return build_strings(query, service, Type::HINFO, kTtl, {"RFC8482"sv, ""sv});
}

}  // namespace swarmdns::dns
