#include "proto/dns/types.h"

#include <array>
#include <charconv>
#include <utility>

namespace swarmdns::dns {
namespace {

template <class E>
using Entry = std::pair<E, std::string_view>;

// In the order of their values.
constexpr Entry<Type> kTypes[] = {
    {Type::A, "A"},
    {Type::NS, "NS"},
    {Type::MD, "MD"},
    {Type::MF, "MF"},
    {Type::CNAME, "CNAME"},
    {Type::SOA, "SOA"},
    {Type::MB, "MB"},
    {Type::MG, "MG"},
    {Type::MR, "MR"},
    {Type::Null, "NULL"},
    {Type::WKS, "WKS"},
    {Type::PTR, "PTR"},
    {Type::HINFO, "HINFO"},
    {Type::MINFO, "MINFO"},
    {Type::MX, "MX"},
    {Type::TXT, "TXT"},
    {Type::RP, "RP"},
    {Type::AFSDB, "AFSDB"},
    {Type::X25, "X25"},
    {Type::ISDN, "ISDN"},
    {Type::RT, "RT"},
    {Type::NSAP, "NSAP"},
    {Type::NSAP_PTR, "NSAP-PTR"},
    {Type::SIG, "SIG"},
    {Type::KEY, "KEY"},
    {Type::PX, "PX"},
    {Type::GPOS, "GPOS"},
    {Type::AAAA, "AAAA"},
    {Type::LOC, "LOC"},
    {Type::NXT, "NXT"},
    {Type::EID, "EID"},
    {Type::NIMLOC, "NIMLOC"},
    {Type::SRV, "SRV"},
    {Type::ATMA, "ATMA"},
    {Type::NAPTR, "NAPTR"},
    {Type::KX, "KX"},
    {Type::CERT, "CERT"},
    {Type::A6, "A6"},
    {Type::DNAME, "DNAME"},
    {Type::SINK, "SINK"},
    {Type::OPT, "OPT"},
    {Type::APL, "APL"},
    {Type::DS, "DS"},
    {Type::SSHFP, "SSHFP"},
    {Type::IPSECKEY, "IPSECKEY"},
    {Type::RRSIG, "RRSIG"},
    {Type::NSEC, "NSEC"},
    {Type::DNSKEY, "DNSKEY"},
    {Type::DHCID, "DHCID"},
    {Type::NSEC3, "NSEC3"},
    {Type::NSEC3PARAM, "NSEC3PARAM"},
    {Type::TLSA, "TLSA"},
    {Type::SMIMEA, "SMIMEA"},
    {Type::HIP, "HIP"},
    {Type::NINFO, "NINFO"},
    {Type::RKEY, "RKEY"},
    {Type::TALINK, "TALINK"},
    {Type::CDS, "CDS"},
    {Type::CDNSKEY, "CDNSKEY"},
    {Type::OPENPGPKEY, "OPENPGPKEY"},
    {Type::CSYNC, "CSYNC"},
    {Type::ZONEMD, "ZONEMD"},
    {Type::SVCB, "SVCB"},
    {Type::HTTPS, "HTTPS"},
    {Type::DSYNC, "DSYNC"},
    {Type::SPF, "SPF"},
    {Type::UINFO, "UINFO"},
    {Type::UID, "UID"},
    {Type::GID, "GID"},
    {Type::UNSPEC, "UNSPEC"},
    {Type::NID, "NID"},
    {Type::L32, "L32"},
    {Type::L64, "L64"},
    {Type::LP, "LP"},
    {Type::EUI48, "EUI48"},
    {Type::EUI64, "EUI64"},
    {Type::NXNAME, "NXNAME"},
    {Type::TKEY, "TKEY"},
    {Type::TSIG, "TSIG"},
    {Type::IXFR, "IXFR"},
    {Type::AXFR, "AXFR"},
    {Type::MAILB, "MAILB"},
    {Type::MAILA, "MAILA"},
    {Type::ANY, "ANY"},
    {Type::URI, "URI"},
    {Type::CAA, "CAA"},
    {Type::AVC, "AVC"},
    {Type::DOA, "DOA"},
    {Type::AMTRELAY, "AMTRELAY"},
    {Type::RESINFO, "RESINFO"},
    {Type::WALLET, "WALLET"},
    {Type::CLA, "CLA"},
    {Type::IPN, "IPN"},
    {Type::TA, "TA"},
    {Type::DLV, "DLV"},
};

constexpr Entry<Class> kClasses[] = {
    {Class::IN, "IN"}, {Class::CH, "CH"}, {Class::HS, "HS"}, {Class::NONE, "NONE"}, {Class::ANY, "ANY"},
};

constexpr Entry<Rcode> kRcodes[] = {
    {Rcode::NoError, "NOERROR"},   {Rcode::FormErr, "FORMERR"},     {Rcode::ServFail, "SERVFAIL"},
    {Rcode::NXDomain, "NXDOMAIN"}, {Rcode::NotImp, "NOTIMP"},       {Rcode::Refused, "REFUSED"},
    {Rcode::YXDomain, "YXDOMAIN"}, {Rcode::YXRRSet, "YXRRSET"},     {Rcode::NXRRSet, "NXRRSET"},
    {Rcode::NotAuth, "NOTAUTH"},   {Rcode::NotZone, "NOTZONE"},     {Rcode::DsoTypeNI, "DSOTYPENI"},
    {Rcode::BadVers, "BADVERS"},   {Rcode::BadKey, "BADKEY"},       {Rcode::BadTime, "BADTIME"},
    {Rcode::BadMode, "BADMODE"},   {Rcode::BadName, "BADNAME"},     {Rcode::BadAlg, "BADALG"},
    {Rcode::BadTrunc, "BADTRUNC"}, {Rcode::BadCookie, "BADCOOKIE"},
};

constexpr Entry<Opcode> kOpcodes[] = {
    {Opcode::Query, "QUERY"},   {Opcode::IQuery, "IQUERY"}, {Opcode::Status, "STATUS"},
    {Opcode::Notify, "NOTIFY"}, {Opcode::Update, "UPDATE"}, {Opcode::Dso, "DSO"},
};

template <class E, std::size_t N>
std::string_view find(const Entry<E> (&table)[N], E value) {
  for (const auto& [v, text] : table) {
    if (v == value) return text;
  }
  return {};
}

constexpr char upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (upper(a[i]) != upper(b[i])) return false;
  }
  return true;
}

template <class E>
std::string text_or_number(std::string_view text, std::string_view prefix, E value) {
  if (!text.empty()) return std::string(text);
  return std::string(prefix) + std::to_string(static_cast<unsigned>(value));
}

// By name, or by `prefix` and a decimal number not above `max`.
template <class E, std::size_t N>
std::optional<E> parse(const Entry<E> (&table)[N], std::string_view prefix, unsigned max,
                       std::string_view text) {
  for (const auto& [v, name] : table) {
    if (equal_ignoring_case(text, name)) return v;
  }
  if (text.size() <= prefix.size() || !equal_ignoring_case(text.substr(0, prefix.size()), prefix)) return {};
  unsigned number = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data() + prefix.size(), last, number);
  if (error != std::errc{} || end != last || number > max) return {};
  return static_cast<E>(number);
}

}  // namespace

std::string_view mnemonic(Type type) {
  return find(kTypes, type);
}
std::string_view mnemonic(Class klass) {
  return find(kClasses, klass);
}
std::string_view mnemonic(Rcode rcode) {
  return find(kRcodes, rcode);
}
std::string_view mnemonic(Opcode opcode) {
  return find(kOpcodes, opcode);
}

std::string to_text(Type type) {
  return text_or_number(mnemonic(type), "TYPE", type);
}
std::string to_text(Class klass) {
  return text_or_number(mnemonic(klass), "CLASS", klass);
}
std::string to_text(Rcode rcode) {
  return text_or_number(mnemonic(rcode), "RCODE", rcode);
}
std::string to_text(Opcode opcode) {
  return text_or_number(mnemonic(opcode), "OPCODE", opcode);
}

std::optional<Type> type_from_text(std::string_view text) {
  if (text == "*") return Type::ANY;
  return parse(kTypes, "TYPE", 65535, text);
}

std::optional<Class> class_from_text(std::string_view text) {
  return parse(kClasses, "CLASS", 65535, text);
}

std::optional<Rcode> rcode_from_text(std::string_view text) {
  return parse(kRcodes, "RCODE", 4095, text);
}

std::optional<Opcode> opcode_from_text(std::string_view text) {
  return parse(kOpcodes, "OPCODE", 15, text);
}

}  // namespace swarmdns::dns
