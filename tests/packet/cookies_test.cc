// DNS cookies through the whole pipeline: RFC 7873, RFC 9018.
#include <gtest/gtest.h>

#include "tests/packet/harness/node.h"

namespace swarmdns::test {
namespace {

const Octets kClientCookie = hex("2464c4abcf10c957");
// RFC 9018 Appendix A.1: for 198.51.100.100 at 1559731985.
const Octets kServerCookie = hex("010000005cf79f111f8130c3eee29480");
constexpr std::uint32_t kThen = 1559731985;

struct CookiesTest : testing::Test {
  CookiesTest() {
    node.store(answered());
    require(false);
    node.moment.wall_s = kThen;
  }
  void require(bool required) {
    const Octets text = hex("e5e973e5a6b2a43f48e7dc849e37bfcf");
    guard::CookieSecret secret{};
    for (std::size_t i = 0; i < secret.size(); ++i) secret[i] = std::to_integer<std::uint8_t>(text[i]);
    node.policy.cookies = std::make_shared<guard::Cookies>(std::vector{secret}, required);
  }
  static MessageBuilder ask(const Octets& cookie) {
    return MessageBuilder().question("example.com.", kA).opt(1232, false, option(10, cookie));
  }
  static MessageBuilder reply(unsigned flags) {
    return MessageBuilder().with_flags(flags).question("example.com.", kA);
  }
  static MessageBuilder answered() {
    return reply(0x8180).record(1, hex("c00c"), kA, kIn, 300, hex("c0000201"));
  }
  static Octets full() { return option(10, join({kClientCookie, kServerCookie})); }
  static FrameBuilder from_client(const MessageBuilder& message) {
    FrameBuilder frame = over_ipv4(message.build());
    frame.source = "198.51.100.100";
    return frame;
  }
  Node node;
};

TEST_F(CookiesTest, ClientCookieAloneGetsAServerCookie) {
  expect_reply(node, from_client(ask(kClientCookie)), answered().opt(1232, false, full()).build());
}

TEST_F(CookiesTest, GoodCookieComesBack) {
  expect_reply(node, from_client(ask(join({kClientCookie, kServerCookie}))),
               answered().opt(1232, false, full()).build());
}

TEST_F(CookiesTest, BadCookieIsAnsweredWithANewOne) {
  expect_reply(node, from_client(ask(join({kClientCookie, Octets(16)}))),
               answered().opt(1232, false, full()).build());
  expect_reply(node, from_client(ask(join({kClientCookie, Octets(32)}))),
               answered().opt(1232, false, full()).build());
}

TEST_F(CookiesTest, OldCookieIsRenewed) {
  node.moment.wall_s = kThen + 2400;
  expect_reply(
      node, from_client(ask(join({kClientCookie, kServerCookie}))),
      answered()
          .opt(1232, false, option(10, join({kClientCookie, hex("010000005cf7a871d4a564a1442aca77")})))
          .build());
}

TEST_F(CookiesTest, WithoutACookieNoneIsSent) {
  expect_reply(node, from_client(MessageBuilder().question("example.com.", kA).opt()),
               answered().opt().build());
  expect_reply(node, from_client(MessageBuilder().question("example.com.", kA)), answered().build());
}

TEST_F(CookiesTest, Required) {
  require(true);
  // BADCOOKIE is 23: 7 in the header, 1 in OPT.
  expect_reply(node, from_client(ask(kClientCookie)), reply(0x8187).opt(1232, false, full(), 0, 1).build());
  expect_reply(node, from_client(ask(join({kClientCookie, Octets(16)}))),
               reply(0x8187).opt(1232, false, full(), 0, 1).build());
  expect_reply(node, from_client(ask(join({kClientCookie, kServerCookie}))),
               answered().opt(1232, false, full()).build());
  // Without a cookie: come by TCP.
  expect_reply(node, from_client(MessageBuilder().question("example.com.", kA)), reply(0x8380).build());
  const Node::Result result = node.receive(from_client(ask(kClientCookie)).build());
  EXPECT_EQ(result.counted.count(std::string(stats::name(stats::Counter::RcodeBadCookie))), 1U);
}

TEST_F(CookiesTest, Probe) {
  const auto probe = [](const Octets& cookie) {
    return MessageBuilder().opt(1232, false, option(10, cookie));
  };
  const auto bare = [](unsigned flags) { return MessageBuilder().with_flags(flags); };
  expect_reply(node, from_client(probe(kClientCookie)), bare(0x8180).opt(1232, false, full()).build());
  expect_reply(node, from_client(probe(join({kClientCookie, kServerCookie}))),
               bare(0x8180).opt(1232, false, full()).build());
  expect_reply(node, from_client(probe(join({kClientCookie, Octets(16)}))),
               bare(0x8187).opt(1232, false, full(), 0, 1).build());
  expect_reply(node, from_client(MessageBuilder().opt()), bare(0x8181).opt().build());
  node.policy.cookies.reset();
  expect_reply(node, from_client(probe(kClientCookie)), bare(0x8181).opt().build());
}

TEST_F(CookiesTest, MalformedCookie) {
  for (const std::size_t length : {0U, 7U, 9U, 15U, 41U}) {
    expect_reply(node, from_client(ask(Octets(length))), reply(0x8181).build());
  }
}

TEST_F(CookiesTest, Off) {
  node.policy.cookies.reset();
  expect_reply(node, from_client(ask(kClientCookie)), answered().opt().build());
}

TEST_F(CookiesTest, Verdicts) {
  const auto counted = [this](const Octets& cookie) {
    return node.receive(from_client(ask(cookie)).build()).counted;
  };
  const auto name = [](stats::Counter counter) { return std::string(stats::name(counter)); };
  EXPECT_EQ(counted(kClientCookie).count(name(stats::Counter::CookieOnlyClient)), 1U);
  EXPECT_EQ(counted(join({kClientCookie, kServerCookie})).count(name(stats::Counter::CookieValid)), 1U);
  EXPECT_EQ(counted(join({kClientCookie, Octets(16)})).count(name(stats::Counter::CookieInvalid)), 1U);
}

}  // namespace
}  // namespace swarmdns::test
