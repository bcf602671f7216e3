#include "dataplane/dns/render.h"

#include <gtest/gtest.h>

#include "dataplane/net/checksum.h"
#include "tests/packet/harness/message.h"

namespace swarmdns::dns {
namespace {

using test::hex;
using test::MessageBuilder;
using test::Octets;
using test::wire_name;

constexpr unsigned kResponse = 0x8180;
const Octets kOwner = hex("c00c");
const Octets kAddress = hex("c0000201");

Octets soa_rdata(std::uint32_t minimum) {
  Octets out = test::join({wire_name("ns.example.com."), wire_name("host.example.com."),
                           hex("00000001 00000002 00000003 00000004")});
  test::put32(out, minimum);
  return out;
}

std::expected<RenderedAnswer, RenderError> render(Renderer& renderer, const Octets& wire,
                                                  const RenderRules& rules = {}) {
  const auto message = Message::parse(wire);
  EXPECT_TRUE(message) << "the test's own message is malformed";
  return renderer.render(*message, rules);
}

MessageBuilder response(std::string_view name, unsigned type, unsigned flags = kResponse) {
  return MessageBuilder().with_flags(flags).question(name, type);
}

// The sections behind the question of `wire`, as they stand.
Octets tail(const Octets& wire, std::string_view name) {
  return Octets(wire.begin() + static_cast<std::ptrdiff_t>(12 + wire_name(name).size() + 4), wire.end());
}

TEST(Renderer, WellCompressedAnswersStayAsTheyAre) {
  Renderer renderer;
  const Octets wire = response("www.example.com.", test::kA)
                          .record(1, kOwner, test::kCname, 1, 300, hex("c010"))
                          .record(1, hex("c010"), test::kA, 1, 60, kAddress)
                          .record(2, hex("c010"), test::kNs, 1, 600, hex("026e73c010"))
                          .build();
  const auto answer = render(renderer, wire);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->kind, AnswerKind::Positive);
  EXPECT_TRUE(answer->cacheable);
  EXPECT_EQ(answer->ttl_s, 60U);
  EXPECT_EQ(answer->answers, 2);
  EXPECT_EQ(answer->authorities, 1);
  EXPECT_EQ(answer->additionals, 0);
  EXPECT_EQ(test::to_hex(answer->sections), test::to_hex(tail(wire, "www.example.com.")));
  ASSERT_EQ(answer->ttl_offsets.size(), 3U);
  EXPECT_EQ(test::get32(answer->sections, answer->ttl_offsets[0]), 300U);
  EXPECT_EQ(test::get32(answer->sections, answer->ttl_offsets[1]), 60U);
  EXPECT_EQ(test::get32(answer->sections, answer->ttl_offsets[2]), 600U);
}

TEST(Renderer, UncompressedNamesPointToTheQuestion) {
  Renderer renderer;
  const Octets name = wire_name("www.example.com.");
  const auto answer = render(
      renderer, response("www.example.com.", test::kA).record(1, name, test::kA, 1, 60, kAddress).build());
  ASSERT_TRUE(answer);
  EXPECT_EQ(test::to_hex(answer->sections), test::to_hex(hex("c00c 0001 0001 0000003c 0004 c0000201")));
}

TEST(Renderer, SumLeavesTtlsOut) {
  Renderer renderer;
  const auto answer = render(renderer,
                             response("a.example.", test::kA)
                                 .record(1, kOwner, test::kA, 1, 0x01020304, kAddress)
                                 .record(1, kOwner, test::kTxt, 1, 77, hex("0178"))
                                 .record(1, kOwner, test::kA, 1, 0x00fffefd, kAddress)  // behind an odd one
                                 .build(),
                             {.min_ttl_s = 0, .max_ttl_s = 0x7fffffff, .negative_max_ttl_s = 3600});
  ASSERT_TRUE(answer);
  Octets without(answer->sections.begin(), answer->sections.end());
  for (const std::uint16_t offset : answer->ttl_offsets)
    std::fill_n(without.begin() + offset, 4, std::byte{0});
  EXPECT_EQ(answer->sections_sum % 0xffff, net::sum_bytes(without.data(), without.size()) % 0xffff);
}

TEST(Renderer, OptAndSignaturesOfTheExchangeAreLeftOut) {
  Renderer renderer;
  const auto answer = render(renderer, response("a.", test::kA)
                                           .record(1, kOwner, test::kA, 1, 60, kAddress)
                                           .opt(1232)
                                           .record(3, wire_name("ns."), test::kA, 1, 30, kAddress)
                                           .build());
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->additionals, 1);
  EXPECT_EQ(answer->ttl_s, 30U);
}

TEST(Renderer, NegativeTtlIsTheSmallerOfTwo) {
  Renderer renderer;
  for (const unsigned rcode : {0U, 3U}) {
    const auto of = [&](std::uint32_t ttl, std::uint32_t minimum) {
      return render(renderer, response("no.example.com.", test::kA, kResponse | rcode)
                                  .record(2, hex("c00f"), test::kSoa, 1, ttl, soa_rdata(minimum))
                                  .build());
    };
    const auto by_minimum = of(900, 120);
    ASSERT_TRUE(by_minimum);
    EXPECT_EQ(by_minimum->kind, rcode == 0 ? AnswerKind::NoData : AnswerKind::NxDomain);
    EXPECT_EQ(by_minimum->rcode, rcode);
    EXPECT_TRUE(by_minimum->cacheable);
    EXPECT_EQ(by_minimum->ttl_s, 120U);
    EXPECT_EQ(test::get32(by_minimum->sections, by_minimum->ttl_offsets[0]), 120U);
    EXPECT_EQ(of(60, 120)->ttl_s, 60U);
    EXPECT_EQ(of(90000, 90000)->ttl_s, 3600U);
  }
}

TEST(Renderer, SignatureOfTheSoaHasItsTtl) {
  Renderer renderer;
  Octets rrsig = hex("0006 08 02 00000384 60000000 50000000 1234");
  test::put(rrsig, wire_name("example.com."));
  test::put(rrsig, Octets(8, std::byte{9}));
  const auto answer = render(renderer, response("no.example.com.", test::kA, kResponse | 3)
                                           .record(2, hex("c00f"), test::kSoa, 1, 900, soa_rdata(120))
                                           .record(2, hex("c00f"), test::kRrsig, 1, 900, rrsig)
                                           .build());
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->ttl_offsets.size(), 2U);
  EXPECT_EQ(test::get32(answer->sections, answer->ttl_offsets[0]), 120U);
  EXPECT_EQ(test::get32(answer->sections, answer->ttl_offsets[1]), 120U);
}

TEST(Renderer, NegativeWithoutSoaIsNotCached) {
  Renderer renderer;
  for (const unsigned rcode : {0U, 3U}) {
    const auto empty = render(renderer, response("no.", test::kA, kResponse | rcode).build());
    ASSERT_TRUE(empty);
    EXPECT_FALSE(empty->cacheable);
    EXPECT_EQ(empty->sections.size(), 0U);
    EXPECT_EQ(empty->sections_sum % 0xffff, 0);
  }
  // A referral is no answer either.
  const auto referral = render(
      renderer, response("no.", test::kA).record(2, hex("00"), test::kNs, 1, 60, wire_name("ns.")).build());
  ASSERT_TRUE(referral);
  EXPECT_EQ(referral->kind, AnswerKind::NoData);
  EXPECT_FALSE(referral->cacheable);
}

TEST(Renderer, ChainToNowhereIsNoData) {
  Renderer renderer;
  const auto answer = render(renderer, response("www.example.com.", test::kA)
                                           .record(1, kOwner, test::kCname, 1, 60, hex("c010"))
                                           .record(2, hex("c010"), test::kSoa, 1, 900, soa_rdata(300))
                                           .build());
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->kind, AnswerKind::NoData);
  EXPECT_TRUE(answer->cacheable);
  EXPECT_EQ(answer->ttl_s, 60U);
  const auto asked_for = render(
      renderer,
      response("www.example.com.", test::kCname).record(1, kOwner, test::kCname, 1, 60, hex("c010")).build());
  EXPECT_EQ(asked_for->kind, AnswerKind::Positive);
}

TEST(Renderer, TtlBounds) {
  Renderer renderer;
  const Octets wire = response("a.", test::kA)
                          .record(1, kOwner, test::kA, 1, 5, kAddress)
                          .record(1, kOwner, test::kA, 1, 700000, kAddress)
                          .record(1, kOwner, test::kA, 1, 0x80000000, kAddress)  // RFC 2181 8: 0
                          .build();
  const auto answer = render(renderer, wire, {.min_ttl_s = 10, .max_ttl_s = 3600, .negative_max_ttl_s = 60});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->ttl_s, 10U);
  EXPECT_EQ(test::get32(answer->sections, answer->ttl_offsets[0]), 10U);
  EXPECT_EQ(test::get32(answer->sections, answer->ttl_offsets[1]), 3600U);
  EXPECT_EQ(test::get32(answer->sections, answer->ttl_offsets[2]), 10U);
  const auto zero = render(renderer, wire);
  EXPECT_EQ(zero->ttl_s, 0U);
  EXPECT_FALSE(zero->cacheable);
}

TEST(Renderer, AuthenticDataAndExtendedErrors) {
  Renderer renderer;
  const auto answer = render(renderer, response("a.", test::kA, kResponse | 0x20)
                                           .record(1, kOwner, test::kA, 1, 60, kAddress)
                                           .opt(1232, true, test::option(15, hex("0004 7061")))
                                           .build());
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->authenticated);
  EXPECT_EQ(answer->ede, 5);
  const auto failure =
      render(renderer,
             response("a.", test::kA, kResponse | 2).opt(1232, true, test::option(15, hex("0006"))).build());
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->kind, AnswerKind::Failure);
  EXPECT_EQ(failure->rcode, 2);
  EXPECT_EQ(failure->ede, 7);
  EXPECT_FALSE(failure->cacheable);
}

// RFC 6672 2.2: the DNAME comes along, so that the client sees why the name could not be built.
TEST(Renderer, NameTooLongKeepsItsDnameAndOtherFailuresKeepNothing) {
  Renderer renderer;
  const auto with_rcode = [&](unsigned rcode) {
    return render(renderer, response("a.example.", test::kA, kResponse | rcode)
                                .record(1, hex("c00e"), 39, 1, 60, wire_name("b.example."))
                                .build());
  };
  const auto too_long = with_rcode(6);
  ASSERT_TRUE(too_long);
  EXPECT_EQ(too_long->kind, AnswerKind::Failure);
  EXPECT_EQ(too_long->rcode, 6);
  EXPECT_EQ(too_long->answers, 1);
  EXPECT_FALSE(too_long->sections.empty());
  EXPECT_FALSE(too_long->cacheable);
  const auto refused = with_rcode(5);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->answers, 0);
  EXPECT_TRUE(refused->sections.empty());
}

TEST(Renderer, ScopedAnswersAreNotCached) {
  Renderer renderer;
  const auto cacheable = [&](const char* subnet) {
    return render(renderer, response("a.", test::kA)
                                .record(1, kOwner, test::kA, 1, 60, kAddress)
                                .opt(1232, false, test::option(8, hex(subnet)))
                                .build())
        ->cacheable;
  };
  EXPECT_TRUE(cacheable("0001 18 00 c00002"));
  EXPECT_FALSE(cacheable("0001 18 18 c00002"));
  EXPECT_FALSE(cacheable("0001 18"));  // who knows
}

TEST(Renderer, WhatIsNoAnswer) {
  Renderer renderer;
  const auto error = [&](const Octets& wire) { return render(renderer, wire).error(); };
  EXPECT_EQ(error(response("a.", test::kA, 0x0100).build()), RenderError::NotAnswer);
  EXPECT_EQ(error(response("a.", test::kA, 0xa180).build()), RenderError::NotAnswer);
  EXPECT_EQ(error(response("a.", test::kA).opt(1232, false, {}, 0, 1).build()),
            RenderError::NotAnswer);  // BADVERS
  EXPECT_EQ(error(response("a.", test::kA, kResponse | 0x200).build()), RenderError::Truncated);
  EXPECT_EQ(error(MessageBuilder().with_flags(kResponse).build()), RenderError::NoQuestion);
  EXPECT_EQ(error(response("a.", test::kA).question("b.", test::kA).build()), RenderError::NoQuestion);
  EXPECT_EQ(error(response("a.", test::kA).record(1, kOwner, test::kA, 3, 60, hex("00")).build()),
            RenderError::BadRecord);
  EXPECT_EQ(error(response("a.", test::kA).record(1, kOwner, 255, 1, 60, hex("00")).build()),
            RenderError::BadRecord);
}

// Names that the upstream compressed may grow when they are decompressed: RRSIG's signer is never compressed,
// unknown types are left alone; what does not fit is an error, not a cut message.
TEST(Renderer, TooLarge) {
  Renderer renderer;
  MessageBuilder builder = response("a.", test::kTxt);
  for (unsigned i = 0; i < 254; ++i) {
    Octets text = hex("ff");
    test::put(text, Octets(244, std::byte{'x'}));
    text[0] = std::byte{244};
    builder.record(1, kOwner, test::kTxt, 1, 60, text);
  }
  EXPECT_TRUE(render(renderer, builder.build()));
  // 2,000 records of 2 + 10 octets with a pointer that our rules expand: NSEC3-like growth by SRV targets
  // (RFC 2782).
  MessageBuilder growing = response("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example.", 33);
  for (unsigned i = 0; i < 2400; ++i) growing.record(1, kOwner, 33, 1, 60, hex("0001 0001 0035 c00c"));
  const auto answer = render(renderer, growing.build());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error(), RenderError::TooLarge);
  // The renderer is good for the next one.
  EXPECT_TRUE(
      render(renderer, response("a.", test::kA).record(1, kOwner, test::kA, 1, 60, kAddress).build()));
}

}  // namespace
}  // namespace swarmdns::dns
