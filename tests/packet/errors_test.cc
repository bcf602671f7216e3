// Queries that are answered without the cache, or not at all.
#include <gtest/gtest.h>

#include "tests/packet/harness/node.h"

namespace swarmdns::test {
namespace {

using stats::Counter;

struct Case {
  const char* what;
  Octets query;
  Octets reply;
};

MessageBuilder ask(std::string_view name = "example.com.", unsigned type = kA, unsigned klass = kIn) {
  return MessageBuilder().question(name, type, klass);
}
Octets bare(unsigned flags) {
  return MessageBuilder().with_flags(flags).build();
}
MessageBuilder error(unsigned flags, unsigned type = kA, unsigned klass = kIn) {
  return MessageBuilder().with_flags(flags).question("example.com.", type, klass);
}
Octets ede(unsigned code) {
  Octets data;
  put16(data, code);
  return option(15, data);
}

TEST(Errors, Table) {
  const Octets a = hex("c0000201");
  const Case cases[] = {
      // RFC 9619 4, RFC 1035 4.1.1
      {"no question", MessageBuilder().build(), bare(0x8181)},
      {"two questions", ask().question("example.org.", kA).build(), bare(0x8181)},
      {"a count of two, one there", ask().count(0, 2).build(), bare(0x8181)},
      {"a count of one, none there", MessageBuilder().count(0, 1).build(), bare(0x8181)},
      {"header alone with an OPT count", MessageBuilder().count(3, 1).build(), bare(0x8181)},
      // RFC 1035 4.1.4: nothing stands before the question that could be pointed to
      {"compressed question", MessageBuilder().count(0, 1).raw(hex("c00c 0001 0001")).build(), bare(0x8181)},
      {"unknown label type", MessageBuilder().count(0, 1).raw(hex("4001 0001 0001")).build(), bare(0x8181)},
      {"question cut", MessageBuilder().count(0, 1).raw(hex("0161 00 0001 00")).build(), bare(0x8181)},
      // Records in a query
      {"answer record", ask().record(1, hex("c00c"), kA, kIn, 1, a).build(), bare(0x8181)},
      {"authority record", ask().record(2, hex("c00c"), kA, kIn, 1, a).build(), bare(0x8181)},
      {"additional record that is no OPT", ask().record(3, hex("c00c"), kA, kIn, 1, a).build(),
       error(0x8181).build()},
      {"additional count without a record", ask().count(3, 1).build(), error(0x8181).build()},
      {"TSIG", ask().record(3, wire_name("key."), 250, 255, 0, a).build(), error(0x8181).build()},
      // RFC 1035 4.1.1, RFC 2136, RFC 1996, RFC 8490: opcodes
      {"IQUERY", ask().with_flags(0x0900).build(), bare(0x8984)},
      {"STATUS", ask().with_flags(0x1000).build(), bare(0x9084)},
      {"NOTIFY", ask("example.com.", kSoa).with_flags(0x2400).build(), bare(0xa084)},
      {"UPDATE", ask("example.com.", kSoa).with_flags(0x2800).build(), bare(0xa884)},
      {"DSO", bare(0x3000), bare(0xb084)},
      {"opcode 15", ask().with_flags(0x7900).build(), bare(0xf984)},
      // Classes and types
      {"HESIOD", ask("example.com.", kA, 4).build(), error(0x8185, kA, 4).build()},
      {"class ANY", ask("example.com.", kA, 255).build(), error(0x8185, kA, 255).build()},
      {"class 0", ask("example.com.", kA, 0).build(), error(0x8185, kA, 0).build()},
      {"AXFR", ask("example.com.", 252).build(), error(0x8185, 252).build()},
      {"IXFR", ask("example.com.", 251).build(), error(0x8185, 251).build()},
      {"IXFR with its SOA", ask("example.com.", 251).record(2, hex("c00c"), kSoa, kIn, 0, a).build(),
       bare(0x8181)},
      {"OPT as a type", ask("example.com.", kOpt).build(), error(0x8181, kOpt).build()},
      {"TSIG as a type", ask("example.com.", 250).build(), error(0x8181, 250).build()},
      {"MAILB", ask("example.com.", 253).build(), error(0x8181, 253).build()},
      {"NXNAME with EDNS", ask("example.com.", 128).opt().build(),
       error(0x8181, 128).opt(1232, false, ede(30)).build()},
      {"type 0", ask("example.com.", 0).build(), error(0x8181, 0).build()},
      {"AXFR with EDNS", ask("example.com.", 252).opt().build(),
       error(0x8185, 252).opt(1232, false, ede(18)).build()},
      // CD and RD come back, nothing else does
      {"flags", ask("example.com.", 250).with_flags(0x07ff).build(), error(0x8191, 250).build()},
      // RD = 0 never causes a miss (RFC 8914 4.21 names it)
      {"RD clear", ask().with_flags(0).build(), error(0x8085).build()},
      {"RD clear with EDNS", ask().with_flags(0).opt().build(),
       error(0x8085).opt(1232, false, ede(20)).build()},
  };
  Node node;
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    expect_answer(node, c.query, c.reply);
  }
}

TEST(Errors, RdClearIsAnsweredFromTheCache) {
  Node node;
  const Octets a = hex("c0000201");
  node.store(error(0x8180).record(1, hex("c00c"), kA, kIn, 300, a));
  expect_answer(node, ask().with_flags(0).build(),
                error(0x8080).record(1, hex("c00c"), kA, kIn, 300, a).build());
}

TEST(Errors, Dropped) {
  Node node;
  for (const auto over : {over_ipv4, over_ipv6}) {
    expect_drop(node, over({}).build(), Counter::DropShortMessage);
    expect_drop(node, over(Octets(11)).build(), Counter::DropShortMessage);
    expect_drop(node, over(ask().with_flags(0x8180).build()).build(), Counter::DropResponse);
    expect_drop(node, over(bare(0x8000)).build(), Counter::DropResponse);
    expect_drop(node, over(bare(0xffff)).build(), Counter::DropResponse);
  }
}

// Two servers must never answer each other's answers for ever: whatever we send is dropped by our own kind.
TEST(Errors, OurRepliesAreNotAnswered) {
  Node node;
  for (const Octets& query : {ask().with_flags(0).build(), bare(0x3000), MessageBuilder().build(),
                              ask("version.bind.", kTxt, kCh).build()}) {
    const Node::Result result = node.receive(over_ipv4(query).build());
    ASSERT_EQ(result.fate, worker::Fate::Reply);
    const Octets reply(result.reply.begin() + 42, result.reply.end());
    expect_drop(node, over_ipv4(reply).build(), Counter::DropResponse);
  }
}

TEST(Errors, Any) {
  Node node;
  expect_answer(
      node, ask("example.com.", 255).build(),
      error(0x8180, 255).record(1, hex("c00c"), 13, kIn, 3600, hex("07 52464338343832 00")).build());
  expect_answer(node, ask("example.com.", 255).with_flags(0).opt(1232, true).build(),
                error(0x8080, 255)
                    .record(1, hex("c00c"), 13, kIn, 3600, hex("07 52464338343832 00"))
                    .opt(1232, true)
                    .build());
}

TEST(Errors, Chaos) {
  Node node;
  const auto text = [](std::string_view name, std::string_view value, unsigned type = kTxt) {
    Octets rdata;
    put8(rdata, static_cast<unsigned>(value.size()));
    put_text(rdata, value);
    return MessageBuilder()
        .with_flags(0x8180)
        .question(name, type, kCh)
        .record(1, hex("c00c"), kTxt, kCh, 0, rdata);
  };
  for (const char* name : {"version.bind.", "Version.Server."}) {
    expect_answer(node, ask(name, kTxt, kCh).build(), text(name, "SwarmDNS").build());
    expect_answer(node, ask(name, 255, kCh).build(), text(name, "SwarmDNS", 255).build());
  }
  for (const char* name : {"id.server.", "HOSTNAME.bind."}) {
    expect_answer(node, ask(name, kTxt, kCh).opt().build(), text(name, "node-1").opt().build());
  }
  const Octets refused = MessageBuilder().with_flags(0x8185).question("authors.bind.", kTxt, kCh).build();
  expect_answer(node, ask("authors.bind.", kTxt, kCh).build(), refused);
  node.policy.service.version.clear();
  expect_answer(node, ask("version.bind.", kTxt, kCh).build(),
                MessageBuilder().with_flags(0x8185).question("version.bind.", kTxt, kCh).build());
}

}  // namespace
}  // namespace swarmdns::test
