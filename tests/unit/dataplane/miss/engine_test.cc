// Asking: coalescing, matching of replies, tries, TCP, server choice.
#include <algorithm>

#include "tests/unit/dataplane/miss/fixture.h"

namespace swarmdns::miss::test {
namespace {

TEST_F(EngineTest, AsksAnswersAndCaches) {
  make();
  ask({.qname = "WwW.Example.COM", .id = 0x1234});
  poll();
  const auto asked = upstream.take();
  ASSERT_EQ(asked.size(), 1U);
  const auto message = asked[0].message();
  EXPECT_TRUE(message.flags().rd());
  EXPECT_FALSE(message.flags().cd());
  EXPECT_TRUE(identical(message.question()->name, name("www.example.com")));
  ASSERT_TRUE(message.opt().has_value());
  EXPECT_EQ(message.opt()->payload_size, 4096);  // on loopback
  EXPECT_FALSE(message.opt()->dnssec_ok);
  EXPECT_TRUE(message.opt()->options.empty());

  upstream.answer(asked[0], {.records = {{.ttl = 60}}});
  poll();
  const auto got = replies();
  ASSERT_EQ(got.size(), 1U);
  ASSERT_NE(got[0]->answer, nullptr);
  EXPECT_EQ(got[0]->request.id, 0x1234);
  EXPECT_EQ(got[0]->request.qname[1], std::byte{'W'});  // as the client wrote it
  EXPECT_FALSE(got[0]->stale);
  EXPECT_EQ(got[0]->now, seconds());
  EXPECT_EQ(got[0]->answer->answers, 1);
  EXPECT_EQ(got[0]->answer->expires, seconds() + 60);
  ASSERT_EQ(store.submitted.size(), 1U);
  EXPECT_EQ(store.submitted[0].get(), got[0]->answer);
  EXPECT_EQ(count(Counter::UpstreamQueries), 1U);
  EXPECT_EQ(count(Counter::UpstreamReplies), 1U);
  EXPECT_EQ(engine->waiters(), 1U);
  give_back();
  EXPECT_EQ(engine->waiters(), 0U);
  EXPECT_EQ(engine->in_flight(), 0U);
  advance_ms(300);
  EXPECT_EQ(engine->questions(), 0U);
}

TEST_F(EngineTest, KeepsTheKeyApart) {
  make();
  ask({.dnssec_ok = false});
  ask({.dnssec_ok = true});
  ask({.checking_disabled = true});
  ask({.qtype = 28});
  poll();
  const auto asked = upstream.take();
  ASSERT_EQ(asked.size(), 4U);
  int with_do = 0;
  int with_cd = 0;
  for (const auto& query : asked) {
    with_do += query.message().opt()->dnssec_ok ? 1 : 0;
    with_cd += query.message().flags().cd() ? 1 : 0;
  }
  EXPECT_EQ(with_do, 1);
  EXPECT_EQ(with_cd, 1);
}

TEST_F(EngineTest, CoalescesEqualQuestions) {
  make();
  for (std::uint16_t i = 0; i < 50; ++i)
    ask({.qname = i % 2 == 0 ? "www.example.com" : "WWW.EXAMPLE.com", .id = i});
  poll();
  const auto asked = upstream.take();
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(count(Counter::MissCoalesced), 49U);
  upstream.answer(asked[0]);
  poll();
  const auto got = replies();
  ASSERT_EQ(got.size(), 50U);
  std::vector<std::uint16_t> ids;
  for (const Reply* reply : got) {
    EXPECT_EQ(reply->answer, got[0]->answer);
    ids.push_back(reply->request.id);
    EXPECT_EQ(reply->request.qname[1], reply->request.id % 2 == 0 ? std::byte{'w'} : std::byte{'W'});
  }
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(std::unique(ids.begin(), ids.end()), ids.end());
}

TEST_F(EngineTest, AnswersWhoAskedWhileTheAnswerWasOnItsWayIntoTheCache) {
  make();
  ask({});
  poll();
  upstream.answer(upstream.take().at(0));
  poll();
  ask({.id = 8});
  poll();
  EXPECT_TRUE(upstream.take().empty());
  ASSERT_EQ(replies().size(), 2U);
  advance_ms(300);
  ask({.id = 9});
  poll();
  EXPECT_EQ(upstream.take().size(), 1U);
}

TEST_F(EngineTest, IgnoresWhatDoesNotMatch) {
  make();
  ask({});
  poll();
  const auto asked = upstream.take();
  ASSERT_EQ(asked.size(), 1U);
  upstream.answer(asked[0], {.id = static_cast<std::uint16_t>(asked[0].id() ^ 1)});
  upstream.answer(asked[0], {.question = "www.example.net"});
  auto not_a_response = make_response(asked[0].bytes, {});
  not_a_response[2] &= std::byte{0x7f};
  upstream.send(asked[0], not_a_response);
  auto other_type = make_response(asked[0].bytes, {});
  other_type[12 + 17 + 1] = std::byte{28};
  upstream.send(asked[0], other_type);
  upstream.send(asked[0], std::vector<std::byte>(5));
  poll();
  EXPECT_TRUE(replies().empty());
  EXPECT_EQ(count(Counter::UpstreamMismatched), 4U);
  EXPECT_EQ(count(Counter::UpstreamMalformed), 1U);
  EXPECT_TRUE(store.submitted.empty());
  upstream.answer(asked[0]);
  poll();
  EXPECT_EQ(replies().size(), 1U);
}

TEST_F(EngineTest, HearsOnlyTheServerThatWasAsked) {
  make();
  ask({});
  poll();
  const auto asked = upstream.take();
  ASSERT_EQ(asked.size(), 1U);
  Upstream stranger;  // knows everything, and sends from another port
  stranger.answer(asked[0]);
  poll();
  EXPECT_TRUE(replies().empty());
  upstream.answer(asked[0]);
  poll();
  EXPECT_EQ(replies().size(), 1U);
}

TEST_F(EngineTest, AnsweredTwiceIsAnsweredOnce) {
  make();
  ask({});
  poll();
  const auto asked = upstream.take();
  upstream.answer(asked.at(0));
  upstream.answer(asked.at(0));
  poll();
  EXPECT_EQ(replies().size(), 1U);
  EXPECT_EQ(count(Counter::UpstreamMismatched), 1U);
}

TEST_F(EngineTest, TriesAgainWithTheSameIdAndTakesTheLateAnswer) {
  options.timeout_ms = 100;
  options.tries = 3;
  make();
  ask({});
  poll();
  const auto first = upstream.take();
  ASSERT_EQ(first.size(), 1U);
  advance_ms(99);
  const auto second = upstream.take();
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(second[0].id(), first[0].id());
  EXPECT_EQ(second[0].from.sin_port, first[0].from.sin_port);
  advance_ms(150);
  EXPECT_TRUE(upstream.take().empty());  // the second try waits twice as long
  advance_ms(60);
  EXPECT_EQ(upstream.take().size(), 1U);
  advance_ms(2000);
  EXPECT_TRUE(upstream.take().empty());  // no fourth
  EXPECT_EQ(count(Counter::UpstreamQueries), 3U);
  EXPECT_EQ(count(Counter::UpstreamTimeouts), 2U);
  upstream.answer(first[0]);
  poll();
  ASSERT_EQ(replies().size(), 1U);
  EXPECT_EQ(store.submitted.size(), 1U);
}

TEST_F(EngineTest, ServfailAtTheDeadline) {
  options.deadline_ms = 1000;
  make();
  ask({});
  advance_ms(990);
  EXPECT_TRUE(replies().empty());
  advance_ms(20);
  const auto got = replies();
  ASSERT_EQ(got.size(), 1U);
  ASSERT_NE(got[0]->answer, nullptr);
  EXPECT_EQ(got[0]->answer->rcode, 2);
  EXPECT_EQ(got[0]->answer->ede, 22 + 1);
  EXPECT_NE(got[0]->answer->flags & cache::Entry::kFailure, 0);
  ASSERT_EQ(store.submitted.size(), 1U);  // RFC 9520
  EXPECT_EQ(store.submitted[0].entry().expires, seconds() + 5);
  // Nothing is left that a late answer could meet.
  EXPECT_EQ(engine->in_flight(), 0U);
  upstream.answer(upstream.take().at(0));
  poll();
  EXPECT_TRUE(replies().empty());
  EXPECT_EQ(count(Counter::UpstreamMismatched), 1U);
}

TEST_F(EngineTest, TruncatedMeansTcp) {
  make();
  ask({});
  poll();
  upstream.answer(upstream.take().at(0), {.records = {}, .truncated = true});
  std::vector<Upstream::Query> by_tcp;
  ASSERT_TRUE(eventually([&] { return !(by_tcp = upstream.take_tcp()).empty(); }));
  ASSERT_EQ(by_tcp.size(), 1U);
  EXPECT_TRUE(identical(by_tcp[0].message().question()->name, name("www.example.com")));
  std::vector<Record> many(300);
  for (std::size_t i = 0; i < many.size(); ++i)
    many[i].data = {1, 2, static_cast<char>(i >> 8), static_cast<char>(i)};
  upstream.answer(by_tcp[0], {.records = many});
  std::vector<const Reply*> got;
  ASSERT_TRUE(eventually([&] { return !(got = replies()).empty(); }));
  EXPECT_EQ(got[0]->answer->answers, 300);
  EXPECT_EQ(count(Counter::UpstreamTcp), 1U);
  EXPECT_TRUE(upstream.take().empty());

  // The connection serves the next one too, and many at once, in any order.
  for (int i = 0; i < 5; ++i) ask({.qname = "n" + std::to_string(i) + ".example.com"});
  poll();
  for (const auto& query : upstream.take()) upstream.answer(query, {.records = {}, .truncated = true});
  by_tcp.clear();
  ASSERT_TRUE(eventually([&] {
    for (auto& q : upstream.take_tcp()) by_tcp.push_back(q);
    return by_tcp.size() == 5;
  }));
  EXPECT_EQ(upstream.connections(), 1U);
  for (std::size_t i = 5; i > 0; --i) upstream.answer(by_tcp[i - 1]);
  std::size_t answered = 0;
  ASSERT_TRUE(eventually([&] { return (answered += replies().size()) == 5; }));
}

TEST_F(EngineTest, AClosedTcpConnectionIsTriedAgain) {
  make();
  ask({});
  poll();
  upstream.answer(upstream.take().at(0), {.records = {}, .truncated = true});
  std::vector<Upstream::Query> by_tcp;
  ASSERT_TRUE(eventually([&] { return !(by_tcp = upstream.take_tcp()).empty(); }));
  upstream.close_connections();
  by_tcp.clear();
  ASSERT_TRUE(eventually([&] {
    now_us += 1000;
    return !(by_tcp = upstream.take_tcp()).empty();
  }));
  upstream.answer(by_tcp[0]);
  ASSERT_TRUE(eventually([&] { return !replies().empty(); }));
}

TEST_F(EngineTest, GarbageWithTheRightIdIsAskedAgainByTcp) {
  make();
  ask({});
  poll();
  const auto asked = upstream.take();
  auto cut = make_response(asked.at(0).bytes, {});
  cut.resize(cut.size() - 3);
  upstream.send(asked[0], cut);
  poll();
  EXPECT_EQ(count(Counter::UpstreamMalformed), 1U);
  EXPECT_TRUE(replies().empty());
  std::vector<Upstream::Query> by_tcp;
  ASSERT_TRUE(eventually([&] { return !(by_tcp = upstream.take_tcp()).empty(); }));
  upstream.answer(by_tcp[0]);
  ASSERT_TRUE(eventually([&] { return !replies().empty(); }));
}

TEST_F(EngineTest, AsksAnotherServerAfterAFailureAndAfterSilence) {
  Upstream second;
  options.servers.push_back(second.server());
  options.timeout_ms = 100;
  make();
  ask({.qname = "a.example.com"});
  poll();
  auto here = upstream.take();
  auto there = second.take();
  ASSERT_EQ(here.size() + there.size(), 1U);
  Upstream& first_asked = here.empty() ? second : upstream;
  Upstream& other = here.empty() ? upstream : second;
  first_asked.answer(here.empty() ? there[0] : here[0], failure(5));
  poll();
  const auto retried = other.take();
  ASSERT_EQ(retried.size(), 1U);
  EXPECT_TRUE(replies().empty());
  other.answer(retried[0]);
  poll();
  ASSERT_EQ(replies().size(), 1U);
  EXPECT_TRUE(replies().empty());

  ask({.qname = "b.example.com"});
  poll();
  here = upstream.take();
  there = second.take();
  ASSERT_EQ(here.size() + there.size(), 1U);
  advance_ms(101);
  EXPECT_EQ((here.empty() ? upstream : second).take().size(), 1U);
}

TEST_F(EngineTest, ARefusingServerIsAskedAgainWhenItIsBack) {
  make();
  upstream.close_udp();
  ask({});
  advance_ms(400, 5);
  EXPECT_TRUE(replies().empty());
  EXPECT_FALSE(engine->upstreams().at(0).healthy);
  upstream.open_udp();
  std::vector<Upstream::Query> asked;
  for (int i = 0; i < 100 && asked.empty(); ++i) {
    advance_ms(10);
    asked = upstream.take();
  }
  ASSERT_EQ(asked.size(), 1U);
  upstream.answer(asked[0]);
  poll();
  EXPECT_EQ(replies().size(), 1U);
  EXPECT_TRUE(engine->upstreams().at(0).healthy);
}

TEST_F(EngineTest, OptionsChangeServersWhileQuestionsAreUnderWay) {
  make();
  ask({});
  poll();
  EXPECT_EQ(upstream.take().size(), 1U);
  Upstream next;
  options.servers = {next.server()};
  set_options();
  advance_ms(5);
  const auto asked = next.take();
  ASSERT_EQ(asked.size(), 1U);
  next.answer(asked[0]);
  poll();
  EXPECT_EQ(replies().size(), 1U);
  const auto status = engine->upstreams();
  ASSERT_EQ(status.size(), 1U);
  EXPECT_EQ(status[0].server, next.server());
  EXPECT_EQ(status[0].queries, 1U);
  EXPECT_GT(status[0].srtt_us, 0U);
}

TEST_F(EngineTest, WithoutServersItFailsAtTheDeadline) {
  options.servers.clear();
  options.deadline_ms = 500;
  make();
  ask({});
  advance_ms(510);
  const auto got = replies();
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0]->answer->rcode, 2);
}

}  // namespace
}  // namespace swarmdns::miss::test
