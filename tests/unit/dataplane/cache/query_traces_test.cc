// What hit ratios are measured on.
#include "tests/bench/query_traces.h"

#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>

#include "tests/unit/dataplane/cache/helpers.h"

namespace swarmdns::bench {
namespace {

using cache::testing::TestKey;

class QueryTraces : public ::testing::Test {
 protected:
  QueryTraces() {
    char name[] = "/tmp/query-traces-XXXXXX";
    const int file = ::mkstemp(name);
    EXPECT_GE(file, 0);
    ::close(file);
    path_ = name;
  }
  ~QueryTraces() override { ::unlink(path_.c_str()); }

  void write(const std::string& text, bool zipped) const {
    if (!zipped) {
      std::ofstream(path_) << text;
      return;
    }
    const gzFile file = gzopen(path_.c_str(), "wb");
    EXPECT_EQ(gzwrite(file, text.data(), static_cast<unsigned>(text.size())), static_cast<int>(text.size()));
    EXPECT_EQ(gzclose(file), Z_OK);
  }

  std::string path_;
};

TEST_F(QueryTraces, AListIsReadInItsOrderGzippedOrNot) {
  for (const bool zipped : {false, true}) {
    write(
        "# two types of one name, and one name in two cases\n"
        "www.example.com. A\nwww.example.com. AAAA\nWWW.Example.com A\nwww.example.com. ANY\nb.example. A\n",
        zipped);
    const auto trace = list_trace(path_);
    ASSERT_TRUE(trace) << trace.error();
    EXPECT_EQ(trace->asked, (std::vector<NameNumber>{0, 1, 0, 2}));  // ANY is never cached
    EXPECT_EQ(trace->distinct, 3U);
    const TestKey expected("www.example.com", 28);
    const cache::Key key = trace->key(1);
    EXPECT_EQ(key.word(), expected.key.word());
    EXPECT_TRUE(std::equal(expected.name.begin(), expected.name.end(), key.qname));
  }
}

TEST_F(QueryTraces, WhatIsNoListIsRefused) {
  EXPECT_FALSE(list_trace(path_ + "-is-not-there"));
  write("only-a-name.example.\n", false);
  const auto trace = list_trace(path_);
  ASSERT_FALSE(trace);
  EXPECT_NE(trace.error().find(path_ + ":1:"), std::string::npos) << trace.error();
  write(std::string(100'000, 'x'), true);
  ASSERT_EQ(::truncate(path_.c_str(), 60), 0);
  EXPECT_FALSE(list_trace(path_));
}

TEST_F(QueryTraces, AScanAsksForEachOfItsNamesOnce) {
  const Trace trace = zipf_trace({.name = "scan", .names = 1000, .queries = 20'000, .scan = 0.3}, 5);
  ASSERT_EQ(trace.asked.size(), 20'000U);
  std::vector<unsigned> times(trace.names());
  for (const NameNumber name : trace.asked) ++times[name];
  const std::size_t scanned = trace.names() - trace.distinct;
  EXPECT_NEAR(static_cast<double>(scanned), 6000, 300);
  EXPECT_EQ(std::count(times.begin() + 1000, times.end(), 1U), static_cast<std::ptrdiff_t>(scanned));
  EXPECT_GT(times[0], 5 * times[9]);  // Zipf(1.0): ten times as often
  EXPECT_EQ(zipf_trace({.name = "scan", .names = 1000, .queries = 20'000, .scan = 0.3}, 5).asked,
            trace.asked);
}

}  // namespace
}  // namespace swarmdns::bench
