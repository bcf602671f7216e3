#include "proto/dns/svcb_text.h"

#include <gtest/gtest.h>

#include "tests/unit/proto/dns/helpers.h"

namespace swarmdns::dns {
namespace {

using test::hex;
using test::octets;

// RFC 9460 appendix D.
TEST(SvcbText, VectorsOfRfc9460) {
  EXPECT_EQ(svc_params_to_text({}), "");
  EXPECT_EQ(svc_params_to_text(hex("0003 0002 0035")), " port=53");
  EXPECT_EQ(svc_params_to_text(hex("029b 0005") + octets("hello")), " key667=\"hello\"");
  EXPECT_EQ(svc_params_to_text(hex("029b 0009 68656c6c6f d2 716f6f")), " key667=\"hello\\210qoo\"");
  EXPECT_EQ(
      svc_params_to_text(hex("0006 0020 20010db8000000000000000000000001 20010db8000000000000000000530001")),
      " ipv6hint=2001:db8::1,2001:db8::53:1");
  EXPECT_EQ(svc_params_to_text(hex("0006 0010 20010db8012203440000000000c00221")),
            " ipv6hint=2001:db8:122:344::c0:221");
  EXPECT_EQ(
      svc_params_to_text(hex("0000 0004 0001 0004  0001 0009 02 6832 05 68332d3139  0004 0004 c0000201")),
      " mandatory=alpn,ipv4hint alpn=\"h2,h3-19\" ipv4hint=192.0.2.1");
  EXPECT_EQ(svc_params_to_text(hex("0001 000c 08 66 5c 6f 6f 2c 62 61 72 02 68 32")),
            " alpn=\"f\\\\\\\\oo\\\\,bar,h2\"");
}

TEST(SvcbText, OtherKeys) {
  EXPECT_EQ(svc_params_to_text(hex("0001 0003 02 6832 0002 0000 0005 0003 000102")),
            " alpn=\"h2\" no-default-alpn ech=AAEC");
  EXPECT_EQ(svc_params_to_text(hex("0007 0010") + octets("/dns-query{?dns}") + hex("0008 0000")),
            " dohpath=\"/dns-query{?dns}\" ohttp");
  EXPECT_EQ(svc_params_to_text(hex("ffff 0000")), " key65535");
}

TEST(SvcbText, RefusesMalformedParameters) {
  for (const char* bad : {
           "00",                                 // half a key
           "0003 0002 00",                       // value cut
           "0003 0002",                          // no value
           "0003 0003 000000",                   // port of three octets
           "0003 0002 0035 0003 0002 0035",      // the same key twice
           "0004 0004 c0000201 0003 0002 0035",  // keys descend
           "0001 0000",                          // alpn without ids
           "0001 0001 00",                       // an empty id
           "0001 0002 05 61",                    // an id cut
           "0000 0000",
           "0000 0001 00",  // mandatory: empty, odd
           "0002 0001 00",  // no-default-alpn with a value
           "0004 0000",
           "0004 0005 0000000000",
           "0006 0004 00000000",
           "0005 0000",
           "0008 0001 00",
       }) {
    EXPECT_FALSE(svc_params_to_text(hex(bad))) << bad;
  }
}

}  // namespace
}  // namespace swarmdns::dns
