#include "dataplane/guard/acl.h"

#include <gtest/gtest.h>

#include <random>

namespace swarmdns::guard {
namespace {

net::Address at(const char* text) {
  return *net::Address::parse(text);
}
AclRule rule(const char* prefix, AclAction action) {
  return {*Prefix::parse(prefix), action};
}

TEST(Acl, WithoutRulesTheDefaultHolds) {
  for (const AclAction action : {AclAction::Allow, AclAction::Deny, AclAction::Refuse}) {
    const auto acl = Acl::build({}, action);
    for (const char* text : {"0.0.0.0", "255.255.255.255", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}) {
      EXPECT_EQ(acl->check(at(text)), action);
    }
  }
}

TEST(Acl, LongestPrefixWins) {
  const AclRule rules[] = {rule("10.1.2.0/24", AclAction::Deny), rule("10.0.0.0/8", AclAction::Allow),
                           rule("10.1.2.3", AclAction::Refuse), rule("2001:db8::/32", AclAction::Allow),
                           rule("2001:db8:0:1::/64", AclAction::Deny)};
  const auto acl = Acl::build(rules, AclAction::Refuse);
  EXPECT_EQ(acl->check(at("9.255.255.255")), AclAction::Refuse);
  EXPECT_EQ(acl->check(at("10.0.0.0")), AclAction::Allow);
  EXPECT_EQ(acl->check(at("10.1.1.255")), AclAction::Allow);
  EXPECT_EQ(acl->check(at("10.1.2.0")), AclAction::Deny);
  EXPECT_EQ(acl->check(at("10.1.2.2")), AclAction::Deny);
  EXPECT_EQ(acl->check(at("10.1.2.3")), AclAction::Refuse);
  EXPECT_EQ(acl->check(at("10.1.2.4")), AclAction::Deny);
  EXPECT_EQ(acl->check(at("10.1.2.255")), AclAction::Deny);
  EXPECT_EQ(acl->check(at("10.1.3.0")), AclAction::Allow);
  EXPECT_EQ(acl->check(at("10.255.255.255")), AclAction::Allow);
  EXPECT_EQ(acl->check(at("11.0.0.0")), AclAction::Refuse);
  EXPECT_EQ(acl->check(at("2001:db8::1")), AclAction::Allow);
  EXPECT_EQ(acl->check(at("2001:db8:0:1:ffff::")), AclAction::Deny);
  EXPECT_EQ(acl->check(at("2001:db8:0:2::")), AclAction::Allow);
  EXPECT_EQ(acl->check(at("2001:db9::")), AclAction::Refuse);
}

TEST(Acl, FamiliesAreApart) {
  const AclRule any_v4[] = {rule("0.0.0.0/0", AclAction::Allow)};
  EXPECT_EQ(Acl::build(any_v4, AclAction::Deny)->check(at("192.0.2.1")), AclAction::Allow);
  EXPECT_EQ(Acl::build(any_v4, AclAction::Deny)->check(at("2001:db8::1")), AclAction::Deny);
  const AclRule any_v6[] = {rule("::/0", AclAction::Allow)};
  EXPECT_EQ(Acl::build(any_v6, AclAction::Deny)->check(at("192.0.2.1")), AclAction::Deny);
  EXPECT_EQ(Acl::build(any_v6, AclAction::Deny)->check(at("2001:db8::1")), AclAction::Allow);
}

TEST(Acl, OfEqualPrefixesTheLastHolds) {
  const AclRule rules[] = {rule("192.0.2.0/24", AclAction::Deny), rule("192.0.2.0/24", AclAction::Allow)};
  EXPECT_EQ(Acl::build(rules, AclAction::Refuse)->check(at("192.0.2.5")), AclAction::Allow);
}

TEST(Acl, LastAddressOfTheFamilies) {
  const AclRule rules[] = {rule("255.255.255.255", AclAction::Deny), rule("240.0.0.0/4", AclAction::Allow),
                           rule("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", AclAction::Deny)};
  const auto acl = Acl::build(rules, AclAction::Refuse);
  EXPECT_EQ(acl->check(at("255.255.255.255")), AclAction::Deny);
  EXPECT_EQ(acl->check(at("255.255.255.254")), AclAction::Allow);
  EXPECT_EQ(acl->check(at("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")), AclAction::Deny);
  EXPECT_EQ(acl->check(at("ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe")), AclAction::Refuse);
}

// Against the definition: the rule of the longest prefix that contains the address.
TEST(Acl, EqualsThePlainDefinition) {
  std::mt19937 random(7);
  for (unsigned round = 0; round < 40; ++round) {
    std::vector<AclRule> rules;
    for (unsigned i = 0; i < 60; ++i) {
      const bool v4 = random() % 2 == 0;
      net::Address address = v4 ? at("10.0.0.0") : at("2001:db8::");
      for (std::size_t octet = v4 ? 13 : 4; octet < 16; ++octet) {
        address.bytes[octet] =
            static_cast<std::uint8_t>(random() % 4 * 64);  // few values, so that prefixes nest
      }
      Prefix prefix{address, static_cast<std::uint8_t>(v4 ? 96 + random() % 33 : random() % 129)};
      for (unsigned bit = prefix.length; bit < 128; ++bit) {
        prefix.address.bytes[bit / 8] &= static_cast<std::uint8_t>(~(0x80U >> bit % 8));
      }
      if (!v4 && prefix.is_v4()) continue;
      rules.push_back({prefix, static_cast<AclAction>(random() % 3)});
    }
    const auto acl = Acl::build(rules, AclAction::Refuse);
    for (unsigned i = 0; i < 2000; ++i) {
      net::Address client = random() % 2 == 0 ? at("10.0.0.0") : at("2001:db8::");
      for (std::size_t octet = client.is_v4() ? 13 : 4; octet < 16; ++octet) {
        client.bytes[octet] = static_cast<std::uint8_t>(random() % 4 * 64 + random() % 3 - 1);
      }
      AclAction expected = AclAction::Refuse;
      int longest = -1;
      for (const AclRule& candidate : rules) {
        if (candidate.prefix.length >= longest && candidate.prefix.contains(client)) {
          longest = candidate.prefix.length;
          expected = candidate.action;
        }
      }
      ASSERT_EQ(acl->check(client), expected) << client.to_text();
    }
  }
}

TEST(Acl, DefaultsAreLoopbackAndConnected) {
  const Prefix connected[] = {*Prefix::parse("10.53.1.0/24"), *Prefix::parse("fd53:1::/64")};
  const auto acl = Acl::build(default_acl_rules(connected), AclAction::Refuse);
  for (const char* text : {"127.0.0.1", "127.255.0.1", "::1", "10.53.1.77", "fd53:1::77"}) {
    EXPECT_EQ(acl->check(at(text)), AclAction::Allow) << text;
  }
  for (const char* text : {"10.53.2.1", "fd53:2::1", "8.8.8.8", "::2"}) {
    EXPECT_EQ(acl->check(at(text)), AclAction::Refuse) << text;
  }
}

}  // namespace
}  // namespace swarmdns::guard
