#pragma once

// The inside of RDATA: where domain names are, which of them may be compressed, and whether the whole fits
// its type. No allocation. Text forms are in rdata_text.h.

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
  std::uint8_t prefix = 0;   // octets before the first name
  std::uint8_t strings = 0;  // <character-string>s behind the prefix (NAPTR)
  std::uint8_t names = 0;    // 0–2
};

RdataLayout rdata_layout(Type type);

// Checks that RDATA fits its type: names valid (followed through the message), fixed fields there, no octet
// missing or left over where the type has a fixed form. Unknown types always pass. Empty RDATA passes for
// classes ANY and NONE (RFC 2136 2.4). A and AAAA are checked in class IN only. Errors: BadRdata,
// CompressionForbidden, and as read_name.
Expected<void> check_rdata(const RecordView& record);

// Writes RDATA with all names decompressed to `out` and returns the octets written; the rest is copied as it
// is. 65,535 octets of room suffice always. Errors: NoSpace, BadRdata, CompressionForbidden, and as
// read_name.
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
// The offset of the first name in the RDATA, checked to lie inside. Errors: BadRdata.
Expected<std::size_t> first_name_offset(const RecordView& record, const RdataLayout& layout);
// Reads a name of the RDATA at `offset` under the layout's rule; returns the offset behind, never past
// RDATA's end.
Expected<std::size_t> read_rdata_name(const RecordView& record, NameRule rule, std::size_t offset, Name& out);
}  // namespace detail

template <class Visit>
Expected<void> for_each_rdata_name(const RecordView& record, Visit&& visit) {
  const RdataLayout layout = rdata_layout(record.type());
  if (layout.rule == NameRule::None) return {};
  auto at = detail::first_name_offset(record, layout);
  if (!at) return fail(at.error());
  std::size_t offset = *at;
  for (unsigned i = 0; i < layout.names; ++i) {
    Name name;
    auto next = detail::read_rdata_name(record, layout.rule, offset, name);
    if (!next) return fail(next.error());
    visit(name);
    offset = *next;
  }
  return {};
}

}  // namespace swarmdns::dns
