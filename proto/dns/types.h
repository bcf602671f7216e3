// The registries of the DNS (IANA "Domain Name System (DNS) Parameters"): types, classes, rcodes, opcodes.
// Any 16-bit value may be cast to Type or Class; unknown values have text forms too (RFC 3597).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace swarmdns::dns {

enum class Type : std::uint16_t {
  A = 1,
  NS = 2,
  MD = 3,
  MF = 4,
  CNAME = 5,
  SOA = 6,
  MB = 7,
  MG = 8,
  MR = 9,
  Null = 10,  // "NULL" is a macro
  WKS = 11,
  PTR = 12,
  HINFO = 13,
  MINFO = 14,
  MX = 15,
  TXT = 16,
  RP = 17,
  AFSDB = 18,
  X25 = 19,
  ISDN = 20,
  RT = 21,
  NSAP = 22,
  NSAP_PTR = 23,
  SIG = 24,
  KEY = 25,
  PX = 26,
  GPOS = 27,
  AAAA = 28,
  LOC = 29,
  NXT = 30,
  EID = 31,
  NIMLOC = 32,
  SRV = 33,
  ATMA = 34,
  NAPTR = 35,
  KX = 36,
  CERT = 37,
  A6 = 38,
  DNAME = 39,
  SINK = 40,
  OPT = 41,
  APL = 42,
  DS = 43,
  SSHFP = 44,
  IPSECKEY = 45,
  RRSIG = 46,
  NSEC = 47,
  DNSKEY = 48,
  DHCID = 49,
  NSEC3 = 50,
  NSEC3PARAM = 51,
  TLSA = 52,
  SMIMEA = 53,
  HIP = 55,
  NINFO = 56,
  RKEY = 57,
  TALINK = 58,
  CDS = 59,
  CDNSKEY = 60,
  OPENPGPKEY = 61,
  CSYNC = 62,
  ZONEMD = 63,
  SVCB = 64,
  HTTPS = 65,
  DSYNC = 66,
  SPF = 99,
  UINFO = 100,
  UID = 101,
  GID = 102,
  UNSPEC = 103,
  NID = 104,
  L32 = 105,
  L64 = 106,
  LP = 107,
  EUI48 = 108,
  EUI64 = 109,
  NXNAME = 128,
  TKEY = 249,
  TSIG = 250,
  IXFR = 251,
  AXFR = 252,
  MAILB = 253,
  MAILA = 254,
  ANY = 255,
  URI = 256,
  CAA = 257,
  AVC = 258,
  DOA = 259,
  AMTRELAY = 260,
  RESINFO = 261,
  WALLET = 262,
  CLA = 263,
  IPN = 264,
  TA = 32768,
  DLV = 32769,
};

enum class Class : std::uint16_t { IN = 1, CH = 3, HS = 4, NONE = 254, ANY = 255 };

// Header rcodes are 0–15; larger ones need EDNS (upper eight bits in OPT) or TSIG/TKEY.
enum class Rcode : std::uint16_t {
  NoError = 0,
  FormErr = 1,
  ServFail = 2,
  NXDomain = 3,
  NotImp = 4,
  Refused = 5,
  YXDomain = 6,
  YXRRSet = 7,
  NXRRSet = 8,
  NotAuth = 9,
  NotZone = 10,
  DsoTypeNI = 11,
  BadVers = 16,  // BADSIG in TSIG
  BadKey = 17,
  BadTime = 18,
  BadMode = 19,
  BadName = 20,
  BadAlg = 21,
  BadTrunc = 22,
  BadCookie = 23,
};

enum class Opcode : std::uint8_t { Query = 0, IQuery = 1, Status = 2, Notify = 4, Update = 5, Dso = 6 };

constexpr std::uint16_t to_u16(Type type) {
  return static_cast<std::uint16_t>(type);
}
constexpr std::uint16_t to_u16(Class klass) {
  return static_cast<std::uint16_t>(klass);
}
constexpr std::uint16_t to_u16(Rcode rcode) {
  return static_cast<std::uint16_t>(rcode);
}

// True for what asks about or travels with a message but is no data: OPT, TKEY, TSIG, IXFR, AXFR, MAILB,
// MAILA, ANY, NXNAME and the rest of 128–255 (RFC 6895 3.1), and 0 (reserved).
constexpr bool is_meta_type(Type type) {
  const std::uint16_t v = to_u16(type);
  return v == 0 || type == Type::OPT || (v >= 128 && v <= 255);
}

// True for NONE, ANY and 0: classes no record in an answer to a query may have.
constexpr bool is_meta_class(Class klass) {
  return to_u16(klass) == 0 || klass == Class::NONE || klass == Class::ANY;
}

// The registered name, or an empty view. Never allocates.
std::string_view mnemonic(Type type);
std::string_view mnemonic(Class klass);
std::string_view mnemonic(Rcode rcode);    // upper case as dig prints it: "NOERROR", "NXDOMAIN", "BADVERS"
std::string_view mnemonic(Opcode opcode);  // "QUERY", "NOTIFY"

// Always a text: the registered name, else TYPE123, CLASS123 (RFC 3597 5), RCODE123, OPCODE3.
std::string to_text(Type type);
std::string to_text(Class klass);
std::string to_text(Rcode rcode);
std::string to_text(Opcode opcode);

// The reverse, ignoring case. "*" is ANY for types. Empty when it is no such text or out of range.
std::optional<Type> type_from_text(std::string_view text);
std::optional<Class> class_from_text(std::string_view text);
std::optional<Rcode> rcode_from_text(std::string_view text);
std::optional<Opcode> opcode_from_text(std::string_view text);

}  // namespace swarmdns::dns
