#include "dataplane/control/entry_codec.h"

#include <algorithm>
#include <limits>

#include "dataplane/cache/origin_set.h"
#include "proto/dns/bytes.h"
#include "proto/dns/record.h"

namespace swarmdns::control {
namespace {

constexpr std::uint32_t kServFail = 2;

std::unexpected<DecodeError> refused(std::string text) {
  return std::unexpected(DecodeError{DecodeFault::Malformed, std::move(text)});
}

// The least TTL among the records that decide how long the answer holds: the answer section, or, without one,
// the authority section. UINT32_MAX: no records.
std::uint32_t least_ttl(const cache::Entry& entry) {
  const auto offsets = entry.ttl_offsets();
  const std::size_t count = entry.answers > 0 ? entry.answers : entry.authorities;
  std::uint32_t least = std::numeric_limits<std::uint32_t>::max();
  for (std::size_t i = 0; i < count; ++i) {
    least = std::min(least, dns::clean_ttl(dns::load_be32(entry.sections().data() + offsets[i])));
  }
  return least;
}

std::expected<void, DecodeError> check_numbers(const v1::CacheEntry& message) {
  const v1::Key& key = message.key();
  if (key.qname().empty() || key.qname().size() > 255) {
    return refused("key.qname: has " + std::to_string(key.qname().size()) +
                   " bytes; a name in wire format has 1 to 255");
  }
  if (key.qtype() > 65535) return refused("key.qtype: above 65535");
  if (key.view() > 255) return refused("key.view: above 255");
  if (message.sections().size() > 65535) return refused("sections: more than 65535 bytes");
  if (message.answers() > 65535 || message.authorities() > 65535 || message.additionals() > 65535) {
    return refused("answers, authorities, additionals: a count above 65535");
  }
  if (message.rcode() > 15) return refused("rcode: above 15");
  if (message.ede() > 65536) return refused("ede: above 65536");
  if (message.rcode() == kServFail) {
    return std::unexpected(DecodeError{DecodeFault::Failure, "rcode: failures are not taken from elsewhere"});
  }
  if (message.origin().node() != 0 && key.view() != 0) {
    return std::unexpected(DecodeError{DecodeFault::View, "key.view: of another node only view 0 is taken"});
  }
  return {};
}

}  // namespace

void to_message(const cache::Entry& entry, std::uint64_t now_ms, v1::CacheEntry& out) {
  v1::Key& key = *out.mutable_key();
  key.set_qname(reinterpret_cast<const char*>(entry.qname_data()), entry.qname_len);
  key.set_qtype(entry.qtype);
  key.set_dnssec_ok((entry.key_flags & cache::kKeyDnssecOk) != 0);
  key.set_checking_disabled((entry.key_flags & cache::kKeyCheckingDisabled) != 0);
  key.set_view(entry.view);
  out.set_sections(reinterpret_cast<const char*>(entry.sections().data()), entry.sections().size());
  out.set_answers(entry.answers);
  out.set_authorities(entry.authorities);
  out.set_additionals(entry.additionals);
  out.set_rcode(entry.rcode);
  out.set_authenticated((entry.flags & cache::Entry::kAuthenticated) != 0);
  out.set_negative((entry.flags & cache::Entry::kNegative) != 0);
  const std::uint64_t born_ms = std::uint64_t{entry.born} * 1000;
  out.set_age_s(static_cast<std::uint32_t>(now_ms > born_ms ? (now_ms - born_ms + 999) / 1000 : 0));
  out.set_remaining_ms(static_cast<std::int64_t>(std::uint64_t{entry.expires} * 1000) -
                       static_cast<std::int64_t>(now_ms));
  out.set_ede(entry.ede);
  out.set_epoch(entry.epoch);
}

std::expected<cache::EntryImage, DecodeError> from_message(const v1::CacheEntry& message,
                                                           const DecodeRules& rules) {
  if (auto good = check_numbers(message); !good) return std::unexpected(good.error());
  const v1::Key& key = message.key();

  const auto now_s = static_cast<std::int64_t>(rules.now_ms / 1000);
  const auto elapsed_ms = static_cast<std::int64_t>(
      std::min<std::uint64_t>(rules.elapsed_ms, std::numeric_limits<std::int64_t>::max() / 4));
  // Rounded down, also below zero: an entry never gains by the journey.
  const std::int64_t lowest = -(std::int64_t{1} << 40);
  const std::int64_t given_ms = std::clamp(message.remaining_ms(), lowest, -lowest);
  const std::int64_t remaining_ms = given_ms - elapsed_ms;
  std::int64_t remaining_s = remaining_ms >= 0 ? remaining_ms / 1000 : -((-remaining_ms + 999) / 1000);
  remaining_s = std::min<std::int64_t>(remaining_s, rules.max_ttl_s);
  const std::int64_t age_s = std::int64_t{message.age_s()} + (elapsed_ms + 999) / 1000;
  // The cache clock starts far enough from 0 for any fresh entry's age; only one long stale, whose TTLs are
  // not shown any more, may be older than that.
  const std::int64_t born = std::max<std::int64_t>(now_s - age_s, 1);
  if (remaining_s <= 0 && -remaining_s >= std::int64_t{rules.stale_max_s}) {
    return std::unexpected(DecodeError{DecodeFault::Expired, "expired"});
  }

  cache::EntryContent content;
  content.key.qname = reinterpret_cast<const std::byte*>(key.qname().data());
  content.key.qname_len = static_cast<std::uint8_t>(key.qname().size());
  content.key.flags = static_cast<std::uint8_t>((key.dnssec_ok() ? cache::kKeyDnssecOk : 0) |
                                                (key.checking_disabled() ? cache::kKeyCheckingDisabled : 0));
  content.key.view = static_cast<std::uint8_t>(key.view());
  content.key.qtype = static_cast<std::uint16_t>(key.qtype());
  content.rcode = static_cast<std::uint8_t>(message.rcode());
  const bool validated = message.authenticated() && message.origin().node() == 0;
  content.flags = static_cast<std::uint8_t>((validated ? cache::Entry::kAuthenticated : 0) |
                                            (message.negative() ? cache::Entry::kNegative : 0));
  content.answers = static_cast<std::uint16_t>(message.answers());
  content.authorities = static_cast<std::uint16_t>(message.authorities());
  content.additionals = static_cast<std::uint16_t>(message.additionals());
  content.ede = static_cast<std::uint16_t>(message.ede());
  content.born = static_cast<cache::Seconds>(born);
  content.expires = static_cast<cache::Seconds>(std::max(now_s + remaining_s, born));
  content.sections = std::as_bytes(std::span(message.sections().data(), message.sections().size()));
  auto image = cache::EntryImage::build(content);
  if (!image) return refused(cache::to_text(image.error()));

  // Whoever sent it may not make its records live longer than they say.
  const std::int64_t by_ttl = std::max<std::int64_t>(born + least_ttl(image->entry()), born);
  if (by_ttl < std::int64_t{content.expires}) {
    if (by_ttl <= now_s && now_s - by_ttl >= std::int64_t{rules.stale_max_s}) {
      return std::unexpected(DecodeError{DecodeFault::Expired, "expired"});
    }
    content.expires = static_cast<cache::Seconds>(by_ttl);
    image = cache::EntryImage::build(content);
    if (!image) return refused(cache::to_text(image.error()));
  }
  return std::move(*image);
}

std::expected<cache::Origin, DecodeError> origin_of(const v1::CacheEntry& message) {
  const v1::Origin& origin = message.origin();
  if (origin.node() > 65535) return refused("origin.node: above 65535");
  if (origin.sequence() > cache::OriginSet::kMostNumber) return refused("origin.sequence: above 48 bits");
  if (origin.node() != 0 && origin.sequence() == 0) {
    return refused("origin.sequence: an entry of another node has a number");
  }
  return cache::Origin{static_cast<std::uint16_t>(origin.node()), origin.sequence()};
}

}  // namespace swarmdns::control
