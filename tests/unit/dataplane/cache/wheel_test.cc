#include "dataplane/cache/wheel.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

namespace swarmdns::cache {
namespace {

std::vector<PageIndex> due(Wheel& wheel) {
  std::vector<PageIndex> out;
  for (PageIndex page = wheel.pop_due(); page != kNoPage; page = wheel.pop_due()) out.push_back(page);
  return out;
}

TEST(Wheel, DueAtTheDeadlineNotBefore) {
  // Across the wrap of every level.
  for (const Seconds start :
       {Seconds{0}, Seconds{200}, Seconds{65'500}, Seconds{0xfffff0}, Seconds{1 << 20}}) {
    for (const Seconds ahead : {1U, 2U, 255U, 256U, 257U, 511U, 65'535U, 65'536U, 65'537U, 200'000U}) {
      std::vector<Page> pages(1);
      Wheel wheel(pages, start);
      wheel.schedule(0, start + ahead);
      ASSERT_FALSE(wheel.advance(start + ahead - 1, 0xffff'ffff));
      ASSERT_TRUE(due(wheel).empty()) << start << "+" << ahead;
      ASSERT_FALSE(wheel.advance(start + ahead, 0xffff'ffff));
      ASSERT_EQ(due(wheel), std::vector<PageIndex>{0}) << start << "+" << ahead;
    }
  }
}

TEST(Wheel, PastDeadlinesAreDueAtOnce) {
  std::vector<Page> pages(2);
  Wheel wheel(pages, 1000);
  wheel.schedule(0, 1000);
  wheel.schedule(1, 3);
  EXPECT_EQ(due(wheel).size(), 2U);
}

TEST(Wheel, TheEarliestDeadlineStands) {
  std::vector<Page> pages(1);
  Wheel wheel(pages, 0);
  wheel.schedule(0, 500);
  wheel.schedule(0, 900);
  wheel.schedule(0, 300);
  wheel.schedule(0, kNever);
  wheel.advance(299, 1000);
  EXPECT_TRUE(due(wheel).empty());
  wheel.advance(300, 1000);
  EXPECT_EQ(due(wheel).size(), 1U);
  wheel.advance(1000, 1000);
  EXPECT_TRUE(due(wheel).empty());
}

TEST(Wheel, NeverIsNeverDue) {
  std::vector<Page> pages(1);
  Wheel wheel(pages, 0);
  wheel.schedule(0, kNever);
  wheel.advance(100'000, 0xffff'ffff);
  EXPECT_TRUE(due(wheel).empty());
}

TEST(Wheel, LongWaysAreTakenInSlices) {
  std::vector<Page> pages(1);
  Wheel wheel(pages, 0);
  wheel.schedule(0, 90'000);
  EXPECT_TRUE(wheel.advance(100'000, 50'000));
  EXPECT_TRUE(due(wheel).empty());
  EXPECT_FALSE(wheel.advance(100'000, 50'000));
  EXPECT_EQ(due(wheel).size(), 1U);
}

TEST(Wheel, EqualsAReferenceUnderRandomUse) {
  constexpr PageIndex kPages = 500;
  std::vector<Page> pages(kPages);
  Seconds now = 1U << 20;
  Wheel wheel(pages, now);
  std::map<PageIndex, Seconds> reference;
  std::mt19937_64 random(4);
  for (int n = 0; n < 100'000; ++n) {
    const auto page = static_cast<PageIndex>(random() % kPages);
    const Seconds deadline =
        now + static_cast<Seconds>(random() % 7 == 0 ? random() % 300'000 : random() % 400);
    wheel.schedule(page, deadline);
    const auto [at, fresh] = reference.try_emplace(page, deadline);
    if (!fresh) at->second = std::min(at->second, deadline);
    if (random() % 4 == 0) {
      now += static_cast<Seconds>(random() % 40);
      ASSERT_FALSE(wheel.advance(now, 0xffff'ffff));
      for (const PageIndex popped : due(wheel)) {
        ASSERT_LE(reference.at(popped), now);
        reference.erase(popped);
      }
      for (const auto& [left, at_least] : reference) ASSERT_GT(at_least, now) << left;
    }
  }
}

}  // namespace
}  // namespace swarmdns::cache
