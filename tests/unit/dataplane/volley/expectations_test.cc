#include "dataplane/volley/expectations.h"

#include <gtest/gtest.h>

#include "dataplane/volley/rdata_parse.h"
#include "tests/unit/dataplane/volley/support.h"

namespace swarmdns::volley {
namespace {

using test::hex;

std::string wire(dns::Type type, std::string_view text) {
  const auto words = words_of(text);
  const auto rdata = parse_rdata(type, words);
  return rdata ? test::to_hex(*rdata) : "error: " + rdata.error();
}

TEST(RdataParse, WritesTheTypesItKnows) {
  EXPECT_EQ(wire(dns::Type::A, "192.0.2.1"), "c0 00 02 01");
  EXPECT_EQ(wire(dns::Type::AAAA, "2001:db8::1"), test::to_hex(test::address("2001:db8::1")));
  EXPECT_EQ(wire(dns::Type::CNAME, "a.b"), "01 61 01 62 00");
  EXPECT_EQ(wire(dns::Type::MX, "10 a."), "00 0a 01 61 00");
  EXPECT_EQ(wire(dns::Type::SRV, "1 2 3 a."), "00 01 00 02 00 03 01 61 00");
  EXPECT_EQ(wire(dns::Type::TXT, "\"a b\" c \"\" \"\\\"\\065\""), "03 61 20 62 01 63 00 02 22 41");
  EXPECT_EQ(wire(dns::Type::CAA, "0 issue \"x\""), "00 05 69 73 73 75 65 78");
  EXPECT_EQ(wire(dns::Type::SOA, "a. b. 1 2 3 4 5").substr(0, 20), "01 61 00 01 62 00 00");
  EXPECT_EQ(wire(static_cast<dns::Type>(65280), "\\# 3 01 02fF"), "01 02 ff");
  EXPECT_EQ(wire(dns::Type::A, "\\# 4 c0000201"), "c0 00 02 01");
}

TEST(RdataParse, SaysWhatIsWrong) {
  EXPECT_EQ(wire(dns::Type::A, "2001:db8::1"), "error: \"2001:db8::1\" is no IPv4 address");
  EXPECT_EQ(wire(dns::Type::A, "192.0.2.1 x"), "error: \"x\" is one field too many");
  EXPECT_EQ(wire(dns::Type::MX, "70000 a."), "error: \"70000\" is no number from 0 to 65535");
  EXPECT_EQ(wire(dns::Type::MX, "1"), "error: a name is missing");
  EXPECT_NE(wire(dns::Type::DNSKEY, "257 3 13 x").find("\\# LENGTH HEX"), std::string::npos);
  EXPECT_NE(wire(dns::Type::TXT, "\\# 2 01").find("2 octets are announced"), std::string::npos);
  EXPECT_NE(wire(dns::Type::TXT, "\\# 1 0g").find("hexadecimal"), std::string::npos);
  EXPECT_NE(wire(dns::Type::TXT, "\"\\999\"").find("error"), std::string::npos);
}

TEST(Expectations, FindQuestionsWhateverTheirCase) {
  const auto list = support::list_of("WWW.example. A\nother.example. A\nwww.example. AAAA\n");
  const auto expected = Expectations::parse(
      "www.EXAMPLE A NOERROR 192.0.2.1\nwww.example A NOERROR 192.0.2.2 | 192.0.2.3\n"
      "www.example. AAAA NOERROR -\nnot.there. A NXDOMAIN\n",
      "e", list);
  ASSERT_TRUE(expected) << expected.error();
  EXPECT_EQ(expected->covered(), 2U);
  EXPECT_EQ(expected->unused(), 1U);
  EXPECT_TRUE(expected->of(0).known);
  EXPECT_EQ(expected->of(0).records.count, 3U);
  EXPECT_FALSE(expected->of(1).known);
  EXPECT_TRUE(expected->of(2).with_records);
  EXPECT_EQ(expected->of(2).records.count, 0U);
}

TEST(Expectations, NameTheLineThatIsWrong) {
  const auto list = support::list_of("a. A\n");
  const auto error = [&](std::string_view text) {
    const auto parsed = Expectations::parse(text, "e", list);
    return parsed ? std::string("none") : parsed.error();
  };
  EXPECT_EQ(error("a. A\n").substr(0, 4), "e:1:");
  EXPECT_NE(error("a. A NOERROR 1.2.3.4 |\n").find("behind the last"), std::string::npos);
  EXPECT_NE(error("a. A NOERROR 1.2.3.4\na. A NXDOMAIN\n").find("another response code"), std::string::npos);
  EXPECT_NE(error("a. A FINE\n").find("FINE"), std::string::npos);
  EXPECT_NE(error("\n").find("no expectation"), std::string::npos);
}

TEST(Expectations, RecordsAreASetWithoutOrderAndCase) {
  const auto sum_of = [](std::initializer_list<test::Octets> rdatas) {
    RecordSum sum;
    for (const auto& rdata : rdatas) EXPECT_TRUE(add_rdata(dns::Type::MX, rdata, sum));
    return sum;
  };
  const auto a = hex("000a 0161 0378797a 00");
  const auto same = hex("000a 0141 0358595a 00");
  const auto b = hex("0014 0162 00");
  EXPECT_EQ(sum_of({a, b}), sum_of({b, same}));
  EXPECT_NE(sum_of({a}), sum_of({a, b}));
  EXPECT_NE(sum_of({a, a}), sum_of({b, b}));
  EXPECT_NE(sum_of({a, a}), sum_of({a}));
  RecordSum sum;
  EXPECT_FALSE(add_rdata(dns::Type::MX, hex("000a"), sum));
  EXPECT_FALSE(add_rdata(dns::Type::MX, hex("000a 05 61"), sum));
}

}  // namespace
}  // namespace swarmdns::volley
