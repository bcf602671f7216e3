// The stages together, on frames in plain memory.
#include <random>

#include "dataplane/exception/frame_ring.h"
#include "dataplane/worker/kernel_stage.h"
#include "tests/unit/dataplane/worker/fixture.h"

namespace swarmdns::worker {
namespace {

using stats::Counter;
using test::get16;
using test::get8;

TEST_F(PipelineTest, AHitIsAnsweredInItsOwnFrame) {
  const cache::Entry* entry = insert("www.example.com.");
  const auto query = ask("WwW.example.COM.");
  run({query});
  const auto message = reply(0, query);
  ASSERT_GE(message.size(), 12U);
  EXPECT_EQ(get16(message, 0), 0x1234U);
  EXPECT_EQ(get16(message, 2), 0x8180U);
  EXPECT_EQ(get16(message, 6), 1U);  // one answer
  EXPECT_TRUE(
      std::equal(query.payload.begin() + 12, query.payload.end(), message.begin() + 12));  // 0x20 kept
  EXPECT_EQ(counters_.get(Counter::CacheHits), 1U);
  EXPECT_EQ(counters_.get(Counter::Replies), 1U);
  EXPECT_EQ(counters_.get(Counter::RcodeNoError), 1U);
  EXPECT_EQ(batch_->hits, 1U);
  EXPECT_EQ(entry->touched.load(), 1);
  EXPECT_EQ(channel_.next_request(), nullptr);
}

TEST_F(PipelineTest, EveryFrameEndsInExactlyOneWay) {
  insert("www.example.com.");
  insert("nx.example.com.", 300, 0, cache::Entry::kNegative, 3);
  auto foreign = ask("www.example.com.");
  foreign.destination_mac = test::hex("02 00 00 00 00 99");
  auto tcp = ask("www.example.com.");
  tcp.protocol = 6;
  auto v6 = ask("www.example.com.");
  v6.source = "fd53:1::100";
  v6.destination = "fd53:1::1";
  auto response = ask("www.example.com.", 0x8180);
  const std::vector<test::FrameBuilder> frames = {
      ask("www.example.com."), foreign, ask("nx.example.com."), tcp, v6, response, ask("miss.example.com.")};
  run(frames);
  (void)reply(0, frames[0]);
  EXPECT_EQ(batch_->fates[1], Fate::Gone);
  EXPECT_EQ(get16(reply(2, frames[2]), 2) & 0xfU, 3U);
  EXPECT_EQ(batch_->fates[3], Fate::ToKernel);
  (void)reply(4, frames[4]);
  EXPECT_EQ(batch_->fates[5], Fate::Gone);
  EXPECT_EQ(batch_->fates[6], Fate::Gone);

  Police police;
  exception::FrameRing ring(8192);
  kernel_stage(*batch_, police, ring, counters_);
  EXPECT_EQ(counters_.get(Counter::RxFrames), frames.size());
  std::uint64_t ended = counters_.get(Counter::Replies) + counters_.get(Counter::CacheMisses);
  for (std::size_t c = 0; c < stats::kCounters; ++c) {
    const auto counter = static_cast<Counter>(c);
    if (stats::is_drop(counter) || stats::name(counter).starts_with("kernel.to_"))
      ended += counters_.get(counter);
  }
  EXPECT_EQ(ended, frames.size());
  EXPECT_EQ(counters_.get(Counter::DropForeignMac), 1U);
  EXPECT_EQ(counters_.get(Counter::DropResponse), 1U);
  EXPECT_EQ(counters_.get(Counter::ToKernelTcp), 1U);
  EXPECT_EQ(counters_.get(Counter::CacheHitsNegative), 1U);
  EXPECT_TRUE(std::ranges::equal(ring.front(), frames[3].build()));
}

TEST_F(PipelineTest, AMissIsCopiedToTheRingWithAllAWaiterNeeds) {
  auto query = ask("Miss.Example.com.");
  query.tags = {{0x8100, 42}};
  run({query});
  const miss::Request* request = channel_.next_request();
  ASSERT_NE(request, nullptr);
  EXPECT_EQ(request->kind, miss::Kind::Miss);
  EXPECT_EQ(request->qtype, test::kA);
  EXPECT_EQ(request->waiter.asked_tsc, 12345U);
  EXPECT_EQ(request->waiter.headers_len, 14 + 4 + 20 + 8);
  const auto qname = test::wire_name("Miss.Example.com.");
  ASSERT_EQ(request->qname_len, qname.size());
  EXPECT_TRUE(std::equal(qname.begin(), qname.end(), request->qname.begin()));
  EXPECT_EQ(counters_.get(Counter::CacheMisses), 1U);
  EXPECT_EQ(counters_.get(Counter::Replies), 0U);
}

TEST_F(PipelineTest, WithoutRecursionDesiredNothingIsAskedUpstream) {
  insert("old.example.com.", 300, 400);
  const std::vector<test::FrameBuilder> frames = {ask("miss.example.com.", 0), ask("old.example.com.", 0)};
  run(frames);
  for (std::size_t i = 0; i < frames.size(); ++i) EXPECT_EQ(get16(reply(i, frames[i]), 2) & 0xfU, 5U);
  EXPECT_EQ(channel_.next_request(), nullptr);
  EXPECT_EQ(counters_.get(Counter::RcodeRefused), 2U);
}

TEST_F(PipelineTest, WithoutRecursionDesiredTheCacheStillAnswers) {
  insert("www.example.com.", 300, 299);  // due for a refresh, which RD = 0 does not start either
  const auto query = ask("www.example.com.", 0);
  run({query});
  EXPECT_EQ(get16(reply(0, query), 6), 1U);
  EXPECT_EQ(channel_.next_request(), nullptr);
}

TEST_F(PipelineTest, AFullRingDropsAndCounts) {
  std::vector<test::FrameBuilder> frames;
  for (int i = 0; i < 20; ++i) frames.push_back(ask("m" + std::to_string(i) + ".example.com."));
  run(frames);
  EXPECT_EQ(counters_.get(Counter::CacheMisses), 16U);
  EXPECT_EQ(counters_.get(Counter::DropMissRingFull), 4U);
}

TEST_F(PipelineTest, AnExpiredEntryIsRefreshedFirst) {
  insert("old.example.com.", 300, 400);
  run({ask("old.example.com.")});
  EXPECT_EQ(batch_->fates[0], Fate::Gone);
  ASSERT_NE(channel_.next_request(), nullptr);
  EXPECT_EQ(channel_.next_request()->kind, miss::Kind::Stale);
  EXPECT_EQ(counters_.get(Counter::CacheHits), 0U);
}

TEST_F(PipelineTest, StaleIsGivenAtOnceWhenNoRefreshCanEvenBeTried) {
  insert("old.example.com.", 300, 400);
  for (int i = 0; i < 16; ++i) {
    ASSERT_NE(channel_.claim(), nullptr);
    channel_.publish();
  }
  const auto query = ask("old.example.com.");
  run({query});
  const auto message = reply(0, query);
  EXPECT_EQ(get16(message, 6), 1U);
  EXPECT_EQ(counters_.get(Counter::StaleServed), 1U);
  EXPECT_EQ(counters_.get(Counter::DropMissRingFull), 0U);
}

TEST_F(PipelineTest, TooOldOrFailedIsNeverStale) {
  policy_.stale_max_s = 50;
  insert("old.example.com.", 300, 400);
  insert("fail.example.com.", 5, 0, cache::Entry::kFailure, 2);
  now_ += 10;
  run({ask("old.example.com."), ask("fail.example.com.")});
  ASSERT_NE(channel_.next_request(1), nullptr);
  EXPECT_EQ(channel_.next_request(0)->kind, miss::Kind::Miss);
  EXPECT_EQ(channel_.next_request(1)->kind, miss::Kind::Miss);
}

TEST_F(PipelineTest, AnEntryNearItsExpiryIsAnsweredAndRefreshedOnce) {
  insert("www.example.com.", 300, 290);
  const auto query = ask("www.example.com.");
  run({query, query, query});
  for (std::size_t i = 0; i < 3; ++i) (void)reply(i, query);
  ASSERT_NE(channel_.next_request(0), nullptr);
  EXPECT_EQ(channel_.next_request(0)->kind, miss::Kind::Prefetch);
  EXPECT_EQ(channel_.next_request(1), nullptr);
  run({query});
  EXPECT_EQ(channel_.next_request(1), nullptr);
  EXPECT_EQ(counters_.get(Counter::PrefetchAsked), 1U);
  EXPECT_EQ(counters_.get(Counter::CacheMisses), 0U);
}

TEST_F(PipelineTest, PrefetchCanBeSwitchedOff) {
  policy_.prefetch_percent = 0;
  insert("www.example.com.", 300, 299);
  run({ask("www.example.com.")});
  EXPECT_EQ(channel_.next_request(), nullptr);
}

TEST_F(PipelineTest, TheAclDropsOrRefuses) {
  const guard::AclRule rules[] = {{*guard::Prefix::parse("10.53.1.100"), guard::AclAction::Deny},
                                  {*guard::Prefix::parse("10.53.1.101"), guard::AclAction::Refuse}};
  policy_.acl = guard::Acl::build(rules, guard::AclAction::Allow);
  insert("www.example.com.");
  auto refused = ask("www.example.com.");
  refused.source = "10.53.1.101";
  run({ask("www.example.com."), refused});
  EXPECT_EQ(batch_->fates[0], Fate::Gone);
  EXPECT_EQ(counters_.get(Counter::DropAcl), 1U);
  const auto message = reply(1, refused);
  EXPECT_EQ(get16(message, 2) & 0xfU, 5U);
  EXPECT_EQ(get16(message, 6), 0U);
  EXPECT_EQ(counters_.get(Counter::CacheHits), 0U);  // nobody learns what the cache holds
}

TEST_F(PipelineTest, RateLimitedAnswersSlipOrGo) {
  policy_.rate_limiter =
      guard::RateLimiter::create({.responses_per_second = 10, .prefix_scale = 8, .slip = 2});
  insert("www.example.com.");
  const auto query = ask("www.example.com.");
  for (int round = 0; round < 4; ++round) run(std::vector(32, query));
  EXPECT_GT(counters_.get(Counter::DropRateLimited), 0U);
  EXPECT_GT(counters_.get(Counter::RateLimitSlipped), 0U);
  EXPECT_EQ(counters_.get(Counter::Replies) + counters_.get(Counter::DropRateLimited), 128U);
  EXPECT_EQ(counters_.get(Counter::Truncated), counters_.get(Counter::RateLimitSlipped));
  EXPECT_LE(counters_.get(Counter::Replies) - counters_.get(Counter::RateLimitSlipped), 20U);
}

TEST_F(PipelineTest, ExemptPrefixesAndValidCookiesAreNotLimited) {
  policy_.rate_limiter =
      guard::RateLimiter::create({.responses_per_second = 1, .prefix_scale = 1, .slip = 0});
  policy_.rate_limit_exempt = {*guard::Prefix::parse("10.53.1.0/24")};
  insert("www.example.com.");
  const auto query = ask("www.example.com.");
  run(std::vector(64, query));
  EXPECT_EQ(counters_.get(Counter::Replies), 64U);

  policy_.rate_limit_exempt.clear();
  policy_.cookies = std::make_shared<guard::Cookies>(std::vector<guard::CookieSecret>(1), false);
  auto first = ask("www.example.com.");
  first.source = "10.53.2.7";
  const auto with_cookie = [&](std::span<const std::byte> cookie) {
    test::FrameBuilder frame = first;
    frame.payload = test::MessageBuilder()
                        .question("www.example.com.", test::kA)
                        .opt(1232, false, test::option(10, cookie))
                        .build();
    return frame;
  };
  run({with_cookie(test::hex("0102030405060708"))});
  const auto message = reply(0, first);
  ASSERT_GT(message.size(), 28U);
  const auto cookie = std::span<const std::byte>(message).last(24);  // the option ends the message
  EXPECT_EQ(counters_.get(Counter::CookieOnlyClient), 1U);
  const std::uint64_t before = counters_.get(Counter::Replies);
  run(std::vector(64, with_cookie(cookie)));
  EXPECT_EQ(counters_.get(Counter::CookieValid), 64U);
  EXPECT_EQ(counters_.get(Counter::Replies) - before, 64U);
}

TEST_F(PipelineTest, AnyBytesInAnyLengthAreSurvived) {
  insert("www.example.com.");
  std::mt19937 random(11);
  const test::Octets good = ask("www.example.com.").build();
  for (int round = 0; round < 2000; ++round) {
    batch_->count = 64;
    memory_.assign(64, good);
    for (std::size_t i = 0; i < 64; ++i) {
      // Mostly right, so that all stages see damage; the memory ends where the room does.
      for (unsigned n = random() % 6; n > 0; --n)
        memory_[i][random() % good.size()] = static_cast<std::byte>(random());
      const std::size_t length = random() % 8 == 0 ? random() % (good.size() + 1) : good.size();
      memory_[i].resize(std::max<std::size_t>(length, random() % 3 == 0 ? length : 600));
      memory_[i].shrink_to_fit();
      batch_->frames[i] = {memory_[i].data(), static_cast<std::uint16_t>(length),
                           static_cast<std::uint16_t>(memory_[i].size()), false};
    }
    run_stages(*batch_, {.policy = policy_,
                         .identity = *policy_.ports[0],
                         .reader = *reader_,
                         .misses = channel_,
                         .counters = counters_,
                         .moment = {.now = kNow, .wall_s = 1, .ms = 1},
                         .port = 0});
    while (channel_.next_request() != nullptr) channel_.pop_requests();
    for (std::size_t i = 0; i < 64; ++i) {
      ASSERT_NE(batch_->fates[i], Fate::Pending);
      if (batch_->fates[i] == Fate::Reply) {
        ASSERT_LE(batch_->reply_lengths[i], batch_->frames[i].room);
      }
    }
  }
  EXPECT_GT(counters_.get(Counter::CacheHits), 0U);
}

TEST_F(PipelineTest, KernelFramesArePolicedAndTheRingIsBounded) {
  auto tcp = ask("www.example.com.");
  tcp.protocol = 6;
  run(std::vector(64, tcp));
  PoliceRates rates;
  rates.tcp = {.per_second = 1000, .burst = 60};
  Police police(rates);
  exception::FrameRing ring(4096);
  kernel_stage(*batch_, police, ring, counters_);
  EXPECT_EQ(counters_.get(Counter::DropKernelPoliced), 4U);
  EXPECT_GT(counters_.get(Counter::DropKernelRingFull), 0U);
  EXPECT_EQ(counters_.get(Counter::ToKernelTcp) + counters_.get(Counter::DropKernelRingFull), 60U);
  std::size_t carried = 0;
  for (; !ring.front().empty(); ring.pop()) ++carried;
  EXPECT_EQ(carried, counters_.get(Counter::ToKernelTcp));
}

}  // namespace
}  // namespace swarmdns::worker
