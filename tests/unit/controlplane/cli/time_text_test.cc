#include "controlplane/cli/time_text.h"

#include <gtest/gtest.h>

namespace swarmdns::controlplane {
namespace {

constexpr uint64_t kNow = 1795367400000;  // 2026-11-22T17:10:00Z

TEST(TimeText, IsUtcAndSaysSo) {
  EXPECT_EQ(time_text(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(time_text(kNow + 999), "2026-11-22T17:10:00Z");
  EXPECT_EQ(time_text_with_ms(kNow + 42), "2026-11-22T17:10:00.042Z");
  EXPECT_EQ(time_text(UINT64_MAX), "never");
  EXPECT_EQ(time_text_with_ms(UINT64_MAX), "never");
}

TEST(TimeText, ReadsWhatItWrites) {
  for (const uint64_t ms : {uint64_t{1}, kNow, kNow + 42, uint64_t{1709164800000} /* 29 February */}) {
    EXPECT_EQ(*parse_time(time_text_with_ms(ms), kNow), ms);
  }
}

TEST(TimeText, ReadsPointsOfTime) {
  EXPECT_EQ(*parse_time("2026-11-22T17:00:00Z", kNow), kNow - 600000);
  EXPECT_EQ(*parse_time("2026-11-22T17:00Z", kNow), kNow - 600000);
  EXPECT_EQ(*parse_time("now", kNow), kNow);
}

TEST(TimeText, ATimeOfDayIsTheLastOne) {
  EXPECT_EQ(*parse_time("17:05", kNow), kNow - 300000);
  EXPECT_EQ(*parse_time("17:05:30", kNow), kNow - 270000);
  EXPECT_EQ(*parse_time("17:05:30.5Z", kNow), kNow - 269500);
  EXPECT_EQ(*parse_time("17:10", kNow), kNow);
  EXPECT_EQ(*parse_time("17:11", kNow), kNow + 60000 - 86400000);  // yesterday's
}

TEST(TimeText, ReadsSpansBeforeNow) {
  EXPECT_EQ(*parse_time("-10m", kNow), kNow - 600000);
  EXPECT_EQ(*parse_time("-90s", kNow), kNow - 90000);
  EXPECT_EQ(*parse_time("-2h", kNow), kNow - 7200000);
  EXPECT_EQ(*parse_time("-1d", kNow), kNow - 86400000);
}

TEST(TimeText, RefusesTheRest) {
  for (const char* text :
       {"", "-", "10m", "25:00", "17:60", "17", "17:5", "17:05:", "17:05:30.", "17:05 ", "2026-11-22",
        "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-11-22T17:00:00", "2026-11-22 17:00:00Z",
        "2026-11-22T17:00:00+01:00", "-1w", "-99999999999d", "yesterday"}) {
    EXPECT_FALSE(parse_time(text, kNow)) << text;
  }
  EXPECT_EQ(parse_time("noon", kNow).error(),
            "\"noon\" is not a time; 2026-11-22T17:00:00Z, 17:05 (the last one, UTC), -10m (ten minutes ago) "
            "and now "
            "are");
}

TEST(TimeText, APlainNumberIsAHeight) {
  EXPECT_EQ(parse_height_or_time("57", kNow)->height, 57u);
  EXPECT_EQ(parse_height_or_time("57", kNow)->ms, 0u);
  EXPECT_EQ(parse_height_or_time("17:05", kNow)->height, 0u);
  EXPECT_EQ(parse_height_or_time("17:05", kNow)->ms, kNow - 300000);
  EXPECT_EQ(parse_height_or_time("0", kNow).error(),
            "\"0\" is not a height of the ledger; they are counted from 1");
  EXPECT_FALSE(parse_height_or_time("99999999999999999999", kNow));
  EXPECT_FALSE(parse_height_or_time("-57", kNow));
}

TEST(Duration, ReadsWhatItWrites) {
  EXPECT_EQ(*parse_duration("250ms"), 250u);
  EXPECT_EQ(*parse_duration("90s"), 90000u);
  EXPECT_EQ(*parse_duration("30m"), 1800000u);
  EXPECT_EQ(*parse_duration("7d"), 604800000u);
  for (const char* text :
       {"", "s", "90", "1.5h", "-1s", "1w", "90 s", "99999999999999999999d", "9999999999999d"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
  for (const char* text : {"250ms", "90s", "30m", "36h", "7d"})
    EXPECT_EQ(duration_word(*parse_duration(text)), text);
  EXPECT_EQ(duration_word(3600000), "1h");
  EXPECT_EQ(duration_word(0), "0s");
}

}  // namespace
}  // namespace swarmdns::controlplane
