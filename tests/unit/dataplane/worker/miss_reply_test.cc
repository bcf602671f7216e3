#include "dataplane/worker/miss_reply.h"

#include "tests/unit/dataplane/worker/fixture.h"

namespace swarmdns::worker {
namespace {

using stats::Counter;
using test::get16;

class MissReply : public PipelineTest {
 protected:
  // Sends the query through the stages and gives back what waits on the ring, answered by nothing yet.
  miss::Reply waiting(const test::FrameBuilder& query) {
    run({query});
    miss::Reply reply;
    const miss::Request* request = channel_.next_request();
    EXPECT_NE(request, nullptr);
    if (request != nullptr) reply.request = *request;
    channel_.pop_requests();
    reply.now = kNow;
    return reply;
  }
  test::Octets build(const miss::Reply& reply, const test::FrameBuilder& query, std::uint16_t room = kRoom) {
    frame_.assign(room, std::byte{0xee});
    const std::size_t length =
        build_miss_reply(reply, {.data = frame_.data(), .length = 0, .room = room}, scratch_, policy_,
                         {.now = kNow, .wall_s = 1, .ms = 1}, counters_);
    if (length == 0) return {};
    const auto check = test::check_reply(query, std::span<const std::byte>(frame_).first(length));
    EXPECT_EQ(check.fault, "");
    return check.message;
  }

  test::Octets frame_;
  dns::Query scratch_;
};

TEST_F(MissReply, IsTheClientsOwnQuestionWithTheAnswer) {
  auto v4 = ask("Late.Example.com.");
  v4.tags = {{0x88a8, 7}, {0x8100, 42}};
  auto v6 = ask("Late.Example.com.");
  v6.source = "fd53:1::100";
  v6.destination = "fd53:1::1";
  std::vector<miss::Reply> replies = {waiting(v4), waiting(v6)};
  const cache::Entry* answer = insert("late.example.com.");
  for (std::size_t i = 0; i < 2; ++i) {
    const auto& query = i == 0 ? v4 : v6;
    replies[i].answer = answer;
    const auto message = build(replies[i], query);
    ASSERT_GT(message.size(), query.payload.size());
    EXPECT_TRUE(std::equal(query.payload.begin() + 12, query.payload.end(), message.begin() + 12));
    EXPECT_EQ(get16(message, 0), 0x1234U);
    EXPECT_EQ(get16(message, 6), 1U);
  }
  EXPECT_EQ(counters_.get(Counter::MissReplies), 2U);
}

TEST_F(MissReply, AStaleAnswerIsCountedAndMarked) {
  const auto query = ask("old.example.com.");
  miss::Reply reply = waiting(query);
  reply.answer = insert("old.example.com.", 300, 400);
  reply.stale = true;
  const auto message = build(reply, query);
  ASSERT_GE(message.size(), 12U);
  EXPECT_EQ(test::get32(message, query.payload.size() + 6), policy_.service.stale_ttl_s);
  EXPECT_EQ(counters_.get(Counter::StaleServed), 1U);
}

TEST_F(MissReply, AFailureIsSaidSo) {
  const auto query = ask("fail.example.com.");
  miss::Reply reply = waiting(query);
  reply.rcode = 2;
  reply.ede = 22 + 1;
  const auto message = build(reply, query);
  ASSERT_GE(message.size(), 12U);
  EXPECT_EQ(get16(message, 2) & 0xfU, 2U);
  EXPECT_EQ(counters_.get(Counter::RcodeServFail), 1U);
}

TEST_F(MissReply, ABufferTooSmallIsADropNotAnOverrun) {
  const auto query = ask("late.example.com.");
  miss::Reply reply = waiting(query);
  reply.rcode = 2;
  for (std::uint16_t room = 0; room < query.build().size(); ++room) {
    EXPECT_TRUE(build(reply, query, room).empty()) << room;
  }
  EXPECT_FALSE(build(reply, query, static_cast<std::uint16_t>(query.build().size())).empty());
}

TEST_F(MissReply, IsChargedLikeAnyOther) {
  policy_.rate_limiter =
      guard::RateLimiter::create({.responses_per_second = 1, .prefix_scale = 1, .slip = 0});
  const auto query = ask("late.example.com.");
  miss::Reply reply = waiting(query);
  reply.rcode = 2;
  for (int i = 0; i < 50; ++i) (void)build(reply, query);
  EXPECT_GT(counters_.get(Counter::DropRateLimited), 40U);
  reply.request.cookie_valid = true;
  EXPECT_FALSE(build(reply, query).empty());
}

}  // namespace
}  // namespace swarmdns::worker
