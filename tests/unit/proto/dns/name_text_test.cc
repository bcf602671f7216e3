#include "proto/dns/name_text.h"

#include <gtest/gtest.h>

#include "tests/unit/proto/dns/helpers.h"

namespace swarmdns::dns {
namespace {

using test::hex;
using test::name;

TEST(NameText, PlainNames) {
  EXPECT_EQ(to_text(NameView()), ".");
  EXPECT_EQ(to_text(name("example.com")), "example.com.");
  EXPECT_EQ(to_text(name("example.com.")), "example.com.");
  EXPECT_EQ(to_text(name("_sip._udp.Example.")), "_sip._udp.Example.");
  EXPECT_EQ(name(".").size(), 1U);
}

TEST(NameText, SpecialOctetsAreEscaped) {
  const auto raw = hex("09 61 2e 62 5c 00 20 7f ff 40 01 24 00");
  const auto view = NameView::parse(raw);
  ASSERT_TRUE(view);
  EXPECT_EQ(to_text(*view), "a\\.b\\\\\\000\\032\\127\\255\\@.\\$.");
  EXPECT_TRUE(identical(name(to_text(*view)), *view));
}

TEST(NameText, EscapesAreRead) {
  EXPECT_EQ(label_to_text(*name("a\\.b.c").view().labels().begin()), "a\\.b");
  EXPECT_EQ(name("\\097\\098."), name("ab."));
  EXPECT_EQ(name("\\a.").label_count(), 1U);
  EXPECT_EQ(name("x\\046y.").label_count(), 1U);  // an escaped dot does not cut
}

TEST(NameText, RefusesBadText) {
  EXPECT_EQ(name_from_text("").error(), Error::EmptyLabel);
  EXPECT_EQ(name_from_text("..").error(), Error::EmptyLabel);
  EXPECT_EQ(name_from_text(".com").error(), Error::EmptyLabel);
  EXPECT_EQ(name_from_text("a..b").error(), Error::EmptyLabel);
  EXPECT_EQ(name_from_text("a\\").error(), Error::BadEscape);
  EXPECT_EQ(name_from_text("a\\25").error(), Error::BadEscape);
  EXPECT_EQ(name_from_text("a\\256").error(), Error::BadEscape);
  EXPECT_EQ(name_from_text("a\\2x5").error(), Error::BadEscape);
}

TEST(NameText, LimitsOfLabelAndName) {
  const std::string l63(63, 'a');
  const std::string l61(61, 'a');
  EXPECT_EQ(name_from_text(l63)->size(), 65U);
  EXPECT_EQ(name_from_text(l63 + "a").error(), Error::LabelTooLong);
  const std::string longest = l63 + "." + l63 + "." + l63 + "." + l61;
  EXPECT_EQ(name_from_text(longest)->size(), 255U);
  EXPECT_EQ(name_from_text(longest + ".")->size(), 255U);
  EXPECT_EQ(name_from_text(longest + "a").error(), Error::NameTooLong);
  EXPECT_EQ(name_from_text(longest + ".a").error(), Error::NameTooLong);
  EXPECT_EQ(name_from_text(longest + "..").error(), Error::EmptyLabel);
  std::string many;
  for (int i = 0; i < 127; ++i) many += "a.";
  EXPECT_EQ(name_from_text(many)->label_count(), 127U);
  EXPECT_EQ(name_from_text(many + "a").error(), Error::NameTooLong);
  // Escapes count as the octets they stand for.
  std::string escaped;
  for (int i = 0; i < 63; ++i) escaped += "\\000";
  EXPECT_EQ(name_from_text(escaped)->size(), 65U);
}

TEST(NameText, RandomNamesSurviveTheRoundTrip) {
  test::Random random(11);
  for (int i = 0; i < 5000; ++i) {
    const Name n = test::random_name(random);
    const auto back = name_from_text(to_text(n));
    ASSERT_TRUE(back) << to_text(n);
    EXPECT_TRUE(identical(*back, n)) << to_text(n);
  }
}

TEST(NameText, ReverseNames) {
  EXPECT_EQ(to_text(*reverse_name_from_text("192.0.2.1")), "1.2.0.192.in-addr.arpa.");
  EXPECT_EQ(to_text(*reverse_name_from_text("255.255.255.255")), "255.255.255.255.in-addr.arpa.");
  // RFC 3596 2.5.
  EXPECT_EQ(to_text(*reverse_name_from_text("4321:0:1:2:3:4:567:89ab")),
            "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa.");
  EXPECT_EQ(reverse_name_from_text("192.0.2").error(), Error::BadAddress);
  EXPECT_EQ(reverse_name_from_text("").error(), Error::BadAddress);
  EXPECT_EQ(reverse_name_from_text("1.2.3.256").error(), Error::BadAddress);
  EXPECT_EQ(reverse_name_from_text("2001:db8::1::").error(), Error::BadAddress);
}

}  // namespace
}  // namespace swarmdns::dns
