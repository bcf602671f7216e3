#include "dataplane/guard/cookies.h"

#include <gtest/gtest.h>

#include "proto/dns/types.h"
#include "tests/packet/harness/message.h"

namespace swarmdns::guard {
namespace {

using dns::Action;
using test::hex;
using test::MessageBuilder;
using test::Octets;

CookieSecret secret(std::string_view text) {
  const Octets octets = hex(text);
  CookieSecret out{};
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = std::to_integer<std::uint8_t>(octets[i]);
  return out;
}

// A query with that COOKIE option (none when empty) from that client.
struct Asked {
  Octets buffer;
  dns::Query query;

  Asked(std::string_view cookie, const char* client, dns::Transport transport = dns::Transport::Udp,
        bool probe = false) {
    MessageBuilder message;
    if (!probe) message.question("example.com.", test::kA);
    message.opt(1232, false, cookie.empty() ? Octets{} : test::option(10, hex(cookie)));
    buffer = message.build();
    const auto length = static_cast<std::uint16_t>(buffer.size());
    buffer.resize(512);
    dns::parse_query(buffer, length, transport, query);
    query.source = *net::Address::parse(client);
  }
  [[nodiscard]] std::string reply_cookie() const {
    return test::to_hex(std::span(query.edns.client_cookie)) + " " +
           test::to_hex(std::span(query.reply_cookie));
  }
};

std::string spaced(std::string_view text) {
  const Octets octets = hex(text);
  const std::span all(octets);
  return test::to_hex(all.first(8)) + " " + test::to_hex(all.subspan(8));
}

constexpr char kClient[] = "198.51.100.100";
constexpr char kFirstSecret[] = "e5e973e5a6b2a43f48e7dc849e37bfcf";
constexpr char kFirstCookie[] = "2464c4abcf10c957010000005cf79f111f8130c3eee29480";

// RFC 9018 Appendix A.
TEST(Cookies, Rfc9018LearningANewServerCookie) {
  const Cookies cookies({secret(kFirstSecret)}, false);
  Asked asked("2464c4abcf10c957", kClient);
  EXPECT_EQ(cookies.check(asked.query, 1559731985), CookieVerdict::ClientOnly);
  EXPECT_TRUE(asked.query.server_cookie_due);
  EXPECT_FALSE(asked.query.cookie_valid);
  EXPECT_EQ(asked.reply_cookie(), spaced(kFirstCookie));
}

TEST(Cookies, Rfc9018RenewedForTheSameClient) {
  const Cookies cookies({secret(kFirstSecret)}, false);
  Asked asked(kFirstCookie, kClient);
  EXPECT_EQ(cookies.check(asked.query, 1559734385), CookieVerdict::Valid);
  EXPECT_TRUE(asked.query.cookie_valid);
  EXPECT_EQ(asked.reply_cookie(), spaced("2464c4abcf10c957010000005cf7a871d4a564a1442aca77"));
}

TEST(Cookies, Rfc9018ReservedBitsAreHashedAsReceived) {
  const Cookies cookies({secret(kFirstSecret)}, false);
  constexpr char kReserved[] = "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5";
  Asked young(kReserved, "203.0.113.203");
  EXPECT_EQ(cookies.check(young.query, 1559727985 + 60), CookieVerdict::Valid);
  // At the time of the RFC's example it is older than an hour; the new one has its reserved bits clear.
  Asked asked(kReserved, "203.0.113.203");
  EXPECT_EQ(cookies.check(asked.query, 1559734700), CookieVerdict::Invalid);
  EXPECT_EQ(asked.reply_cookie(), spaced("fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e"));
}

TEST(Cookies, Rfc9018RolledOverSecretWithIpv6) {
  const Cookies cookies(
      {secret("445536bcd2513298075a5d379663c962"), secret("dd3bdf9344b678b185a6f5cb60fca715")}, false);
  Asked asked("22681ab97d52c298010000005cf7c57926556bd0934c72f8", "2001:db8:220:1:59de:d0f4:8769:82b8");
  EXPECT_EQ(cookies.check(asked.query, 1559741961), CookieVerdict::Valid);
  EXPECT_EQ(asked.reply_cookie(), spaced("22681ab97d52c298010000005cf7c609a6bb79d16625507a"));
}

TEST(Cookies, SecretThatWasRetiredIsForgotten) {
  const Cookies cookies({secret("445536bcd2513298075a5d379663c962")}, false);
  Asked asked("22681ab97d52c298010000005cf7c57926556bd0934c72f8", "2001:db8:220:1:59de:d0f4:8769:82b8");
  EXPECT_EQ(cookies.check(asked.query, 1559741961), CookieVerdict::Invalid);
}

TEST(Cookies, AgeLimits) {
  const Cookies cookies({secret(kFirstSecret)}, false);
  constexpr std::uint32_t kMade = 1559731985;
  const auto verdict = [&](std::uint32_t now) {
    Asked asked(kFirstCookie, kClient);
    return cookies.check(asked.query, now);
  };
  EXPECT_EQ(verdict(kMade + 3600), CookieVerdict::Valid);
  EXPECT_EQ(verdict(kMade + 3601), CookieVerdict::Invalid);
  EXPECT_EQ(verdict(kMade - 300), CookieVerdict::Valid);
  EXPECT_EQ(verdict(kMade - 301), CookieVerdict::Invalid);
}

TEST(Cookies, YoungCookieComesBackAsItWas) {
  const Cookies cookies({secret(kFirstSecret)}, false);
  const auto reply = [&](std::uint32_t now) {
    Asked asked(kFirstCookie, kClient);
    EXPECT_EQ(cookies.check(asked.query, now), CookieVerdict::Valid);
    return asked.reply_cookie();
  };
  EXPECT_EQ(reply(1559731985 + 1800), spaced(kFirstCookie));
  EXPECT_NE(reply(1559731985 + 1801), spaced(kFirstCookie));
}

// Serial number arithmetic (RFC 1982): a cookie made just before 2106 is good just after.
TEST(Cookies, TimeWraps) {
  const Cookies cookies({secret(kFirstSecret)}, false);
  Asked first("2464c4abcf10c957", kClient);
  ASSERT_EQ(cookies.check(first.query, 0xffffff00), CookieVerdict::ClientOnly);
  Octets cookie = hex("2464c4abcf10c957");
  test::put(cookie, std::span(first.query.reply_cookie));
  Asked second(test::to_hex(cookie), kClient);
  EXPECT_EQ(cookies.check(second.query, 0x100), CookieVerdict::Valid);
}

TEST(Cookies, BoundToTheClient) {
  const Cookies cookies({secret(kFirstSecret)}, false);
  const auto verdict = [&](std::string_view cookie, const char* client) {
    Asked asked(cookie, client);
    return cookies.check(asked.query, 1559731985);
  };
  EXPECT_EQ(verdict(kFirstCookie, kClient), CookieVerdict::Valid);
  EXPECT_EQ(verdict(kFirstCookie, "198.51.100.101"), CookieVerdict::Invalid);
  EXPECT_EQ(verdict(kFirstCookie, "2001:db8::1"), CookieVerdict::Invalid);
  // Another client cookie, version 2, another hash, other lengths.
  EXPECT_EQ(verdict("2464c4abcf10c958010000005cf79f111f8130c3eee29480", kClient), CookieVerdict::Invalid);
  EXPECT_EQ(verdict("2464c4abcf10c957020000005cf79f111f8130c3eee29480", kClient), CookieVerdict::Invalid);
  EXPECT_EQ(verdict("2464c4abcf10c957010000005cf79f111f8130c3eee29481", kClient), CookieVerdict::Invalid);
  EXPECT_EQ(verdict("2464c4abcf10c957010000005cf79f11", kClient), CookieVerdict::Invalid);
  EXPECT_EQ(verdict("2464c4abcf10c957010000005cf79f111f8130c3eee2948000", kClient), CookieVerdict::Invalid);
  EXPECT_EQ(verdict("", kClient), CookieVerdict::None);
}

TEST(Cookies, NoCookieNoReplyCookie) {
  const Cookies cookies({secret(kFirstSecret)}, false);
  Asked asked("", kClient);
  EXPECT_EQ(cookies.check(asked.query, 1559731985), CookieVerdict::None);
  EXPECT_FALSE(asked.query.server_cookie_due);
}

TEST(CookieGuard, OffMeansThatNothingIsSent) {
  Asked asked(kFirstCookie, kClient);
  EXPECT_EQ(guard_cookies(nullptr, asked.query, 1559731985), CookieVerdict::None);
  EXPECT_EQ(asked.query.action, Action::Lookup);
  EXPECT_FALSE(asked.query.server_cookie_due);
  EXPECT_FALSE(asked.query.cookie_valid);
}

TEST(CookieGuard, WhatRequiredMeans) {
  const Cookies cookies({secret(kFirstSecret)}, true);
  const auto guarded = [&](std::string_view cookie, dns::Transport transport) {
    Asked asked(cookie, kClient, transport);
    guard_cookies(&cookies, asked.query, 1559731985);
    return std::pair(asked.query.action, asked.query.rcode);
  };
  using enum dns::Transport;
  const auto bad_cookie = std::pair<Action, std::uint16_t>(Action::Status, 23);
  const auto lookup = std::pair<Action, std::uint16_t>(Action::Lookup, 0);
  EXPECT_EQ(guarded(kFirstCookie, Udp), lookup);
  EXPECT_EQ(guarded("2464c4abcf10c957", Udp), bad_cookie);
  EXPECT_EQ(guarded("2464c4abcf10c957010000005cf79f111f8130c3eee29481", Udp), bad_cookie);
  EXPECT_EQ(guarded("", Udp).first, Action::Truncate);
  for (const char* cookie : {"", "2464c4abcf10c957", kFirstCookie}) EXPECT_EQ(guarded(cookie, Tcp), lookup);
}

TEST(CookieGuard, NotRequiredBadCookiesAreAnsweredAsIfWithout) {
  const Cookies cookies({secret(kFirstSecret)}, false);
  Asked asked("2464c4abcf10c957010000005cf79f111f8130c3eee29481", kClient);
  EXPECT_EQ(guard_cookies(&cookies, asked.query, 1559731985), CookieVerdict::Invalid);
  EXPECT_EQ(asked.query.action, Action::Lookup);
  EXPECT_FALSE(asked.query.cookie_valid);
  EXPECT_TRUE(asked.query.server_cookie_due);
}

// QDCOUNT = 0 (RFC 7873 5.4).
TEST(CookieGuard, Probes) {
  const Cookies cookies({secret(kFirstSecret)}, false);
  const auto rcode = [&](const Cookies* guard, std::string_view cookie) {
    Asked asked(cookie, kClient, dns::Transport::Udp, true);
    EXPECT_EQ(asked.query.action, Action::Status);
    guard_cookies(guard, asked.query, 1559731985);
    EXPECT_EQ(asked.query.action, Action::Status);
    return asked.query.rcode;
  };
  EXPECT_EQ(rcode(&cookies, kFirstCookie), dns::to_u16(dns::Rcode::NoError));
  EXPECT_EQ(rcode(&cookies, "2464c4abcf10c957"), dns::to_u16(dns::Rcode::NoError));
  EXPECT_EQ(rcode(&cookies, "2464c4abcf10c957010000005cf79f111f8130c3eee29481"),
            dns::to_u16(dns::Rcode::BadCookie));
  EXPECT_EQ(rcode(&cookies, ""), dns::to_u16(dns::Rcode::FormErr));
  EXPECT_EQ(rcode(nullptr, kFirstCookie), dns::to_u16(dns::Rcode::FormErr));
}

TEST(CookieGuard, ErrorsStayWhatTheyWere) {
  const Cookies cookies({secret(kFirstSecret)}, true);
  Asked asked("2464c4abcf10c957", kClient);
  asked.query.action = Action::Status;
  asked.query.rcode = dns::to_u16(dns::Rcode::Refused);
  guard_cookies(&cookies, asked.query, 1559731985);
  EXPECT_EQ(asked.query.rcode, dns::to_u16(dns::Rcode::Refused));
}

}  // namespace
}  // namespace swarmdns::guard
