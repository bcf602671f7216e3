#include "controlplane/cli/human.h"

#include <gtest/gtest.h>

namespace swarmdns::controlplane {
namespace {

TEST(Human, Commas) {
  EXPECT_EQ(with_commas(0), "0");
  EXPECT_EQ(with_commas(999), "999");
  EXPECT_EQ(with_commas(1000), "1,000");
  EXPECT_EQ(with_commas(18446744073709551615u), "18,446,744,073,709,551,615");
}

TEST(Human, Bytes) {
  EXPECT_EQ(bytes_text(0), "0 B");
  EXPECT_EQ(bytes_text(1023), "1023 B");
  EXPECT_EQ(bytes_text(1024), "1.0 KiB");
  EXPECT_EQ(bytes_text(256u << 20), "256.0 MiB");
  EXPECT_EQ(bytes_text(18446744073709551615u), "16.0 EiB");
}

TEST(Human, Durations) {
  EXPECT_EQ(duration_text(999), "999 ms");
  EXPECT_EQ(duration_text(119999), "119 s");
  EXPECT_EQ(duration_text(120000), "2 min");
  EXPECT_EQ(duration_text(3 * 3600000 + 5 * 60000), "3 h 5 min");
  EXPECT_EQ(duration_text(49ull * 3600000), "2 d 1 h");
}

TEST(Human, Nanoseconds) {
  EXPECT_EQ(nanoseconds_text(999), "999 ns");
  EXPECT_EQ(nanoseconds_text(1300), "1.3 us");
  EXPECT_EQ(nanoseconds_text(4200000), "4.2 ms");
  EXPECT_EQ(nanoseconds_text(1200000000), "1.2 s");
}

TEST(Human, RatesAndShares) {
  EXPECT_EQ(rate_text(0), "0");
  EXPECT_EQ(rate_text(12.34), "12.3");
  EXPECT_EQ(rate_text(1234.5), "1,235");
  EXPECT_EQ(percent_text(1, 8), "12.5 %");
  EXPECT_EQ(percent_text(1, 0), "-");
}

}  // namespace
}  // namespace swarmdns::controlplane
