#include "dataplane/stats/counters.h"

#include <gtest/gtest.h>

#include <set>

namespace swarmdns::stats {
namespace {

TEST(Counters, EachHasAStableDistinctName) {
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < kCounters; ++i) {
    const std::string_view text = name(static_cast<Counter>(i));
    EXPECT_NE(text.find('.'), std::string_view::npos) << text;
    EXPECT_TRUE(seen.insert(text).second) << text;
  }
  EXPECT_EQ(name(Counter::DropUdpChecksum), "drop.udp_checksum");
  EXPECT_EQ(name(Counter::CacheHits), "cache.hits");
  EXPECT_EQ(name(Counter::Count_), "unknown");
}

TEST(Counters, DropsAreTheEnumeratorsCalledDrop) {
  EXPECT_TRUE(is_drop(Counter::DropRunt));
  EXPECT_TRUE(is_drop(Counter::DropTxFull));
  EXPECT_FALSE(is_drop(Counter::ToKernelArp));
  EXPECT_FALSE(is_drop(Counter::CacheInsertDropped));
}

TEST(Counters, BlockAddsUp) {
  Block block;
  block.add(Counter::CacheHits);
  block.add(Counter::CacheHits, 41);
  EXPECT_EQ(block.get(Counter::CacheHits), 42U);
  EXPECT_EQ(block.get(Counter::CacheMisses), 0U);
}

}  // namespace
}  // namespace swarmdns::stats
