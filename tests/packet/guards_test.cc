// ACL and rate limit through the whole pipeline.
#include <gtest/gtest.h>

#include "tests/packet/harness/node.h"

namespace swarmdns::test {
namespace {

using guard::AclAction;
using stats::Counter;

MessageBuilder ask() {
  return MessageBuilder().question("example.com.", kA);
}
MessageBuilder reply(unsigned flags) {
  return MessageBuilder().with_flags(flags).question("example.com.", kA);
}
MessageBuilder answered() {
  return reply(0x8180).record(1, hex("c00c"), kA, kIn, 300, hex("c0000201"));
}

guard::AclRule rule(const char* prefix, AclAction action) {
  return {*guard::Prefix::parse(prefix), action};
}

FrameBuilder from(const char* source, const MessageBuilder& message) {
  FrameBuilder frame = std::string_view(source).find(':') == std::string_view::npos
                           ? over_ipv4(message.build())
                           : over_ipv6(message.build());
  frame.source = source;
  return frame;
}

TEST(Acl, ThreeActions) {
  Node node;
  node.store(answered());
  const guard::AclRule rules[] = {
      rule("10.53.0.0/16", AclAction::Allow), rule("10.53.66.0/24", AclAction::Deny),
      rule("2001:db8:1::/48", AclAction::Allow), rule("2001:db8:1:66::/64", AclAction::Deny)};
  node.policy.acl = guard::Acl::build(rules, AclAction::Refuse);
  const Octets refused_edns = reply(0x8185).opt(1232, false, option(15, hex("0012"))).build();
  for (const char* client : {"10.53.1.100", "2001:db8:1::77"})
    expect_reply(node, from(client, ask()), answered().build());
  for (const char* client : {"10.53.66.1", "2001:db8:1:66::1"}) {
    expect_drop(node, from(client, ask()).build(), Counter::DropAcl);
  }
  for (const char* client : {"10.54.0.1", "192.0.2.1", "2001:db8:2::1"}) {
    expect_reply(node, from(client, ask()), reply(0x8185).build());
    expect_reply(node, from(client, ask().opt()), refused_edns);
  }
}

// Who may not ask causes no miss either.
TEST(Acl, RefusedCausesNoMiss) {
  Node node;
  node.policy.acl = guard::Acl::build({}, AclAction::Refuse);
  EXPECT_FALSE(node.receive(from("192.0.2.1", ask()).build()).miss);
}

struct RateLimitTest : testing::Test {
  RateLimitTest() {
    node.store(answered());
    node.policy.rate_limiter =
        guard::RateLimiter::create({.responses_per_second = 10, .prefix_scale = 1000, .slip = 2});
  }
  // Sends until the first one that is not answered in full.
  void exhaust(const char* client) {
    for (unsigned i = 0; i < 100; ++i) {
      const Node::Result result = node.receive(from(client, ask()).build());
      if (result.fate == worker::Fate::Gone || result.counted.count(name(Counter::RateLimitSlipped)) != 0)
        return;
    }
    FAIL() << "never limited";
  }
  static std::string name(Counter counter) { return std::string(stats::name(counter)); }
  Node node;
};

TEST_F(RateLimitTest, DropsAndSlips) {
  exhaust("10.53.1.100");
  unsigned slipped = 0;
  unsigned dropped = 0;
  for (unsigned i = 0; i < 20; ++i) {
    const FrameBuilder query = from("10.53.1.100", ask());
    const Node::Result result = node.receive(query.build());
    if (result.fate == worker::Fate::Reply) {
      const ReplyCheck check = check_reply(query, result.reply);
      EXPECT_EQ(check.fault, "");
      EXPECT_EQ(to_hex(check.message), to_hex(reply(0x8380).build()));  // TC, empty: come by TCP
      EXPECT_EQ(result.counted.count(name(Counter::RateLimitSlipped)), 1U);
      ++slipped;
    } else {
      EXPECT_EQ(result.counted.count(name(Counter::DropRateLimited)), 1U);
      ++dropped;
    }
  }
  EXPECT_EQ(slipped, 10U);
  EXPECT_EQ(dropped, 10U);
}

TEST_F(RateLimitTest, ErrorsAreLimitedToo) {
  exhaust("10.53.1.100");
  unsigned full = 0;
  for (unsigned i = 0; i < 20; ++i) {
    const Node::Result result = node.receive(from("10.53.1.100", MessageBuilder()).build());
    full += result.fate == worker::Fate::Reply && result.counted.count(name(Counter::RateLimitSlipped)) == 0
                ? 1
                : 0;
  }
  EXPECT_EQ(full, 0U);
}

TEST_F(RateLimitTest, OthersGoOn) {
  exhaust("10.53.1.100");
  expect_reply(node, from("10.53.1.101", ask()), answered().build());
  expect_reply(node, from("2001:db8:1::77", ask()), answered().build());
}

TEST_F(RateLimitTest, ExemptPrefixes) {
  node.policy.rate_limit_exempt = {*guard::Prefix::parse("10.53.1.0/24")};
  for (unsigned i = 0; i < 100; ++i) expect_reply(node, from("10.53.1.100", ask()), answered().build());
}

TEST_F(RateLimitTest, AValidCookieExempts) {
  node.policy.cookies = std::make_shared<guard::Cookies>(std::vector{guard::CookieSecret{}}, false);
  const Octets client_cookie = hex("0102030405060708");
  const auto with_cookie = [](const Octets& cookie) { return ask().opt(1232, false, option(10, cookie)); };
  const FrameBuilder first = from("10.53.1.100", with_cookie(client_cookie));
  const ReplyCheck check = check_reply(first, node.receive(first.build()).reply);
  ASSERT_EQ(check.fault, "");
  const Octets cookie(check.message.end() - 24, check.message.end());
  exhaust("10.53.1.100");
  for (unsigned i = 0; i < 50; ++i) {
    expect_reply(node, from("10.53.1.100", with_cookie(cookie)),
                 answered().opt(1232, false, option(10, cookie)).build());
  }
  // A forged one does not.
  Octets forged = cookie;
  forged.back() ^= std::byte{1};
  unsigned full = 0;
  for (unsigned i = 0; i < 20; ++i) {
    const Node::Result result = node.receive(from("10.53.1.100", with_cookie(forged)).build());
    full += result.fate == worker::Fate::Reply && result.counted.count(name(Counter::RateLimitSlipped)) == 0
                ? 1
                : 0;
  }
  EXPECT_EQ(full, 0U);
}

}  // namespace
}  // namespace swarmdns::test
