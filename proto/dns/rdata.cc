#include "proto/dns/rdata.h"

#include <cstring>

namespace swarmdns::dns {
namespace {

constexpr std::uint16_t kAnyRest = 0xffff;
constexpr std::uint16_t kSoaNumbersSize = 20;

// The end of the layout's names, each of them checked. Errors: as read_rdata_name.
Expected<std::size_t> end_of_names(const detail::RdataSpan& rdata, const RdataLayout& layout) {
  auto at = detail::first_name_offset(rdata, layout);
  Name name;
  for (unsigned i = 0; at && i < layout.names; ++i) {
    at = detail::read_rdata_name(rdata, layout.rule, *at, name);
  }
  return at;
}

}  // namespace

RdataLayout rdata_layout(Type type) {
  using enum NameRule;
  switch (type) {
    case Type::NS:
    case Type::MD:
    case Type::MF:
    case Type::CNAME:
    case Type::MB:
    case Type::MG:
    case Type::MR:
    case Type::PTR:
      return {.rule = Compress, .names = 1};
    case Type::SOA:
      return {.rule = Compress, .names = 2, .min_rest = kSoaNumbersSize, .max_rest = kSoaNumbersSize};
    case Type::MINFO:
      return {.rule = Compress, .names = 2};
    case Type::MX:
      return {.rule = Compress, .prefix = 2, .names = 1};
    case Type::RP:
      return {.rule = ReceiveOnly, .names = 2};
    case Type::AFSDB:
    case Type::RT:
    case Type::KX:
      return {.rule = ReceiveOnly, .prefix = 2, .names = 1};
    case Type::PX:
      return {.rule = ReceiveOnly, .prefix = 2, .names = 2};
    case Type::SRV:
      return {.rule = ReceiveOnly, .prefix = 6, .names = 1};
    case Type::NAPTR:
      return {.rule = ReceiveOnly, .prefix = 4, .strings = 3, .names = 1};
    case Type::DNAME:
      return {.rule = ReceiveOnly, .names = 1};
    case Type::SIG:
      return {.rule = ReceiveOnly, .prefix = 18, .names = 1, .max_rest = kAnyRest};
    case Type::NXT:
      return {.rule = ReceiveOnly, .names = 1, .max_rest = kAnyRest};
    case Type::RRSIG:
      return {.rule = Forbidden, .prefix = 18, .names = 1, .max_rest = kAnyRest};
    case Type::NSEC:
      return {.rule = Forbidden, .names = 1, .max_rest = kAnyRest};
    case Type::SVCB:
    case Type::HTTPS:
      return {.rule = Forbidden, .prefix = 2, .names = 1, .max_rest = kAnyRest};
    default:
      return {};
  }
}

namespace detail {

RdataLayout layout_of(Type type, Class klass, std::size_t rdata_size) {
  if (rdata_size == 0 && (klass == Class::ANY || klass == Class::NONE)) return {};
  return rdata_layout(type);
}

Expected<std::size_t> first_name_offset(const RdataSpan& rdata, const RdataLayout& layout) {
  if (rdata.end - rdata.begin < layout.prefix) return fail(Error::BadRdata);
  std::size_t at = rdata.begin + layout.prefix;
  for (unsigned i = 0; i < layout.strings; ++i) {
    if (at >= rdata.end) return fail(Error::BadRdata);
    const std::size_t length = load_u8(rdata.octets.data() + at);
    if (rdata.end - at <= length) return fail(Error::BadRdata);
    at += 1 + length;
  }
  return at;
}

Expected<std::size_t> read_rdata_name(const RdataSpan& rdata, NameRule rule, std::size_t offset, Name& out) {
  // Pointers go backwards only, so cutting the message off at the end of RDATA takes nothing away from them
  // and keeps the name's own octets inside.
  const Bytes octets = rdata.octets.first(rdata.end);
  if (rule == NameRule::Forbidden) {
    auto view = view_name(octets, offset);
    if (!view) return fail(view.error() == Error::Truncated ? Error::BadRdata : view.error());
    out = Name(*view);
    return offset + view->size();
  }
  auto end = read_name(octets, offset, out);
  if (!end && end.error() == Error::Truncated) return fail(Error::BadRdata);
  return end;
}

}  // namespace detail

Expected<void> check_rdata(const RecordView& record) {
  const std::size_t size = record.rdata().size();
  const Type type = record.type();
  if (record.klass() == Class::IN && ((type == Type::A && size != 4) || (type == Type::AAAA && size != 16))) {
    return fail(Error::BadRdata);
  }
  const RdataLayout layout = detail::layout_of(type, record.klass(), size);
  if (layout.rule == NameRule::None) return {};
  auto end = end_of_names(detail::RdataSpan(record), layout);
  if (!end) return fail(end.error());
  const std::size_t rest = record.end() - *end;
  if (rest < layout.min_rest || rest > layout.max_rest) return fail(Error::BadRdata);
  return {};
}

Expected<std::size_t> expand_rdata(const RecordView& record, MutableBytes out) {
  const detail::RdataSpan rdata(record);
  const RdataLayout layout = detail::layout_of(record.type(), record.klass(), rdata.end - rdata.begin);
  std::size_t from = rdata.begin;
  std::size_t to = 0;
  const auto put = [&](const std::byte* octets, std::size_t size) {
    if (out.size() - to < size) return false;
    if (size != 0) std::memcpy(out.data() + to, octets, size);
    to += size;
    return true;
  };
  if (layout.rule != NameRule::None) {
    auto first = detail::first_name_offset(rdata, layout);
    if (!first) return fail(first.error());
    if (!put(rdata.octets.data() + from, *first - from)) return fail(Error::NoSpace);
    from = *first;
    for (unsigned i = 0; i < layout.names; ++i) {
      Name name;
      auto next = detail::read_rdata_name(rdata, layout.rule, from, name);
      if (!next) return fail(next.error());
      if (!put(name.wire().data(), name.size())) return fail(Error::NoSpace);
      from = *next;
    }
  }
  if (!put(rdata.octets.data() + from, rdata.end - from)) return fail(Error::NoSpace);
  return to;
}

Expected<Name> first_rdata_name(const RecordView& record) {
  const RdataLayout layout = detail::layout_of(record.type(), record.klass(), record.rdata().size());
  if (layout.rule == NameRule::None) return fail(Error::BadRdata);
  const detail::RdataSpan rdata(record);
  auto at = detail::first_name_offset(rdata, layout);
  if (!at) return fail(at.error());
  Name name;
  auto end = detail::read_rdata_name(rdata, layout.rule, *at, name);
  if (!end) return fail(end.error());
  return name;
}

Expected<SoaNumbers> soa_numbers(const RecordView& record) {
  if (record.type() != Type::SOA) return fail(Error::BadRdata);
  auto end = end_of_names(detail::RdataSpan(record), rdata_layout(Type::SOA));
  if (!end) return fail(end.error());
  if (record.end() - *end != kSoaNumbersSize) return fail(Error::BadRdata);
  const std::byte* p = record.message().data() + *end;
  return SoaNumbers{.serial = load_be32(p),
                    .refresh = load_be32(p + 4),
                    .retry = load_be32(p + 8),
                    .expire = load_be32(p + 12),
                    .minimum = load_be32(p + 16)};
}

Expected<std::uint32_t> negative_ttl(const RecordView& soa) {
  auto numbers = soa_numbers(soa);
  if (!numbers) return fail(numbers.error());
  const std::uint32_t minimum = clean_ttl(numbers->minimum);
  return minimum < soa.ttl() ? minimum : soa.ttl();
}

}  // namespace swarmdns::dns
