// Hits write nothing that workers share: the whole pipeline runs on a table and slabs that are mapped
// read-only.
#include "tests/unit/dataplane/cache/write_fault.h"
#include "tests/unit/dataplane/worker/fixture.h"

namespace swarmdns::worker {
namespace {

using stats::Counter;

class ReadOnlyTest : public PipelineTest {
 protected:
  static constexpr std::size_t kNames = 32'000;

  ReadOnlyTest() {
    // All guards on; cookies are asked for and checked, nobody is limited.
    policy_.cookies = std::make_shared<guard::Cookies>(std::vector<guard::CookieSecret>(1), false);
    policy_.rate_limiter = guard::RateLimiter::create({.responses_per_second = 10'000'000});
    for (std::size_t i = 0; i < kNames; ++i) insert_nth(i);
  }

  const cache::Entry* insert_nth(std::size_t i) {
    if (i % 8 == 3) return insert(name(i), 300, 0, cache::Entry::kNegative, 3);
    if (i % 8 == 5) return insert(name(i), 300, 290);  // due for a refresh, which is asked for once
    return insert(name(i));
  }
  static std::string name(std::size_t i) { return "n" + std::to_string(i) + ".example.com."; }

  static test::FrameBuilder query(std::size_t i) {
    test::FrameBuilder frame = ask(i % 3 == 0 ? "N" + name(i).substr(1) : name(i));
    if (i % 2 == 0) {
      frame.source = "fd53:1::100";
      frame.destination = "fd53:1::1";
    }
    if (i % 4 < 2) {
      frame.payload = test::MessageBuilder()
                          .question(name(i), test::kA)
                          .opt(1232, false, test::option(10, test::hex("0102030405060708")))
                          .build();
    }
    return frame;
  }

  // Asks for every name, in bursts; the replies' octets one behind the other.
  test::Octets ask_all() {
    test::Octets replies;
    for (std::size_t first = 0; first < kNames; first += kMaxBurst) {
      std::vector<test::FrameBuilder> burst;
      for (std::size_t i = first; i < std::min(kNames, first + kMaxBurst); ++i) burst.push_back(query(i));
      run(burst);
      for (std::size_t i = 0; i < burst.size(); ++i) {
        EXPECT_EQ(batch_->fates[i], Fate::Reply) << name(first + i);
        test::put(replies, {batch_->frames[i].data, batch_->reply_lengths[i]});
      }
      while (channel_.next_request() != nullptr) channel_.pop_requests();
    }
    return replies;
  }
};

TEST_F(ReadOnlyTest, HitsWriteNothingOnceTheirMarksAreSet) {
  std::size_t spilled = 0;
  for (std::uint32_t i = 0; i < cache_->table().bucket_count(); ++i)
    spilled += cache_->table().bucket(i).spilled.load() != 0 ? 1U : 0U;
  ASSERT_GT(spilled, 100U);               // entries in their second buckets are asked for, too
  const test::Octets before = ask_all();  // sets the marks, and asks for refreshes
  const std::uint64_t hits = counters_.get(Counter::CacheHits);
  ASSERT_EQ(hits, kNames);
  ASSERT_GT(counters_.get(Counter::PrefetchAsked), 0U);
  ASSERT_TRUE(cache_->arena().protect(true));
  const test::Octets again = ask_all();
  ASSERT_TRUE(cache_->arena().protect(false));
  EXPECT_EQ(counters_.get(Counter::CacheHits), 2 * hits);
  EXPECT_EQ(counters_.get(Counter::CacheHitsNegative), 2 * kNames / 8);
  EXPECT_TRUE(again == before);
}

// That the test above can fail: one mark of all is not set, and setting it is a fault right there.
using ReadOnlyDeathTest = ReadOnlyTest;
TEST_F(ReadOnlyDeathTest, AMarkNotYetSetIsWritten) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  (void)ask_all();
  const test::Octets qname = test::wire_name(name(kNames - 7));
  const cache::Entry* entry = reader_->peek({.qname = qname.data(),
                                             .qname_len = static_cast<std::uint8_t>(qname.size()),
                                             .flags = 0,
                                             .view = 0,
                                             .qtype = test::kA});
  ASSERT_NE(entry, nullptr);
  ASSERT_EQ(entry->touched.exchange(0), 1);
  EXPECT_EXIT(
      {
        cache::testing::exit_on_fault_at(&entry->touched);
        (void)cache_->arena().protect(true);
        (void)ask_all();
        std::exit(0);
      },
      testing::ExitedWithCode(cache::testing::kWroteThere), "");
}

}  // namespace
}  // namespace swarmdns::worker
