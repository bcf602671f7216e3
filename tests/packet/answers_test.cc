// What a cached answer looks like in a reply: sections, TTLs, flags, names.
#include <gtest/gtest.h>

#include "tests/packet/harness/node.h"

namespace swarmdns::test {
namespace {

const Octets kSelf = hex("c00c");
const Octets kAddress = hex("c0000201");

Octets soa() {
  return join({wire_name("ns.example.com."), wire_name("host.example.com."),
               hex("00000001 00000e10 00000258 00093a80 0000012c")});
}

MessageBuilder ask(std::string_view name, unsigned type = kA) {
  return MessageBuilder().question(name, type);
}
MessageBuilder answer(std::string_view name, unsigned type = kA, unsigned flags = 0x8180) {
  return MessageBuilder().with_flags(flags).question(name, type);
}

TEST(Answers, Address) {
  Node node;
  node.store(answer("www.example.com.").record(1, kSelf, kA, kIn, 300, kAddress));
  expect_answer(node, ask("www.example.com.").build(),
                answer("www.example.com.").record(1, kSelf, kA, kIn, 300, kAddress).build());
}

TEST(Answers, CaseOfTheQuestionIsKept) {
  Node node;
  node.store(answer("www.example.com.").record(1, kSelf, kA, kIn, 300, kAddress));
  for (const char* name : {"WWW.EXAMPLE.COM.", "wWw.eXaMpLe.CoM.", "www.example.com."}) {
    expect_answer(node, ask(name).build(), answer(name).record(1, kSelf, kA, kIn, 300, kAddress).build());
  }
}

TEST(Answers, IdIsKept) {
  Node node;
  node.store(answer("a.example.").record(1, kSelf, kA, kIn, 300, kAddress));
  for (const unsigned id : {0U, 1U, 0x00ffU, 0xff00U, 0xffffU}) {
    expect_answer(node, ask("a.example.").with_id(id).build(),
                  answer("a.example.").with_id(id).record(1, kSelf, kA, kIn, 300, kAddress).build());
  }
}

TEST(Answers, TtlsCountDown) {
  Node node;
  node.store(answer("www.example.com.")
                 .record(1, kSelf, kCname, kIn, 600, hex("c010"))
                 .record(1, hex("c010"), kA, kIn, 300, kAddress));
  const auto at_age = [](std::uint32_t age) {
    return answer("www.example.com.")
        .record(1, kSelf, kCname, kIn, 600 - age, hex("c010"))
        .record(1, hex("c010"), kA, kIn, 300 - age, kAddress)
        .build();
  };
  expect_answer(node, ask("www.example.com.").build(), at_age(0));
  node.moment.now += 1;
  expect_answer(node, ask("www.example.com.").build(), at_age(1));
  node.moment.now += 298;
  expect_answer(node, ask("www.example.com.").build(), at_age(299));
  node.moment.now += 1;  // expired: no answer from here
  const Node::Result result = node.receive(over_ipv4(ask("www.example.com.").build()).build());
  EXPECT_EQ(result.fate, worker::Fate::Gone);
  EXPECT_TRUE(result.miss);
}

TEST(Answers, NegativeOnesCarryTheSoa) {
  Node node;
  for (const unsigned rcode : {0U, 3U}) {
    const std::string name = rcode == 0 ? "empty.example.com." : "no.example.com.";
    const unsigned at = rcode == 0 ? 0xc012 : 0xc00f;
    Octets owner;
    put16(owner, at);
    // Names inside the SOA are compressed by us as far as they can be.
    Octets rdata = hex("026e73");
    put16(rdata, at);
    put(rdata, hex("04686f7374"));
    put16(rdata, at);
    put(rdata, hex("00000001 00000e10 00000258 00093a80 0000012c"));
    node.store(answer(name, kA, 0x8180 | rcode).record(2, owner, kSoa, kIn, 3600, soa()));
    expect_answer(node, ask(name).build(),
                  answer(name, kA, 0x8180 | rcode).record(2, owner, kSoa, kIn, 300, rdata).build());
  }
}

TEST(Answers, TypesAreApart) {
  Node node;
  node.store(answer("a.example.", kA).record(1, kSelf, kA, kIn, 300, kAddress));
  EXPECT_TRUE(node.receive(over_ipv4(ask("a.example.", kAaaa).build()).build()).miss);
}

TEST(Answers, DoAndCdHaveAnswersOfTheirOwn) {
  Node node;
  node.store(answer("a.example.").record(1, kSelf, kA, kIn, 300, hex("00000000")), 0);
  node.store(answer("a.example.").record(1, kSelf, kA, kIn, 300, hex("00000001")), cache::kKeyDnssecOk);
  node.store(answer("a.example.").record(1, kSelf, kA, kIn, 300, hex("00000002")),
             cache::kKeyCheckingDisabled);
  node.store(answer("a.example.").record(1, kSelf, kA, kIn, 300, hex("00000003")),
             cache::kKeyDnssecOk | cache::kKeyCheckingDisabled);
  expect_answer(node, ask("a.example.").build(),
                answer("a.example.").record(1, kSelf, kA, kIn, 300, hex("00000000")).build());
  expect_answer(node, ask("a.example.").opt(1232, true).build(),
                answer("a.example.").record(1, kSelf, kA, kIn, 300, hex("00000001")).opt(1232, true).build());
  expect_answer(node, ask("a.example.").with_flags(0x0110).build(),
                answer("a.example.", kA, 0x8190).record(1, kSelf, kA, kIn, 300, hex("00000002")).build());
  expect_answer(node, ask("a.example.").with_flags(0x0110).opt(1232, true).build(),
                answer("a.example.", kA, 0x8190)
                    .record(1, kSelf, kA, kIn, 300, hex("00000003"))
                    .opt(1232, true)
                    .build());
}

// RFC 6840 5.8: AD in the reply when the answer is validated and the query had AD or DO.
TEST(Answers, AuthenticData) {
  Node node;
  for (const std::uint8_t key : {std::uint8_t{0}, cache::kKeyDnssecOk}) {
    node.store(answer("good.example.", kA, 0x81a0).record(1, kSelf, kA, kIn, 300, kAddress), key);
    node.store(answer("plain.example.", kA, 0x8180).record(1, kSelf, kA, kIn, 300, kAddress), key);
  }
  struct Case {
    const char* name;
    unsigned flags;
    bool dnssec_ok;
    unsigned reply_flags;
  };
  for (const Case& c :
       {Case{"good.example.", 0x0100, false, 0x8180}, Case{"good.example.", 0x0120, false, 0x81a0},
        Case{"good.example.", 0x0100, true, 0x81a0}, Case{"good.example.", 0x0120, true, 0x81a0},
        Case{"plain.example.", 0x0120, true, 0x8180}, Case{"plain.example.", 0x0100, false, 0x8180}}) {
    MessageBuilder query = ask(c.name).with_flags(c.flags);
    MessageBuilder reply = answer(c.name, kA, c.reply_flags).record(1, kSelf, kA, kIn, 300, kAddress);
    if (c.dnssec_ok) {
      query.opt(1232, true);
      reply.opt(1232, true);
    }
    expect_answer(node, query.build(), reply.build());
  }
}

TEST(Answers, RootAndLongestName) {
  Node node;
  node.store(answer(".", kNs).record(1, hex("00"), kNs, kIn, 518400,
                                     join({hex("0161"), wire_name("root-servers.net.")})));
  // The TTL is held to a day.
  expect_answer(
      node, ask(".", kNs).build(),
      answer(".", kNs)
          .record(1, hex("00"), kNs, kIn, 86400, join({hex("0161"), wire_name("root-servers.net.")}))
          .build());
  const std::string label(63, 'L');
  const std::string longest = label + "." + label + "." + label + "." + std::string(61, 'x') + ".";
  ASSERT_EQ(wire_name(longest).size(), 255U);
  node.store(answer(longest).record(1, kSelf, kA, kIn, 300, kAddress));
  expect_answer(node, ask(longest).build(), answer(longest).record(1, kSelf, kA, kIn, 300, kAddress).build());
}

TEST(Answers, OctetsBehindTheQueryAreNotEchoed) {
  Node node;
  node.store(answer("a.example.").record(1, kSelf, kA, kIn, 300, kAddress));
  expect_answer(node, ask("a.example.").raw(hex("0102030405")).build(),
                answer("a.example.").record(1, kSelf, kA, kIn, 300, kAddress).build());
}

TEST(Answers, CachedFailure) {
  Node node;
  const auto image = entry_from_response(
      answer("bad.example.", kA, 0x8182).opt(1232, false, option(15, hex("0006"))).build());
  EXPECT_NE(image.entry().flags & cache::Entry::kFailure, 0);
}

TEST(Answers, CountedOnce) {
  Node node;
  node.store(answer("a.example.").record(1, kSelf, kA, kIn, 300, kAddress));
  const Node::Result result = node.receive(over_ipv4(ask("a.example.").build()).build());
  const auto count = [&](stats::Counter counter) {
    const auto found = result.counted.find(std::string(stats::name(counter)));
    return found == result.counted.end() ? 0U : found->second;
  };
  using enum stats::Counter;
  EXPECT_EQ(count(Queries), 1U);
  EXPECT_EQ(count(CacheHits), 1U);
  EXPECT_EQ(count(Replies), 1U);
  EXPECT_EQ(count(RcodeNoError), 1U);
  EXPECT_EQ(result.counted.size(), 4U);
}

}  // namespace
}  // namespace swarmdns::test
