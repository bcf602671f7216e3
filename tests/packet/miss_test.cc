// What is not in the cache: what the miss path is told, and what never gets there.
#include <gtest/gtest.h>

#include "dataplane/worker/miss_reply.h"
#include "tests/packet/harness/node.h"

namespace swarmdns::test {
namespace {

const Octets kAddress = hex("c0000201");

MessageBuilder ask(std::string_view name = "ExAmple.com.") {
  return MessageBuilder().question(name, kA);
}
MessageBuilder answer(std::string_view name = "ExAmple.com.") {
  return MessageBuilder().with_flags(0x8180).question(name, kA).record(1, hex("c00c"), kA, kIn, 300,
                                                                       kAddress);
}

TEST(Miss, TellsAllThatAReplyNeeds) {
  Node node;
  for (FrameBuilder query :
       {over_ipv4(ask().opt(1400, true).build()), over_ipv6(ask().opt(1400, true).build())}) {
    query.tags = {{0x88a8, 7}, {0x8100, 9}};
    const Node::Result result = node.receive(query.build());
    EXPECT_EQ(result.fate, worker::Fate::Gone);
    ASSERT_TRUE(result.miss);
    EXPECT_EQ(result.miss->kind, miss::Kind::Miss);
    EXPECT_EQ(result.miss->qtype, kA);
    EXPECT_EQ(result.miss->limit, 1400);
    EXPECT_TRUE(result.miss->edns.dnssec_ok);

    // The reply, later and in fresh memory, is the one that a hit would have got.
    const auto image = entry_from_response(answer().build(), {.born = node.moment.now});
    miss::Reply reply;
    reply.request = *result.miss;
    reply.answer = image.get();
    reply.now = node.moment.now + 2;
    Octets fresh(1600, std::byte{0xaa});
    dns::Query scratch;
    stats::Block counters;
    const worker::Frame frame{fresh.data(), 0, static_cast<std::uint16_t>(fresh.size()), false};
    fresh.resize(worker::build_miss_reply(reply, frame, scratch, node.policy, node.moment, counters));
    const ReplyCheck check = check_reply(query, fresh);
    EXPECT_EQ(check.fault, "");
    EXPECT_EQ(to_hex(check.message), to_hex(MessageBuilder()
                                                .with_flags(0x8180)
                                                .question("ExAmple.com.", kA)
                                                .record(1, hex("c00c"), kA, kIn, 298, kAddress)
                                                .opt(1232, true)
                                                .build()));
  }
}

TEST(Miss, NotForRdClear) {
  Node node;
  EXPECT_FALSE(node.receive(over_ipv4(ask().with_flags(0).build()).build()).miss);
}

TEST(Miss, NothingButPlainInternetQuestionsGoesUpstream) {
  Node node;
  for (const unsigned type : {0U, kOpt, 128U, 249U, 250U, 251U, 252U, 253U, 254U, 255U}) {
    EXPECT_FALSE(
        node.receive(over_ipv4(MessageBuilder().question("example.com.", type).build()).build()).miss)
        << type;
  }
  for (const unsigned klass : {0U, 2U, 3U, 4U, 254U, 255U}) {
    EXPECT_FALSE(
        node.receive(over_ipv4(MessageBuilder().question("example.com.", kA, klass).build()).build()).miss)
        << klass;
  }
  EXPECT_TRUE(node.receive(over_ipv4(MessageBuilder().question("example.com.", 65280).build()).build()).miss);
}

TEST(Miss, ExpiredAnswersAreRefreshedFirst) {
  Node node;
  node.store(answer());
  node.moment.now += 301;
  const Node::Result result = node.receive(over_ipv4(ask().build()).build());
  EXPECT_EQ(result.fate, worker::Fate::Gone);
  ASSERT_TRUE(result.miss);
  EXPECT_EQ(result.miss->kind, miss::Kind::Stale);
}

TEST(Miss, PrefetchNearExpiry) {
  Node node;
  node.policy.prefetch_percent = 10;
  node.store(answer());
  node.moment.now += 269;
  EXPECT_FALSE(node.receive(over_ipv4(ask().build()).build()).miss);
  node.moment.now += 1;
  const Node::Result result = node.receive(over_ipv4(ask().build()).build());
  EXPECT_EQ(result.fate, worker::Fate::Reply);  // it never waits
  ASSERT_TRUE(result.miss);
  EXPECT_EQ(result.miss->kind, miss::Kind::Prefetch);
  EXPECT_FALSE(node.receive(over_ipv4(ask().build()).build()).miss);  // once
}

}  // namespace
}  // namespace swarmdns::test
