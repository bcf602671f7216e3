#include "proto/dns/edns.h"

#include <cstring>

namespace swarmdns::dns {

std::string_view mnemonic(EdeCode code) {
  switch (code) {
    case EdeCode::Other:
      return "Other Error";
    case EdeCode::UnsupportedDnskeyAlgorithm:
      return "Unsupported DNSKEY Algorithm";
    case EdeCode::UnsupportedDsDigestType:
      return "Unsupported DS Digest Type";
    case EdeCode::StaleAnswer:
      return "Stale Answer";
    case EdeCode::ForgedAnswer:
      return "Forged Answer";
    case EdeCode::DnssecIndeterminate:
      return "DNSSEC Indeterminate";
    case EdeCode::DnssecBogus:
      return "DNSSEC Bogus";
    case EdeCode::SignatureExpired:
      return "Signature Expired";
    case EdeCode::SignatureNotYetValid:
      return "Signature Not Yet Valid";
    case EdeCode::DnskeyMissing:
      return "DNSKEY Missing";
    case EdeCode::RrsigsMissing:
      return "RRSIGs Missing";
    case EdeCode::NoZoneKeyBitSet:
      return "No Zone Key Bit Set";
    case EdeCode::NsecMissing:
      return "NSEC Missing";
    case EdeCode::CachedError:
      return "Cached Error";
    case EdeCode::NotReady:
      return "Not Ready";
    case EdeCode::Blocked:
      return "Blocked";
    case EdeCode::Censored:
      return "Censored";
    case EdeCode::Filtered:
      return "Filtered";
    case EdeCode::Prohibited:
      return "Prohibited";
    case EdeCode::StaleNXDomainAnswer:
      return "Stale NXDomain Answer";
    case EdeCode::NotAuthoritative:
      return "Not Authoritative";
    case EdeCode::NotSupported:
      return "Not Supported";
    case EdeCode::NoReachableAuthority:
      return "No Reachable Authority";
    case EdeCode::NetworkError:
      return "Network Error";
    case EdeCode::InvalidData:
      return "Invalid Data";
    case EdeCode::SignatureExpiredBeforeValid:
      return "Signature Expired before Valid";
    case EdeCode::TooEarly:
      return "Too Early";
    case EdeCode::UnsupportedNsec3Iterations:
      return "Unsupported NSEC3 Iterations Value";
    case EdeCode::UnableToConformToPolicy:
      return "Unable to conform to policy";
    case EdeCode::Synthesized:
      return "Synthesized";
    case EdeCode::InvalidQueryType:
      return "Invalid Query Type";
  }
  return {};
}

std::string_view mnemonic(OptionCode code) {
  switch (code) {
    case OptionCode::LLQ:
      return "LLQ";
    case OptionCode::UL:
      return "UL";
    case OptionCode::NSID:
      return "NSID";
    case OptionCode::DAU:
      return "DAU";
    case OptionCode::DHU:
      return "DHU";
    case OptionCode::N3U:
      return "N3U";
    case OptionCode::ClientSubnet:
      return "CLIENT-SUBNET";
    case OptionCode::Expire:
      return "EXPIRE";
    case OptionCode::Cookie:
      return "COOKIE";
    case OptionCode::TcpKeepalive:
      return "TCP-KEEPALIVE";
    case OptionCode::Padding:
      return "PADDING";
    case OptionCode::Chain:
      return "CHAIN";
    case OptionCode::KeyTag:
      return "KEY-TAG";
    case OptionCode::ExtendedError:
      return "EDE";
    case OptionCode::ReportChannel:
      return "REPORT-CHANNEL";
    case OptionCode::ZoneVersion:
      return "ZONEVERSION";
  }
  return {};
}

Expected<Opt> Opt::parse(const RecordView& record) {
  // The owner must be the root itself, one zero octet, not a pointer to one (RFC 6891 6.1.2).
  if (record.type() != Type::OPT || load_u8(record.message().data() + record.offset()) != 0) {
    return fail(Error::BadOpt);
  }
  const Bytes rdata = record.rdata();
  for (std::size_t at = 0; at < rdata.size();) {
    if (rdata.size() - at < 4) return fail(Error::BadOption);
    const std::size_t length = load_be16(rdata.data() + at + 2);
    if (rdata.size() - at - 4 < length) return fail(Error::BadOption);
    at += 4 + length;
  }
  const std::uint32_t ttl = record.raw_ttl();
  Opt opt;
  opt.payload_size = to_u16(record.klass());
  opt.extended_rcode = static_cast<std::uint8_t>(ttl >> 24);
  opt.version = static_cast<std::uint8_t>(ttl >> 16);
  opt.dnssec_ok = (ttl & 0x8000U) != 0;
  opt.z = static_cast<std::uint16_t>(ttl & 0x7fffU);
  opt.options = OptionRange(rdata);
  return opt;
}

Expected<Opt> Opt::parse(Bytes message, std::size_t offset) {
  auto record = RecordView::parse(message, offset);
  if (!record) return fail(record.error());
  return parse(*record);
}

std::optional<Bytes> Opt::find(OptionCode code) const {
  for (const Option option : options) {
    if (option.code == code) return option.data;
  }
  return {};
}

Expected<CookieOption> parse_cookie(Bytes data) {
  if (data.size() != 8 && (data.size() < 16 || data.size() > 40)) return fail(Error::BadOption);
  return CookieOption{data.first(8), data.subspan(8)};
}

Expected<ClientSubnet> parse_client_subnet(Bytes data) {
  if (data.size() < 4) return fail(Error::BadOption);
  ClientSubnet subnet;
  subnet.family = load_be16(data.data());
  subnet.source_prefix = load_u8(data.data() + 2);
  subnet.scope_prefix = load_u8(data.data() + 3);
  if (subnet.family != 1 && subnet.family != 2) return fail(Error::BadOption);
  const unsigned bits = subnet.family == 1 ? 32 : 128;
  if (subnet.source_prefix > bits || subnet.scope_prefix > bits) return fail(Error::BadOption);
  // The address is cut to the octets that the prefix needs (RFC 7871 6) and zero behind its bits.
  const Bytes address = data.subspan(4);
  if (address.size() != (subnet.source_prefix + 7U) / 8U) return fail(Error::BadOption);
  if (const unsigned used = subnet.source_prefix % 8U; used != 0) {
    if ((load_u8(&address.back()) & (0xffU >> used)) != 0) return fail(Error::BadOption);
  }
  if (!address.empty()) std::memcpy(subnet.address.data(), address.data(), address.size());
  return subnet;
}

Expected<ExtendedError> parse_extended_error(Bytes data) {
  if (data.size() < 2) return fail(Error::BadOption);
  std::string_view text = as_text(data.subspan(2));
  if (text.ends_with('\0')) text.remove_suffix(1);  // RFC 8914 2: receivers must cope with it
  return ExtendedError{static_cast<EdeCode>(load_be16(data.data())), text};
}

Expected<TcpKeepalive> parse_tcp_keepalive(Bytes data) {
  if (data.empty()) return TcpKeepalive{};
  if (data.size() != 2) return fail(Error::BadOption);
  return TcpKeepalive{load_be16(data.data())};
}

}  // namespace swarmdns::dns
