#include "proto/dns/rdata_text.h"

#include <arpa/inet.h>

#include <ctime>
#include <optional>
#include <string_view>

#include "proto/dns/encode.h"
#include "proto/dns/name_text.h"
#include "proto/dns/rdata.h"
#include "proto/dns/reader.h"
#include "proto/dns/svcb_text.h"

namespace swarmdns::dns {
namespace {

// The fields of a type's RDATA, a letter each:
//   1 2 4  unsigned numbers of as many octets        n  name
//   a 6    IPv4 and IPv6 address                     t  type code
//   T      time of a signature                       e  EUI: all octets in hexadecimal, '-' between
//   s      one character-string, quoted              S  one or more, to the end
//   c      one character-string of letters and digits, bare
//   h      length octet and octets in hexadecimal, '-' when there are none
//   3      length octet and octets in base32hex
//   x b q  octets to the end: hexadecimal, base64, quoted
//   B      type bitmap to the end                    v  SvcParams to the end
std::string_view fields_of(Type type) {
  switch (type) {
    case Type::A:
      return "a";
    case Type::AAAA:
      return "6";
    case Type::NS:
    case Type::MD:
    case Type::MF:
    case Type::CNAME:
    case Type::MB:
    case Type::MG:
    case Type::MR:
    case Type::PTR:
    case Type::DNAME:
      return "n";
    case Type::SOA:
      return "nn44444";
    case Type::MINFO:
    case Type::RP:
      return "nn";
    case Type::MX:
    case Type::AFSDB:
    case Type::RT:
    case Type::KX:
      return "2n";
    case Type::PX:
      return "2nn";
    case Type::SRV:
      return "222n";
    case Type::NAPTR:
      return "22sssn";
    case Type::TXT:
    case Type::SPF:
    case Type::ISDN:
    case Type::NINFO:
    case Type::AVC:
    case Type::RESINFO:
    case Type::WALLET:
    case Type::CLA:
      return "S";
    case Type::HINFO:
      return "ss";
    case Type::X25:
      return "s";
    case Type::GPOS:
      return "sss";
    case Type::DS:
    case Type::CDS:
    case Type::DLV:
    case Type::TA:
      return "211x";
    case Type::KEY:
    case Type::DNSKEY:
    case Type::CDNSKEY:
    case Type::RKEY:
      return "211b";
    case Type::SIG:
    case Type::RRSIG:
      return "t114TT2nb";
    case Type::NSEC:
      return "nB";
    case Type::NSEC3:
      return "112h3B";
    case Type::NSEC3PARAM:
      return "112h";
    case Type::CSYNC:
      return "42B";
    case Type::ZONEMD:
      return "411x";
    case Type::TLSA:
    case Type::SMIMEA:
      return "111x";
    case Type::SSHFP:
      return "11x";
    case Type::CERT:
      return "221b";
    case Type::DHCID:
    case Type::OPENPGPKEY:
      return "b";
    case Type::SVCB:
    case Type::HTTPS:
      return "2nv";
    case Type::CAA:
      return "1cq";
    case Type::URI:
      return "22q";
    case Type::L32:
      return "2a";
    case Type::EUI48:
    case Type::EUI64:
      return "e";
    default:
      return {};
  }
}

using Text = std::optional<std::string>;

std::string address_to_text(int family, Bytes address) {
  char text[INET6_ADDRSTRLEN];
  return inet_ntop(family, address.data(), text, sizeof text) != nullptr ? text : std::string();
}

// YYYYMMDDHHmmSS, UTC (RFC 4034 3.2).
std::string time_to_text(std::uint32_t seconds) {
  const std::time_t time = seconds;
  std::tm utc{};
  gmtime_r(&time, &utc);
  char text[16];
  return {text, std::strftime(text, sizeof text, "%Y%m%d%H%M%S", &utc)};
}

std::string eui_to_text(Bytes octets) {
  std::string out;
  for (std::size_t i = 0; i < octets.size(); ++i) {
    if (i != 0) out += '-';
    out += to_hex(octets.subspan(i, 1));
  }
  return out;
}

// Only letters and digits, at least one (RFC 8659 4.1).
bool is_bare(Bytes octets) {
  for (const char c : as_text(octets)) {
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))) return false;
  }
  return !octets.empty();
}

// Windows ascend, each with 1–32 octets (RFC 4034 4.1.2).
Text bitmap_to_text(Bytes bitmap) {
  std::string out;
  Reader reader(bitmap);
  int last = -1;
  while (!reader.at_end()) {
    std::uint8_t window = 0;
    Bytes bits;
    if (!reader.u8(window) || !reader.character_string(bits)) return {};
    if (window <= last || bits.empty() || bits.size() > 32) return {};
    last = window;
    for (unsigned i = 0; i < bits.size() * 8; ++i) {
      if ((load_u8(&bits[i / 8]) & (0x80U >> (i % 8))) == 0) continue;
      if (!out.empty()) out += ' ';
      out += to_text(static_cast<Type>(window * 256U + i));
    }
  }
  return out;
}

class Renderer {
 public:
  explicit Renderer(const RecordView& record)
      : type_(record.type()),
        rule_(rdata_layout(type_).rule),
        span_(record),
        reader_(record.message().first(record.end()), record.rdata_offset()) {}

  // Nothing when RDATA does not fit its type.
  Text render(std::string_view fields) {
    std::string out;
    for (const char field : fields) {
      const Text text = take(field);
      if (!text) return {};
      // SvcParams bring their own space, and a bitmap may be empty.
      if (!out.empty() && field != 'v' && !(field == 'B' && text->empty())) out += ' ';
      out += *text;
    }
    return reader_.at_end() ? Text(out) : Text();
  }

 private:
  Text take(char field) {
    std::uint8_t n8 = 0;
    std::uint16_t n16 = 0;
    std::uint32_t n32 = 0;
    Bytes octets;
    switch (field) {
      case '1':
        return reader_.u8(n8) ? Text(std::to_string(n8)) : Text();
      case '2':
        return reader_.u16(n16) ? Text(std::to_string(n16)) : Text();
      case '4':
        return reader_.u32(n32) ? Text(std::to_string(n32)) : Text();
      case 't':
        return reader_.u16(n16) ? Text(to_text(static_cast<Type>(n16))) : Text();
      case 'T':
        return reader_.u32(n32) ? Text(time_to_text(n32)) : Text();
      case 'a':
        return reader_.bytes(4, octets) ? Text(address_to_text(AF_INET, octets)) : Text();
      case '6':
        return reader_.bytes(16, octets) ? Text(address_to_text(AF_INET6, octets)) : Text();
      case 'n':
        return take_name();
      case 's':
        return reader_.character_string(octets) ? Text(to_quoted(octets)) : Text();
      case 'c':
        return reader_.character_string(octets) && is_bare(octets) ? Text(as_text(octets)) : Text();
      case 'h':
        if (!reader_.character_string(octets)) return {};
        return octets.empty() ? Text("-") : Text(to_hex(octets));
      case '3':
        return reader_.character_string(octets) && !octets.empty() ? Text(to_base32hex(octets)) : Text();
      case 'S':
        return take_strings();
      default:
        return take_rest(field);
    }
  }

  Text take_name() {
    Name name;
    auto end = detail::read_rdata_name(span_, rule_, reader_.offset(), name);
    if (!end || !reader_.skip(*end - reader_.offset())) return {};
    return to_text(name);
  }

  Text take_strings() {
    std::string out;
    do {
      Bytes octets;
      if (!reader_.character_string(octets)) return {};
      if (!out.empty()) out += ' ';
      out += to_quoted(octets);
    } while (!reader_.at_end());
    return out;
  }

  Text take_rest(char field) {
    const Bytes rest = reader_.rest();
    if (!reader_.skip(rest.size())) return {};
    switch (field) {
      case 'x':
        return rest.empty() ? Text() : Text(to_hex(rest));
      case 'b':
        return rest.empty() ? Text() : Text(to_base64(rest));
      case 'q':
        return to_quoted(rest);
      case 'B':
        return bitmap_to_text(rest);
      case 'v':
        return svc_params_to_text(rest);
      case 'e':
        return rest.size() == (type_ == Type::EUI48 ? 6U : 8U) ? Text(eui_to_text(rest)) : Text();
      default:
        return {};
    }
  }

  Type type_;
  NameRule rule_;
  detail::RdataSpan span_;
  Reader reader_;
};

// `\# LENGTH HEX` of the octets as they are.
std::string unknown_to_text(Bytes rdata) {
  std::string out = "\\# " + std::to_string(rdata.size());
  if (!rdata.empty()) out += ' ' + to_hex(rdata);
  return out;
}

}  // namespace

std::string rdata_to_text(const RecordView& record) {
  const std::string_view fields = fields_of(record.type());
  // Address formats belong to a class (RFC 1035 3.4.1); CH has another A.
  const bool other_class =
      record.klass() != Class::IN && (record.type() == Type::A || record.type() == Type::AAAA);
  if (!fields.empty() && !other_class) {
    if (auto text = Renderer(record).render(fields)) return *text;
  }
  return unknown_to_text(record.rdata());
}

}  // namespace swarmdns::dns
