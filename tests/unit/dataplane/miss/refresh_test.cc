// A name with a short life asked for all the time, with an upstream that caches and prefetches as Unbound
// does: its clients must never wait, and the upstream must not be asked often.
#include "tests/unit/dataplane/miss/fixture.h"

namespace swarmdns::miss::test {
namespace {

// Unbound's cache of one name: whole seconds of a clock of its own; in the last tenth of the TTL it answers
// with what is left and refreshes behind that.
class CachingUpstream {
 public:
  CachingUpstream(std::uint32_t ttl, std::uint64_t phase_us) : ttl_(ttl), phase_us_(phase_us) {}

  // The TTL in its answer at that moment.
  std::uint32_t ask(std::uint64_t now_us) {
    const std::uint64_t now = (now_us + phase_us_) / 1'000'000;
    if (refreshed_us_ != 0 && now_us >= refreshed_us_) {
      expires_ = (refreshed_us_ + phase_us_) / 1'000'000 + ttl_;
      refreshed_us_ = 0;
    }
    if (now >= expires_) {
      expires_ = now + ttl_;
      return ttl_;
    }
    const auto left = static_cast<std::uint32_t>(expires_ - now);
    if (refreshed_us_ == 0 && now >= expires_ - ttl_ / 10) refreshed_us_ = now_us + 30'000;
    return left;
  }

 private:
  const std::uint32_t ttl_;
  const std::uint64_t phase_us_;
  std::uint64_t expires_ = 0;
  std::uint64_t refreshed_us_ = 0;
};

class RefreshTest : public EngineTest, public ::testing::WithParamInterface<int> {};

// The parameter: how far the upstream's seconds are from ours, in tenths.
TEST_P(RefreshTest, AShortLivedNameNeverWaits) {
  constexpr std::uint32_t kTtl = 20;
  make();
  CachingUpstream cache(kTtl, static_cast<std::uint64_t>(GetParam()) * 100'000);
  const dns::Name qname = name("www.example.com");
  const cache::Key key{qname.wire().data(), static_cast<std::uint8_t>(qname.size()), 0, 0, 1};
  const std::uint64_t begin = now_us + 370'000;
  now_us = begin;
  int waits = 0;
  bool waiting = false;
  while (now_us < begin + 60'000'000) {
    // What a worker does (worker/lookup_stage.cc).
    const cache::Entry* entry = store.find(key);
    if (entry == nullptr || seconds() >= entry->expires) {
      if (!waiting) {
        ++waits;
        waiting = true;
        ask({.kind = entry == nullptr ? Kind::Miss : Kind::Stale});
      }
    } else if (std::uint64_t{entry->expires - seconds()} * 100 <=
                   std::uint64_t{entry->expires - entry->born} * 10 &&
               entry->ask_prefetch_once()) {
      ask({.kind = Kind::Prefetch});
    }
    poll();
    for (const auto& query : upstream.take())
      upstream.answer(query, {.records = {{.ttl = cache.ask(now_us)}}});
    poll();
    if (!replies().empty()) waiting = false;
    give_back();
    now_us += 20'000;
  }
  EXPECT_EQ(waits, 1);  // the first
  EXPECT_LE(count(Counter::UpstreamQueries), 3U * 60 / kTtl);
  EXPECT_GE(count(Counter::UpstreamQueries), 60U / kTtl);
}

INSTANTIATE_TEST_SUITE_P(Phases, RefreshTest, ::testing::Range(0, 10));

}  // namespace
}  // namespace swarmdns::miss::test
