#include "dataplane/restart/records.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/unit/dataplane/cache/helpers.h"

namespace swarmdns::restart {
namespace {

using cache::testing::make_image;
using cache::testing::Spec;

constexpr std::uint64_t kNow = std::uint64_t{cache::Clock::kStart} * 1000;

Moment moment(std::uint64_t wall_ms, std::uint64_t boot_ms, std::uint8_t boot) {
  Moment made{wall_ms, boot_ms, 0, {}};
  made.boot_id.fill(boot);
  return made;
}

std::span<const std::byte> octets_of(const Record& record) {
  return std::as_bytes(std::span(record.octets.data(), record.octets.size()));
}

TEST(Records, ComeBackAsTheyWere) {
  std::string payload;
  Moment then = moment(11, 22, 3);
  then.clock_ms = 33;
  append_moment(payload, then);
  // Of odd lengths, so that what follows is at an odd place.
  const auto first = make_image("a.example", Spec{.bytes = 61, .fill = 1});
  const auto second =
      make_image("bb.example", Spec{.bytes = 300, .fill = 2, .flags = cache::Entry::kAuthenticated});
  append_record(payload, first.entry(), {0, 17});
  append_record(payload, second.entry(), {513, (std::uint64_t{1} << 48) - 1});

  RecordCursor cursor(payload);
  EXPECT_EQ(cursor.moment(), then);
  const auto one = cursor.next();
  ASSERT_TRUE(one);
  EXPECT_EQ(one->origin.node, 0);
  EXPECT_EQ(one->origin.sequence, 17U);
  EXPECT_EQ(one->born, first.entry().born);
  EXPECT_EQ(one->expires, first.entry().expires);
  const auto two = cursor.next();
  ASSERT_TRUE(two);
  EXPECT_EQ(two->origin.node, 513);
  EXPECT_EQ(two->origin.sequence, (std::uint64_t{1} << 48) - 1);
  EXPECT_FALSE(cursor.next());
  EXPECT_FALSE(cursor.malformed());
  const auto image = cache::EntryImage::restore(octets_of(*two), 100, 400);
  ASSERT_TRUE(image) << to_text(image.error());
  EXPECT_TRUE(cache::same_content(image->entry(), second.entry()));
  EXPECT_EQ(image->entry().born, 100U);
  EXPECT_EQ(image->entry().expires, 400U);
  EXPECT_EQ(image->entry().flags, cache::Entry::kAuthenticated);
}

TEST(Records, WhateverIsInThemNothingIsReadBeyondThem) {
  std::string payload;
  append_moment(payload, moment(1, 1, 1));
  for (int i = 0; i < 4; ++i) {
    append_record(payload, make_image("n" + std::to_string(i) + ".example", Spec{.bytes = 40}).entry(),
                  {0, 1});
  }
  std::mt19937 random(1);
  for (int round = 0; round < 20'000; ++round) {
    std::string bad = payload;
    for (int n = 0; n < 1 + round % 4; ++n) bad[random() % bad.size()] = static_cast<char>(random());
    if (round % 3 == 0) bad.resize(random() % bad.size());
    // Where a sanitizer sees each octet behind its end.
    const std::vector<char> exact(bad.begin(), bad.end());
    RecordCursor cursor({exact.data(), exact.size()});
    if (!cursor.moment()) continue;
    while (const auto record = cursor.next()) {
      const auto image = cache::EntryImage::restore(octets_of(*record), 1, 2);
      if (!image) continue;
      // What passes may be answered from.
      for (const std::uint16_t offset : image->entry().ttl_offsets())
        ASSERT_LE(std::size_t{offset} + 6, image->entry().sections().size());
      ASSERT_TRUE(dns::NameView::parse(image->entry().qname()));
    }
  }
}

TEST(Records, TimeIsByTheWallOverABootAndByTheGreaterWithinOne) {
  const Moment then = moment(1'000'000, 500'000, 1);
  EXPECT_EQ(elapsed_ms(then, moment(1'060'000, 7'000, 2)), 60'000U);
  EXPECT_EQ(elapsed_ms(then, moment(1'060'000, 590'000, 1)), 90'000U) << "the wall clock was set back";
  EXPECT_EQ(elapsed_ms(then, moment(1'960'000, 590'000, 1)), 960'000U);
  EXPECT_EQ(elapsed_ms(then, moment(400'000, 590'000, 1)), 90'000U) << "the boot's clock knows";
  EXPECT_EQ(elapsed_ms(then, moment(998'500, 7'000, 2)), 1'500U) << "a small step back is time, too";
  const auto unknown = elapsed_ms(then, moment(400'000, 7'000, 2));
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().find("600 s in the future"), std::string::npos) << unknown.error();
  // No boot id is no boot.
  EXPECT_FALSE(elapsed_ms(moment(1'000'000, 500'000, 0), moment(400'000, 590'000, 0)));
}

TEST(Records, ALifeIsNeverLengthened) {
  const auto record = [](cache::Seconds born, cache::Seconds expires) {
    Record made;
    made.born = born;
    made.expires = expires;
    return made;
  };
  LifeRules rules;
  rules.max_ttl_s = 86'400;
  rules.stale_max_s = 3600;
  std::mt19937_64 random(2);
  for (int i = 0; i < 20'000; ++i) {
    rules.then_ms = kNow + random() % 10'000'000;
    rules.elapsed_ms = random() % 400'000;
    rules.now_ms = kNow + random() % 10'000'000;
    const auto then_s = static_cast<cache::Seconds>(rules.then_ms / 1000);
    const auto born = static_cast<cache::Seconds>(then_s - random() % 300);
    const Record each = record(born, static_cast<cache::Seconds>(born + random() % 600));
    const std::int64_t left_ms =
        std::int64_t{each.expires} * 1000 - static_cast<std::int64_t>(rules.then_ms + rules.elapsed_ms);
    const auto life = lifetime(each, rules);
    ASSERT_TRUE(life) << "within the stale window";
    const auto got_ms = std::int64_t{life->expires} * 1000 - static_cast<std::int64_t>(rules.now_ms);
    ASSERT_LE(got_ms, left_ms);
    ASSERT_GT(got_ms, left_ms - 2001);
    const std::int64_t age_ms =
        static_cast<std::int64_t>(rules.then_ms + rules.elapsed_ms) - std::int64_t{each.born} * 1000;
    ASSERT_GE(static_cast<std::int64_t>(rules.now_ms) - std::int64_t{life->born} * 1000, age_ms);
    ASSERT_LE(life->expires - life->born, each.expires - each.born);
  }
}

TEST(Records, WhatIsExpiredIsStaleForAsLongAsItWouldHaveBeen) {
  LifeRules rules{kNow, 10'000, kNow, 86'400, 60};
  Record record;
  record.born = cache::Clock::kStart - 100;
  record.expires = cache::Clock::kStart - 49;  // and 10 s have passed
  const auto stale = lifetime(record, rules);
  ASSERT_TRUE(stale);
  EXPECT_EQ(stale->expires, cache::Clock::kStart - 59);
  rules.elapsed_ms = 11'000;
  EXPECT_FALSE(lifetime(record, rules));
  rules.stale_max_s = 0;
  record.expires = cache::Clock::kStart + 11;
  EXPECT_FALSE(lifetime(record, rules)) << "not a moment of staleness is allowed";
  // A TTL that is now longer than allowed.
  rules = {kNow, 0, kNow, 60, 60};
  record.expires = cache::Clock::kStart + 500;
  EXPECT_EQ(lifetime(record, rules)->expires, cache::Clock::kStart + 60);
  // However absurd the clocks are.
  rules.elapsed_ms = UINT64_MAX;
  EXPECT_FALSE(lifetime(record, rules));
}

}  // namespace
}  // namespace swarmdns::restart
