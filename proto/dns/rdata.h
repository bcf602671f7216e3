// The inside of RDATA: where domain names are, which of them may be compressed, and whether the whole fits
// its type. No allocation. Text forms are in rdata_text.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "proto/dns/name.h"
#include "proto/dns/record.h"

namespace swarmdns::dns {

// How the names in the RDATA of a type may look on the wire.
enum class NameRule : std::uint8_t {
  None,         // the type holds no names, or is unknown: RDATA is opaque (RFC 3597 3)
  Compress,     // RFC 1035 types: may be compressed by us, and is decompressed on receipt
  ReceiveOnly,  // RFC 3597 4: decompressed on receipt, never compressed by us
  Forbidden,    // never compressed (RRSIG, NSEC, SVCB, HTTPS): a pointer is an error
};

// RDATA of every type with names is: some octets, the names in a row, the rest.
struct RdataLayout {
  NameRule rule = NameRule::None;
  std::uint8_t prefix = 0;     // octets before the first name
  std::uint8_t strings = 0;    // <character-string>s behind the prefix (NAPTR)
  std::uint8_t names = 0;      // 0–2
  std::uint16_t min_rest = 0;  // octets behind the last name
  std::uint16_t max_rest = 0;
};

RdataLayout rdata_layout(Type type);

// Checks what a carrier of the record depends on: its names are valid (followed through the message), nothing
// is missing before, between or behind them, A and AAAA of class IN have 4 and 16 octets. Types without names
// are opaque and pass; so does the empty RDATA of classes ANY and NONE (RFC 2136 2.4). Errors: BadRdata,
// CompressionForbidden, and as read_name.
Expected<void> check_rdata(const RecordView& record);

// Room that always suffices for expand_rdata: its size on the wire plus two names.
constexpr std::size_t expanded_rdata_bound(std::size_t rdata_size) {
  return rdata_size + 2 * kMaxNameSize;
}

// Writes RDATA with all names decompressed to `out` and returns the octets written; the rest is copied as it
// is. Errors: NoSpace, BadRdata, CompressionForbidden, and as read_name.
Expected<std::size_t> expand_rdata(const RecordView& record, MutableBytes out);

// Calls `visit(Name&)` for each name in the RDATA, in order. Errors: as expand_rdata.
template <class Visit>
Expected<void> for_each_rdata_name(const RecordView& record, Visit&& visit);

// The single name of NS, CNAME, PTR, DNAME, MX, SRV and others with one; the first where there are two.
// Errors: BadRdata when the type has none, and as expand_rdata.
Expected<Name> first_rdata_name(const RecordView& record);

// The numbers of a SOA record.
struct SoaNumbers {
  std::uint32_t serial = 0;
  std::uint32_t refresh = 0;  // seconds, as all below
  std::uint32_t retry = 0;
  std::uint32_t expire = 0;
  std::uint32_t minimum = 0;
};
// Errors: BadRdata when it is no SOA or misses octets.
Expected<SoaNumbers> soa_numbers(const RecordView& record);

// How long a negative answer with this SOA may be cached: min(SOA TTL, SOA MINIMUM), RFC 2308 5. Seconds.
// Errors: as soa_numbers.
Expected<std::uint32_t> negative_ttl(const RecordView& soa);

namespace detail {
// RDATA inside the octets that its compression pointers count from.
struct RdataSpan {
  Bytes octets;
  std::size_t begin = 0;
  std::size_t end = 0;

  explicit RdataSpan(const RecordView& record)
      : octets(record.message()), begin(record.rdata_offset()), end(record.end()) {}
  explicit RdataSpan(Bytes rdata) : octets(rdata), end(rdata.size()) {}
};

// The layout of this very RDATA: none for the empty RDATA of an UPDATE (classes ANY and NONE, RFC 2136 2.4).
RdataLayout layout_of(Type type, Class klass, std::size_t rdata_size);
// The offset of the first name, checked to lie inside. Errors: BadRdata.
Expected<std::size_t> first_name_offset(const RdataSpan& rdata, const RdataLayout& layout);
// Reads the name at `offset` under `rule`; returns the offset behind it, never past the end.
// Errors: BadRdata, CompressionForbidden, and as read_name.
Expected<std::size_t> read_rdata_name(const RdataSpan& rdata, NameRule rule, std::size_t offset, Name& out);
}  // namespace detail

template <class Visit>
Expected<void> for_each_rdata_name(const RecordView& record, Visit&& visit) {
  const RdataLayout layout = detail::layout_of(record.type(), record.klass(), record.rdata().size());
  if (layout.rule == NameRule::None) return {};
  const detail::RdataSpan rdata(record);
  auto at = detail::first_name_offset(rdata, layout);
  if (!at) return fail(at.error());
  std::size_t offset = *at;
  for (unsigned i = 0; i < layout.names; ++i) {
    Name name;
    auto next = detail::read_rdata_name(rdata, layout.rule, offset, name);
    if (!next) return fail(next.error());
    visit(name);
    offset = *next;
  }
  return {};
}

}  // namespace swarmdns::dns
