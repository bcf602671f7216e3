#include "proto/config/formats.h"

#include <gtest/gtest.h>

namespace swarmdns::config {
namespace {

struct Case {
  v1::Format format;
  const char* text;
  bool good;
};

class FormatTest : public ::testing::TestWithParam<Case> {};

TEST_P(FormatTest, Judges) {
  const Case& c = GetParam();
  EXPECT_EQ(!format_problem(c.format, c.text).has_value(), c.good) << format_text(c.format) << ": " << c.text;
}

INSTANTIATE_TEST_SUITE_P(
    Table, FormatTest,
    ::testing::Values(
        Case{v1::HOST_LABEL, "n1", true}, Case{v1::HOST_LABEL, "", false}, Case{v1::HOST_LABEL, "-a", false},
        Case{v1::HOST_LABEL, "a-", false}, Case{v1::HOST_LABEL, "N1", false},
        Case{v1::HOST_LABEL, "a.b", false},
        Case{v1::HOST_LABEL, "a23456789012345678901234567890123456789012345678901234567890123", true},
        Case{v1::HOST_LABEL, "a234567890123456789012345678901234567890123456789012345678901234", false},
        Case{v1::ABSOLUTE_PATH, "/var/lib", true}, Case{v1::ABSOLUTE_PATH, "var", false},
        Case{v1::ABSOLUTE_PATH, "/a\nb", false}, Case{v1::USER_NAME, "_apt", true},
        Case{v1::USER_NAME, "0day", false}, Case{v1::USER_NAME, "a b", false},
        Case{v1::IP_ADDRESS, "::1", true}, Case{v1::IP_ADDRESS, "10.0.0.256", false},
        Case{v1::IP_ADDRESS, "10.0.0.1/24", false}, Case{v1::IPV4_ADDRESS, "::1", false},
        Case{v1::IPV6_ADDRESS, "10.0.0.1", false}, Case{v1::IP_PREFIX, "0.0.0.0/0", true},
        Case{v1::IP_PREFIX, "::/0", true}, Case{v1::IP_PREFIX, "10.0.0.0/33", false},
        Case{v1::IP_PREFIX, "2001:db8::/129", false}, Case{v1::IP_PREFIX, "10.0.0.0/", false},
        Case{v1::IP_PREFIX, "10.0.0.0/-1", false}, Case{v1::IP_PREFIX, "10.0.0.0/+8", false},
        Case{v1::IP_INTERFACE, "10.53.1.1/24", true}, Case{v1::ADDRESS_PORT, "127.0.0.1@553", true},
        Case{v1::ADDRESS_PORT, "::1", true}, Case{v1::ADDRESS_PORT, "127.0.0.1@0", false},
        Case{v1::ADDRESS_PORT, "127.0.0.1@65536", false}, Case{v1::ADDRESS_PORT, "127.0.0.1:53", false},
        Case{v1::ADDRESS_PORT, "127.0.0.1@", false}, Case{v1::ROUTE, "0.0.0.0/0 via 10.0.0.1", true},
        Case{v1::ROUTE, "::/0 via 10.0.0.1", false}, Case{v1::ROUTE, "0.0.0.0/0", false},
        Case{v1::DEVICE, "0000:01:00.0", true}, Case{v1::DEVICE, "0000:01:00.8", false},
        Case{v1::DEVICE, "01:00.0", false}, Case{v1::DEVICE, "net_af_xdp0,iface=eth1", true},
        Case{v1::DEVICE, "eth1", false}, Case{v1::DEVICE, "net_null0 --no-huge", false},
        Case{v1::INTERFACE_NAME, "swtap0", true}, Case{v1::INTERFACE_NAME, "a234567890123456", false},
        Case{v1::INTERFACE_NAME, "..", false}, Case{v1::INTERFACE_NAME, "a/b", false},
        Case{v1::HEX_128, "00112233445566778899aabbccddeeff", true},
        Case{v1::HEX_128, "00112233445566778899aabbccddeefg", false}, Case{v1::HEX_128, "0011", false},
        Case{v1::DATE_TIME, "20201231235959", true}, Case{v1::DATE_TIME, "20201331235959", false},
        Case{v1::DATE_TIME, "2020123123595", false}, Case{v1::FILE_PREFIX, "n1", true},
        Case{v1::FILE_PREFIX, "a/b", false}, Case{v1::LINE, "a\nb", false},
        Case{v1::LINE, "num-threads: 1", true}, Case{v1::HOST_PORT, "ns1.example.net@8453", true},
        Case{v1::HOST_PORT, "ns1", true}, Case{v1::HOST_PORT, "2001:db8::1@8453", true},
        Case{v1::HOST_PORT, "10.54.0.2", true}, Case{v1::HOST_PORT, "10.54.0.256", false},
        Case{v1::HOST_PORT, "ns1:8453", false}, Case{v1::HOST_PORT, "ns1@0", false},
        Case{v1::HOST_PORT, "ns1@", false}, Case{v1::HOST_PORT, "@8453", false},
        Case{v1::HOST_PORT, "-ns1", false}, Case{v1::HOST_PORT, "ns1..net", false},
        Case{v1::DOMAIN_NAME, "corp.example", true}, Case{v1::DOMAIN_NAME, ".", true},
        Case{v1::DOMAIN_NAME, "", false}, Case{v1::DOMAIN_NAME, "a..b", false}));

TEST(FormatProblem, OffersTheMendForHostBits) {
  EXPECT_EQ(format_problem(v1::IP_PREFIX, "10.53.1.1/24"),
            "has bits set behind its length; write 10.53.1.0/24");
  EXPECT_EQ(format_problem(v1::IP_PREFIX, "2001:db8::1/32"),
            "has bits set behind its length; write 2001:db8::/32");
}

TEST(FormatProblem, OffersTheMendForAMissingLength) {
  EXPECT_EQ(format_problem(v1::IP_PREFIX, "10.53.1.1"), "has no length; write 10.53.1.1/32");
  EXPECT_EQ(format_problem(v1::IP_PREFIX, "::1"), "has no length; write ::1/128");
  EXPECT_EQ(format_problem(v1::IP_INTERFACE, "10.53.1.1"),
            "has no prefix length; write for example 10.53.1.1/24");
}

TEST(ParseAddress, RefusesEmbeddedNul) {
  EXPECT_FALSE(parse_address(std::string_view("10.0.0.1\0x", 10)));
}

TEST(ParseEndpoint, TakesTheDefaultPort) {
  EXPECT_EQ(parse_endpoint("192.0.2.1", 553)->port, 553);
  EXPECT_EQ(parse_endpoint("2001:db8::1@5300", 53)->port, 5300);
}

TEST(IsLoopback, CoversTheWholeOf127) {
  EXPECT_TRUE(is_loopback(*parse_address("127.9.9.9")));
  EXPECT_TRUE(is_loopback(*parse_address("::1")));
  EXPECT_FALSE(is_loopback(*parse_address("::2")));
  EXPECT_FALSE(is_loopback(*parse_address("128.0.0.1")));
}

}  // namespace
}  // namespace swarmdns::config
