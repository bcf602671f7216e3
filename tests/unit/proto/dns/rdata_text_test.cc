#include "proto/dns/rdata_text.h"

#include <gtest/gtest.h>

#include "tests/unit/proto/dns/helpers.h"

namespace swarmdns::dns {
namespace {

using test::hex;
using test::Octets;
using test::octets;
using test::wire;

// RDATA may point to "example.com." at 12.
std::string text_of(Type type, const Octets& rdata, Class klass = Class::IN) {
  const Octets head = test::header(0x8180, 1, 1, 0, 0) + test::question("example.com.", Type::A);
  const Octets message = head + test::record(hex("c00c"), type, 60, rdata, klass);
  return rdata_to_text(RecordView::parse(message, head.size()).value());
}

TEST(RdataText, Addresses) {
  EXPECT_EQ(text_of(Type::A, hex("c0000201")), "192.0.2.1");
  EXPECT_EQ(text_of(Type::AAAA, hex("20010db8000000000000000000000001")), "2001:db8::1");
}

TEST(RdataText, NamesWithAndWithoutNumbers) {
  EXPECT_EQ(text_of(Type::NS, hex("02 6e73 c00c")), "ns.example.com.");
  EXPECT_EQ(text_of(Type::CNAME, wire("Other.example.")), "Other.example.");
  EXPECT_EQ(text_of(Type::MX, hex("000a c00c")), "10 example.com.");
  EXPECT_EQ(text_of(Type::MX, hex("0000 00")), "0 .");
  EXPECT_EQ(text_of(Type::SRV, hex("0001 0002 01bb c00c")), "1 2 443 example.com.");
  EXPECT_EQ(text_of(Type::SOA, hex("c00c 01 61 c00c 00000001 00000e10 00000258 00015180 0000003c")),
            "example.com. a.example.com. 1 3600 600 86400 60");
  EXPECT_EQ(text_of(Type::RP, hex("c00c 00")), "example.com. .");
}

TEST(RdataText, Strings) {
  EXPECT_EQ(text_of(Type::TXT, hex("05") + octets("a \"b\"") + hex("00 02 00ff")),
            "\"a \\\"b\\\"\" \"\" \"\\000\\255\"");
  EXPECT_EQ(text_of(Type::HINFO, hex("07") + octets("RFC8482") + hex("00")), "\"RFC8482\" \"\"");
  // RFC 3403 6.1.
  EXPECT_EQ(
      text_of(Type::NAPTR, hex("0064 0032 01") + octets("a") + hex("08") + octets("z3950+N2") + hex("00 00")),
      "100 50 \"a\" \"z3950+N2\" \"\" .");
}

TEST(RdataText, Caa) {  // RFC 8659 4.1.1
  EXPECT_EQ(text_of(Type::CAA, hex("00 05") + octets("issueca1.example.net")), "0 issue \"ca1.example.net\"");
  EXPECT_EQ(text_of(Type::CAA, hex("80 03") + octets("tbsUnknown")), "128 tbs \"Unknown\"");
  EXPECT_EQ(text_of(Type::CAA, hex("00 02") + octets("a;x")),
            "\\# 5 0002613B78");  // tag is not letters and digits
}

// RFC 4034 2.3 and 5.4.
TEST(RdataText, DsAndDnskey) {
  EXPECT_EQ(text_of(Type::DS, hex("ec45 05 01 2BB183AF5F22588179A53B0A98631FAD1A292118")),
            "60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118");
  EXPECT_EQ(text_of(Type::DNSKEY, hex("0100 03 05 01 03 d2")), "256 3 5 AQPS");
  EXPECT_EQ(text_of(Type::CDS, hex("0000 00 00 00")), "0 0 0 00");  // RFC 8078 4
}

// RFC 4034 3.3.
TEST(RdataText, Rrsig) {
  const Octets rdata =
      hex("0001 05 03 00015180 3e80ce37 3e594137 0a52") + wire("example.com.") + hex("a0905c");
  EXPECT_EQ(text_of(Type::RRSIG, rdata), "A 5 3 86400 20030325214631 20030223214631 2642 example.com. oJBc");
}

// RFC 4034 4.3: A MX RRSIG NSEC TYPE1234.
TEST(RdataText, Nsec) {
  const Octets rdata = wire("host.example.com.") + hex("0006 400100000003 041b") + Octets(26) + hex("20");
  EXPECT_EQ(text_of(Type::NSEC, rdata), "host.example.com. A MX RRSIG NSEC TYPE1234");
}

TEST(RdataText, Nsec3) {
  // RFC 5155 appendix A: the first record of the example.
  const Octets rdata =
      hex("01 01 000c 04 aabbccdd 14 174eb2409fe28bcb4887a1836f957f0a8425e27b 0007 220100000002 90");
  EXPECT_EQ(text_of(Type::NSEC3, rdata),
            "1 1 12 AABBCCDD 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR NS SOA MX RRSIG DNSKEY NSEC3PARAM");
  EXPECT_EQ(text_of(Type::NSEC3PARAM, hex("01 00 0000 00")), "1 0 0 -");
  // No types: an empty non-terminal.
  EXPECT_EQ(text_of(Type::NSEC3, hex("01 00 0000 00 01 ff")), "1 0 0 - VS");
}

TEST(RdataText, OtherFixedForms) {
  EXPECT_EQ(text_of(Type::TLSA, hex("03 01 01 abcd")), "3 1 1 ABCD");
  EXPECT_EQ(text_of(Type::SSHFP, hex("02 01 123456")), "2 1 123456");
  EXPECT_EQ(text_of(Type::EUI48, hex("00 00 5e 00 53 2a")), "00-00-5E-00-53-2A");
  EXPECT_EQ(text_of(Type::URI, hex("000a 0001") + octets("ftp://a/")), "10 1 \"ftp://a/\"");
  EXPECT_EQ(text_of(Type::CSYNC, hex("00000042 0003 0004 60000008")), "66 3 A NS AAAA");  // RFC 7477 2.1.2
  EXPECT_EQ(text_of(Type::HTTPS, hex("0001 00 0001 0003 02 6832")), "1 . alpn=\"h2\"");
}

TEST(RdataText, WhatDoesNotFitComesAsOctets) {
  EXPECT_EQ(text_of(Type::A, hex("c00002")), "\\# 3 C00002");
  EXPECT_EQ(text_of(Type::A, hex("c0000201"), Class::CH), "\\# 4 C0000201");
  EXPECT_EQ(text_of(Type::A, {}), "\\# 0");
  EXPECT_EQ(text_of(static_cast<Type>(65280), hex("abcd")), "\\# 2 ABCD");  // RFC 3597 5
  EXPECT_EQ(text_of(Type::NS, hex("00 00")), "\\# 2 0000");                 // something behind the name
  EXPECT_EQ(text_of(Type::NS, hex("c0ff")), "\\# 2 C0FF");
  EXPECT_EQ(text_of(Type::TXT, {}), "\\# 0");
  EXPECT_EQ(text_of(Type::TXT, hex("05 61")), "\\# 2 0561");
  EXPECT_EQ(text_of(Type::DS, hex("0001 05 01")), "\\# 4 00010501");  // no digest
  EXPECT_EQ(text_of(Type::NSEC, hex("00 0000")), "\\# 3 000000");     // a window without octets
  EXPECT_EQ(text_of(Type::NSEC, hex("00 0021") + Octets(33)), "\\# 36 000021" + std::string(66, '0'));
  EXPECT_EQ(text_of(Type::NSEC, hex("00 0101 40 0001 40")), "\\# 7 00010140000140");  // windows descend
  EXPECT_EQ(text_of(Type::EUI48, hex("0000")), "\\# 2 0000");
  EXPECT_EQ(text_of(Type::RRSIG, Octets(18) + hex("c00c 00")), "\\# 21 " + std::string(36, '0') + "C00C00");
}

TEST(RdataText, EveryCutOfEveryFormHasAText) {
  const std::pair<Type, Octets> forms[] = {
      {Type::SOA, hex("c00c 01 61 c00c 00000001 00000e10 00000258 00015180 0000003c")},
      {Type::RRSIG, hex("0001 05 03 00015180 3e80cdf7 3e5940f7 0a52") + wire("example.com.")},
      {Type::NSEC3, hex("01 01 000c 04 aabbccdd 14 174eb2409fe28bcb4887a1836f957f0a8425e27b")},
      {Type::NAPTR, hex("0064 0032 01 61 00 00 00")},
      {Type::AAAA, Octets(16)},
      {Type::CAA, hex("00 05") + octets("issue")},
  };
  for (const auto& [type, rdata] : forms) {
    for (std::size_t size = 0; size < rdata.size(); ++size) {
      const Octets cut(rdata.begin(), rdata.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_EQ(text_of(type, cut).substr(0, 2), "\\#") << to_text(type) << " " << size;
    }
  }
}

}  // namespace
}  // namespace swarmdns::dns
