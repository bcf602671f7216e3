// What becomes of answers: caching, failures, serve-stale, prefetch, flushes.
#include "tests/unit/dataplane/miss/fixture.h"

namespace swarmdns::miss::test {
namespace {

class AnswerTest : public EngineTest {
 protected:
  // Asks, and answers the one query that follows from it.
  void ask_and_answer(const Ask& asked, const Answer& answer) {
    ask(asked);
    poll();
    const auto queries = upstream.take();
    ASSERT_EQ(queries.size(), 1U);
    upstream.answer(queries[0], answer);
    poll();
  }
};

TEST_F(AnswerTest, TtlZeroIsGivenAndNotKept) {
  make();
  ask_and_answer({}, {.records = {{.ttl = 0}}});
  ASSERT_EQ(replies().size(), 1U);
  EXPECT_TRUE(store.submitted.empty());
  ask({});
  poll();
  EXPECT_EQ(upstream.take().size(), 1U);  // nor does it linger
}

TEST_F(AnswerTest, AnAnswerForOnePartOfTheNetIsNotKept) {
  make();
  ask_and_answer({}, {.ecs_scope = 24});
  ASSERT_EQ(replies().size(), 1U);
  EXPECT_TRUE(store.submitted.empty());
}

TEST_F(AnswerTest, ALargeAnswerIsGivenAndNotKept) {
  options.max_entry_bytes = 512;
  make();
  std::vector<Record> many(60);
  for (std::size_t i = 0; i < many.size(); ++i) many[i].data[3] = static_cast<char>(i);
  ask_and_answer({}, {.records = many});
  const auto got = replies();
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0]->answer->answers, 60);
  EXPECT_TRUE(store.submitted.empty());
}

TEST_F(AnswerTest, TtlsAreHeldInBounds) {
  options.min_ttl_s = 30;
  options.max_ttl_s = 1000;
  make();
  ask_and_answer({.qname = "short.test"}, {.records = {{.ttl = 5}}});
  ask_and_answer({.qname = "long.test"}, {.records = {{.ttl = 100000}}});
  ASSERT_EQ(store.submitted.size(), 2U);
  EXPECT_EQ(store.submitted[0].entry().expires, seconds() + 30);
  EXPECT_EQ(store.submitted[1].entry().expires, seconds() + 1000);
}

TEST_F(AnswerTest, NegativeAnswersLiveAsTheirSoaSays) {
  options.max_negative_ttl_s = 600;
  make();
  ask_and_answer({.qname = "a.test"}, {.rcode = 3, .records = {soa(300, 60)}});
  ask_and_answer({.qname = "b.test"}, {.records = {soa(90, 3600)}});
  ask_and_answer({.qname = "c.test"}, {.rcode = 3, .records = {soa(7200, 7200)}});
  ask_and_answer({.qname = "d.test"}, {.rcode = 3, .records = {}});  // no SOA: not kept (RFC 2308 5)
  ASSERT_EQ(store.submitted.size(), 3U);
  const auto life = [&](std::size_t i) { return store.submitted[i].entry().expires - seconds(); };
  EXPECT_EQ(life(0), 60U);
  EXPECT_EQ(life(1), 90U);
  EXPECT_EQ(life(2), 600U);
  EXPECT_EQ(store.submitted[0].entry().rcode, 3);
  EXPECT_NE(store.submitted[1].entry().flags & cache::Entry::kNegative, 0);
  const auto got = replies();
  ASSERT_EQ(got.size(), 4U);
  EXPECT_EQ(got[3]->answer->rcode, 3);
}

TEST_F(AnswerTest, TheUpstreamThatSaidSoIsNamed) {
  const auto named = [](const Upstream& one) { return "127.0.0.1@" + std::to_string(one.server().port); };
  make();
  ask_and_answer({.qname = "a.test"}, {});
  Upstream second;
  options.servers = {second.server()};
  set_options();
  ask({.qname = "b.test"});
  poll();
  auto queries = second.take();
  ASSERT_EQ(queries.size(), 1U);
  second.answer(queries[0], failure());  // cached, and these are its own words
  poll();
  ask({.qname = "c.test"});  // nobody says anything
  advance_ms(options.deadline_ms + 100, 50);
  ASSERT_EQ(store.submitted.size(), 3U);
  EXPECT_EQ(store.submitted_from, (std::vector<std::string>{named(upstream), named(second), ""}));
}

TEST_F(AnswerTest, ServfailIsRememberedBrieflyWithItsReason) {
  options.servfail_ttl_s = 7;
  make();
  ask_and_answer({}, failure(2, 6));  // DNSSEC Bogus
  const auto got = replies();
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0]->answer->rcode, 2);
  EXPECT_EQ(got[0]->answer->ede, 6 + 1);
  ASSERT_EQ(store.submitted.size(), 1U);
  EXPECT_EQ(store.submitted[0].entry().expires, seconds() + 7);
  EXPECT_NE(store.submitted[0].entry().flags & cache::Entry::kFailure, 0);
}

TEST_F(AnswerTest, AFlushIsNotUndoneByWhatWasAskedBefore) {
  make();
  ask({});
  poll();
  const auto asked = upstream.take();
  ++store.epoch_now;
  upstream.answer(asked.at(0));
  poll();
  EXPECT_EQ(replies().size(), 1U);
  EXPECT_TRUE(store.submitted.empty());
  ask({});  // and it does not linger either
  poll();
  EXPECT_EQ(upstream.take().size(), 1U);
}

TEST_F(AnswerTest, WhoAsksAfterAFlushDoesNotGetWhatWasAskedBefore) {
  make();
  ask({.id = 1});
  poll();
  const auto before = upstream.take();
  ASSERT_EQ(before.size(), 1U);
  ++store.epoch_now;
  ask({.id = 2});
  ask({.id = 3});
  poll();
  const auto after = upstream.take();
  ASSERT_EQ(after.size(), 1U);
  EXPECT_EQ(count(Counter::MissCoalesced), 2U);
  upstream.answer(before[0], {.records = {{.data = "\x0a\x01\x01\x01"}}});
  poll();
  EXPECT_TRUE(replies().empty());  // too late for everybody
  upstream.answer(after[0], {.records = {{.data = "\x0a\x02\x02\x02"}}});
  poll();
  const auto got = replies();
  ASSERT_EQ(got.size(), 3U);  // the first one too: it loses nothing by an answer that is newer
  const auto sections = got[0]->answer->sections();
  EXPECT_EQ(std::to_integer<int>(sections[sections.size() - 1]), 2);
  EXPECT_EQ(store.submitted.size(), 1U);
  ask({.id = 4});  // and it lingers
  poll();
  EXPECT_TRUE(upstream.take().empty());
}

TEST_F(AnswerTest, AFlushMakesNobodyWaitLonger) {
  options.deadline_ms = 1000;
  make();
  ask({.id = 1});
  advance_ms(700);
  ++store.epoch_now;
  ask({.id = 2});
  advance_ms(290);
  EXPECT_TRUE(replies().empty());
  advance_ms(20);
  EXPECT_EQ(replies().size(), 2U);  // SERVFAIL for both, as for all who join a question under way
}

TEST_F(AnswerTest, AFlushEndsLingering) {
  make();
  ask_and_answer({}, {});
  ++store.epoch_now;
  ask({});
  poll();
  EXPECT_EQ(upstream.take().size(), 1U);
}

// --- RFC 8767 ---

TEST_F(AnswerTest, StaleAtTheClientsDeadlineAndTheRefreshGoesOn) {
  options.stale_client_ms = 1800;
  make();
  put_entry("www.example.com", -400, -100);
  ask({.kind = Kind::Stale});
  poll();
  const auto asked = upstream.take();
  ASSERT_EQ(asked.size(), 1U);  // a refresh comes first
  advance_ms(1790);
  EXPECT_TRUE(replies().empty());
  advance_ms(15);
  auto got = replies();
  ASSERT_EQ(got.size(), 1U);
  EXPECT_TRUE(got[0]->stale);
  EXPECT_EQ(got[0]->answer->expires, seconds() - 100 - 1);  // one second has begun since
  // Who comes now does not wait as long again.
  ask({.kind = Kind::Stale, .id = 9});
  poll();
  got = replies();
  ASSERT_EQ(got.size(), 1U);
  EXPECT_TRUE(got[0]->stale);
  // The late answer is taken.
  upstream.answer(asked[0]);
  poll();
  ASSERT_EQ(store.submitted.size(), 1U);
  ask({.kind = Kind::Stale, .id = 10});
  poll();
  got = replies();
  ASSERT_EQ(got.size(), 1U);
  EXPECT_FALSE(got[0]->stale);
}

TEST_F(AnswerTest, AFailedRefreshGivesStaleAtOnceForAWhile) {
  options.stale_recheck_s = 30;
  make();
  put_entry("www.example.com", -400, -100);
  ask_and_answer({.kind = Kind::Stale}, failure(2, 22));
  auto got = replies();
  ASSERT_EQ(got.size(), 1U);
  EXPECT_TRUE(got[0]->stale);
  EXPECT_TRUE(store.submitted.empty());  // the failure must not take the stale entry's place
  give_back();
  advance_ms(29'000);
  ask({.kind = Kind::Stale});
  poll();
  EXPECT_TRUE(upstream.take().empty());
  got = replies();
  ASSERT_EQ(got.size(), 1U);
  EXPECT_TRUE(got[0]->stale);
  EXPECT_EQ(got[0]->now, seconds());
  give_back();
  advance_ms(1'100);
  ask({.kind = Kind::Stale});
  poll();
  EXPECT_EQ(upstream.take().size(), 1U);
}

TEST_F(AnswerTest, StaleNeverCoversABogusAnswer) {
  for (const unsigned ede : {5U, 6U, 7U, 8U, 9U, 10U, 11U, 12U}) {
    make();
    store.submitted.clear();
    put_entry("www.example.com", -400, -100);
    ask_and_answer({.kind = Kind::Stale}, failure(2, ede));
    const auto got = replies();
    ASSERT_EQ(got.size(), 1U);
    EXPECT_FALSE(got[0]->stale);
    EXPECT_EQ(got[0]->answer->rcode, 2);
    EXPECT_EQ(got[0]->answer->ede, ede + 1);
    ASSERT_EQ(store.submitted.size(), 1U);  // and the stale entry is gone with it
    held.clear();
  }
}

TEST_F(AnswerTest, StaleNeverCoversAnNxdomain) {
  make();
  put_entry("www.example.com", -400, -100);
  ask_and_answer({.kind = Kind::Stale}, {.rcode = 3, .records = {soa(300, 300)}});
  const auto got = replies();
  ASSERT_EQ(got.size(), 1U);
  EXPECT_FALSE(got[0]->stale);
  EXPECT_EQ(got[0]->answer->rcode, 3);
  EXPECT_EQ(store.submitted.size(), 1U);
}

TEST_F(AnswerTest, TooOldIsNotGivenStale) {
  options.stale_max_s = 50;
  make();
  put_entry("www.example.com", -400, -100);
  ask_and_answer({.kind = Kind::Stale}, failure());
  const auto got = replies();
  ASSERT_EQ(got.size(), 1U);
  EXPECT_FALSE(got[0]->stale);
  EXPECT_EQ(got[0]->answer->rcode, 2);
}

TEST_F(AnswerTest, ACachedFailureIsNeverGivenStale) {
  make();
  put_entry("www.example.com", -10, -5, cache::Entry::kFailure, 2);
  ask({.kind = Kind::Stale});
  poll();
  advance_ms(options.deadline_ms);
  const auto got = replies();
  ASSERT_EQ(got.size(), 1U);
  EXPECT_FALSE(got[0]->stale);
}

TEST_F(AnswerTest, WithADeadResolverStaleComesAtOnce) {
  make();
  upstream.close_udp();
  put_entry("www.example.com", -400, -100);
  ask({.kind = Kind::Stale});
  advance_ms(50, 5);
  EXPECT_EQ(replies().size(), 1U);
  put_entry("mail.example.com", -400, -100);
  ask({.qname = "mail.example.com", .kind = Kind::Stale});
  advance_ms(5);
  const auto got = replies();
  ASSERT_EQ(got.size(), 1U);
  EXPECT_TRUE(got[0]->stale);
}

// --- Prefetch ---

TEST_F(AnswerTest, APrefetchThatDidNotExtendIsTriedOnceMore) {
  make();
  put_entry("www.example.com", -18, 2);
  ask({.kind = Kind::Prefetch});
  poll();
  EXPECT_TRUE(upstream.take().empty());  // Unbound's last tenth begins up to a second later than ours
  advance_ms(1000);
  auto asked = upstream.take();
  ASSERT_EQ(asked.size(), 1U);
  upstream.answer(asked[0], {.records = {{.ttl = 1}}});  // what it had left
  poll();
  EXPECT_EQ(count(Counter::PrefetchRetried), 1U);
  EXPECT_TRUE(store.submitted.empty());
  EXPECT_TRUE(upstream.take().empty());
  advance_ms(550);
  asked = upstream.take();
  ASSERT_EQ(asked.size(), 1U);
  upstream.answer(asked[0], {.records = {{.ttl = 20}}});
  poll();
  ASSERT_EQ(store.submitted.size(), 1U);
  EXPECT_EQ(store.submitted[0].entry().expires, seconds() + 20);
  EXPECT_TRUE(replies().empty());
  EXPECT_EQ(count(Counter::UpstreamQueries), 2U);
}

TEST_F(AnswerTest, APrefetchIsGivenUpAfterItsSecondTry) {
  make();
  put_entry("www.example.com", -3000, 300);
  ask({.kind = Kind::Prefetch});
  advance_ms(1001);
  upstream.answer(upstream.take().at(0), {.records = {{.ttl = 299}}});
  advance_ms(1001);
  upstream.answer(upstream.take().at(0), {.records = {{.ttl = 298}}});
  poll();
  advance_ms(5000);
  EXPECT_TRUE(upstream.take().empty());
  EXPECT_EQ(engine->questions(), 0U);
  EXPECT_TRUE(store.submitted.empty());
}

TEST_F(AnswerTest, AFailedPrefetchLeavesTheEntryAlone) {
  make();
  put_entry("www.example.com", -18, 2);
  ask({.kind = Kind::Prefetch});
  advance_ms(1001);
  upstream.answer(upstream.take().at(0), failure());
  poll();
  EXPECT_TRUE(store.submitted.empty());
  EXPECT_EQ(engine->questions(), 0U);
}

TEST_F(AnswerTest, AClientJoinsAPrefetchThatHasNotBegun) {
  make();
  put_entry("www.example.com", -18, 2);
  ask({.kind = Kind::Prefetch});
  poll();
  ask({.id = 5});
  poll();
  const auto asked = upstream.take();
  ASSERT_EQ(asked.size(), 1U);  // at once
  upstream.answer(asked[0]);
  poll();
  EXPECT_EQ(replies().size(), 1U);
}

TEST_F(AnswerTest, APrefetchOfWhatIsNotCachedIsNothing) {
  make();
  ask({.kind = Kind::Prefetch});
  advance_ms(2000);
  EXPECT_TRUE(upstream.take().empty());
  EXPECT_EQ(engine->questions(), 0U);
}

}  // namespace
}  // namespace swarmdns::miss::test
