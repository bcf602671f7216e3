// EDNS(0): RFC 6891, and the options of RFC 5001, 7871, 8914.
#include <gtest/gtest.h>

#include "tests/packet/harness/node.h"

namespace swarmdns::test {
namespace {

const Octets kSelf = hex("c00c");
const Octets kAddress = hex("c0000201");

MessageBuilder ask() {
  return MessageBuilder().question("example.com.", kA);
}
MessageBuilder reply(unsigned flags = 0x8180) {
  return MessageBuilder().with_flags(flags).question("example.com.", kA);
}
MessageBuilder answered() {
  return reply().record(1, kSelf, kA, kIn, 300, kAddress);
}

struct EdnsTest : testing::Test {
  EdnsTest() {
    node.store(answered());
    node.store(answered(), cache::kKeyDnssecOk);
  }
  Node node;
};

TEST_F(EdnsTest, Plain) {
  expect_answer(node, ask().opt().build(), answered().opt().build());
}

TEST_F(EdnsTest, DoIsEchoedOtherBitsAreNot) {
  expect_answer(node, ask().opt(1232, true).build(), answered().opt(1232, true).build());
  const Octets all_bits = ask().record(3, hex("00"), kOpt, 1232, 0x0000ffff, {}).build();
  expect_answer(node, all_bits, answered().opt(1232, true).build());
  // An extended rcode in a query means nothing.
  const Octets rcode = ask().record(3, hex("00"), kOpt, 1232, 0xff000000, {}).build();
  expect_answer(node, rcode, answered().opt().build());
}

TEST_F(EdnsTest, OurPayloadSizeIsOurOwn) {
  for (const unsigned payload : {0U, 511U, 512U, 1232U, 4096U, 65535U}) {
    expect_answer(node, ask().opt(payload).build(), answered().opt(1232).build());
  }
  node.policy.service.udp_payload_max = 1400;
  expect_answer(node, ask().opt().build(), answered().opt(1400).build());
}

TEST_F(EdnsTest, BadVersion) {
  for (const unsigned version : {1U, 2U, 255U}) {
    expect_answer(node, ask().opt(1232, false, {}, version).build(),
                  reply().opt(1232, false, {}, 0, 1).build());
    expect_answer(node, ask().opt(1232, true, hex("fffe"), version).build(),
                  reply().opt(1232, true, {}, 0, 1).build());
  }
  const Node::Result result = node.receive(over_ipv4(ask().opt(1232, false, {}, 1).build()).build());
  EXPECT_EQ(result.counted.count(std::string(stats::name(stats::Counter::RcodeBadVers))), 1U);
}

TEST_F(EdnsTest, TwoOpts) {
  expect_answer(node, ask().opt().opt().build(), MessageBuilder().with_flags(0x8181).build());
}

TEST_F(EdnsTest, MalformedOptIsFormErrWithoutOpt) {
  const Octets form_err = reply(0x8181).build();
  expect_answer(node, ask().count(3, 1).raw(hex("00 0029 04d0 00 00 0000 0001")).build(), form_err);
  expect_answer(node, ask().count(3, 1).raw(hex("00 0029 04d0 00 00 0000")).build(), form_err);
  expect_answer(node, ask().record(3, kSelf, kOpt, 1232, 0, {}).build(), form_err);
  expect_answer(node, ask().opt(1232, false, hex("0003")).build(), form_err);
  expect_answer(node, ask().opt(1232, false, hex("0003 0001")).build(), form_err);
  expect_answer(node, ask().opt(1232, false, hex("000a 0004 01020304")).build(), form_err);
}

TEST_F(EdnsTest, Nsid) {
  expect_answer(node, ask().opt(1232, false, option(3, {})).build(),
                answered().opt(1232, false, option(3, hex("6e31"))).build());
  expect_answer(node, ask().opt(1232, false, option(3, hex("ffff"))).build(),
                answered().opt(1232, false, option(3, hex("6e31"))).build());
  node.policy.service.nsid.clear();
  expect_answer(node, ask().opt(1232, false, option(3, {})).build(), answered().opt().build());
}

TEST_F(EdnsTest, ClientSubnetIsNeitherEchoedNorKept) {
  const Octets subnet = option(8, hex("0001 18 00 c00002"));
  expect_answer(node, ask().opt(1232, false, subnet).build(), answered().opt().build());
  const Octets unknown = MessageBuilder().question("other.example.", kA).opt(1232, false, subnet).build();
  const Node::Result result = node.receive(over_ipv4(unknown).build());
  ASSERT_TRUE(result.miss);  // nothing in it could hold the subnet
  EXPECT_TRUE(result.miss->edns.present);
}

TEST_F(EdnsTest, UnknownOptionsAreIgnored) {
  expect_answer(
      node,
      ask()
          .opt(1232, false, join({option(65001, hex("0102")), option(0, {}), option(12, Octets(30))}))
          .build(),
      answered().opt().build());
  // Keepalive is for TCP (RFC 7828 3.2.1).
  expect_answer(node, ask().opt(1232, false, option(11, {})).build(), answered().opt().build());
}

TEST_F(EdnsTest, ManyOptions) {
  Octets options;
  for (unsigned i = 0; i < 300; ++i) put(options, option(65000 + i % 400, {}));
  expect_answer(node, ask().opt(1232, false, options).build(), answered().opt().build());
}

}  // namespace
}  // namespace swarmdns::test
