// The ladder of sizes: everything, without the additional section, TC.
#include <gtest/gtest.h>

#include "tests/packet/harness/node.h"

namespace swarmdns::test {
namespace {

const Octets kSelf = hex("c00c");
const Octets kAddress = hex("c0000201");
constexpr std::size_t kFront = 12 + 17 + 4;  // header and www.example.com. A IN

MessageBuilder ask() {
  return MessageBuilder().question("www.example.com.", kA);
}

MessageBuilder response(unsigned answers, unsigned additionals, unsigned flags = 0x8180) {
  MessageBuilder message = MessageBuilder().with_flags(flags).question("www.example.com.", kA);
  for (unsigned i = 0; i < answers; ++i) message.record(1, kSelf, kA, kIn, 300, kAddress);
  for (unsigned i = 0; i < additionals; ++i) message.record(3, hex("c010"), kA, kIn, 300, kAddress);
  return message;
}

const Octets kTruncated = MessageBuilder().with_flags(0x8380).question("www.example.com.", kA).build();

TEST(Truncation, ExactFit) {
  // 512 = 33 + 16 n has no whole n: 29 records are 497 octets, 30 are 513.
  Node fits;
  fits.store(response(29, 0));
  expect_answer(fits, ask().build(), response(29, 0).build());
  Node over;
  over.store(response(30, 0));
  expect_answer(over, ask().build(), kTruncated);
  // With EDNS there is a limit of the client's own: 33 + 16 * 30 + 11 = 524.
  expect_answer(over, ask().opt(524).build(), response(30, 0).opt(1232).build());
  expect_answer(over, ask().opt(523).build(),
                MessageBuilder().with_flags(0x8380).question("www.example.com.", kA).opt(1232).build());
}

TEST(Truncation, AdditionalSectionGoesFirst) {
  Node node;
  node.store(response(20, 15));
  expect_answer(node, ask().build(),
                response(20, 0).build());  // no TC: nothing is missing that was asked for
  const std::size_t all = kFront + 35 * 16 + 11;
  expect_answer(node, ask().opt(static_cast<unsigned>(all)).build(), response(20, 15).opt().build());
  expect_answer(node, ask().opt(static_cast<unsigned>(all - 1)).build(), response(20, 0).opt().build());
}

TEST(Truncation, OurOwnLimit) {
  Node node;
  node.store(response(75, 0));  // 1,233 octets, and OPT
  expect_answer(node, ask().opt(4096).build(),
                MessageBuilder().with_flags(0x8380).question("www.example.com.", kA).opt(1232).build());
  node.policy.service.udp_payload_max = 1244;
  expect_answer(node, ask().opt(4096).build(), response(75, 0).opt(1244).build());
}

TEST(Truncation, TheFramesMemoryIsALimitToo) {
  Node node;
  node.store(response(60, 0));
  node.room = 600;
  expect_answer(node, ask().opt(1232).build(),
                MessageBuilder().with_flags(0x8380).question("www.example.com.", kA).opt(1232).build());
}

TEST(Truncation, OptionsCountToo) {
  Node node;
  node.policy.service.nsid = std::string(100, 'n');
  node.store(response(29, 0));
  const Octets nsid = option(3, Octets(100, std::byte{'n'}));
  // 497 + 11 + 104 = 612.
  expect_answer(node, ask().opt(612, false, option(3, {})).build(),
                response(29, 0).opt(1232, false, nsid).build());
  expect_answer(
      node, ask().opt(611, false, option(3, {})).build(),
      MessageBuilder().with_flags(0x8380).question("www.example.com.", kA).opt(1232, false, nsid).build());
}

TEST(Truncation, Counted) {
  Node node;
  node.store(response(40, 0));
  const Node::Result result = node.receive(over_ipv4(ask().build()).build());
  EXPECT_EQ(result.counted.count(std::string(stats::name(stats::Counter::Truncated))), 1U);
}

}  // namespace
}  // namespace swarmdns::test
