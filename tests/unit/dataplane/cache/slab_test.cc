#include "dataplane/cache/slab.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <set>
#include <vector>

namespace swarmdns::cache {
namespace {

TEST(SizeClasses, EverySizeFitsItsClassAndNoSmallerOne) {
  const SizeClasses classes;
  for (std::size_t bytes = 1; bytes <= Entry::kMaxSize; ++bytes) {
    const SizeClass c = classes.of(bytes);
    ASSERT_GE(classes.size(c), bytes);
    if (c > 0) {
      ASSERT_LT(classes.size(static_cast<SizeClass>(c - 1)), bytes);
    }
  }
}

TEST(SizeClasses, SlotsAndTheirRecordsFitThePageAndWasteLittle) {
  const SizeClasses classes;
  for (std::size_t i = 0; i < classes.count(); ++i) {
    const auto c = static_cast<SizeClass>(i);
    EXPECT_EQ(classes.size(c) % 8, 0U);
    EXPECT_GE(classes.slots(c), 1U);
    const std::size_t used = classes.slots(c) * (classes.size(c) + kSlotRecord);
    EXPECT_LE(used, kPageSize);
    EXPECT_GT(used, kPageSize * 93 / 100) << classes.size(c);
    if (i > 0 && classes.size(c) <= 4096) {
      const auto before = classes.size(static_cast<SizeClass>(i - 1));
      EXPECT_LE(classes.size(c) - before, std::max(8U, before / 15 + 8)) << classes.size(c);
    }
  }
}

class SlabTest : public ::testing::Test {
 protected:
  static constexpr std::size_t kPages = 8;

  SlabTest() : memory_(static_cast<std::byte*>(std::aligned_alloc(kPageSize, (kPages + 1) * kPageSize))) {}
  ~SlabTest() override { std::free(memory_); }

  std::byte* memory_;
  std::vector<Page> pages_ = std::vector<Page>(kPages);
  Slab slab_{memory_, memory_ + kPageSize, pages_};
};

TEST_F(SlabTest, PlaceAndRefAreInverse) {
  const SizeClasses& classes = slab_.classes();
  for (std::size_t i = 0; i < classes.count(); ++i) {
    const auto c = static_cast<SizeClass>(i);
    ASSERT_TRUE(slab_.grow(c));
    std::vector<Ref> taken;
    std::set<Ref> distinct;
    while (const Ref ref = slab_.take_slot(c)) {
      taken.push_back(ref);
      distinct.insert(ref);
      const SlotPlace at = slab_.place(ref);
      ASSERT_EQ(slab_.ref(at), ref);
      ASSERT_EQ(at.slot, taken.size() - 1);
    }
    ASSERT_EQ(distinct.size(), classes.slots(c));
    // The last slot ends before the records begin.
    const SlotPlace last = slab_.place(taken.back());
    ASSERT_LE(reinterpret_cast<std::byte*>(slab_.entry(taken.back())) + classes.size(c),
              reinterpret_cast<std::byte*>(slab_.flags(last.page)));
    for (const Ref ref : taken) slab_.give_back(ref, false);
    ASSERT_EQ(slab_.pool(), kPages);
  }
}

TEST_F(SlabTest, RecordsOfSlotsDoNotOverlap) {
  const SizeClass c = slab_.classes().of(100);
  ASSERT_TRUE(slab_.grow(c));
  std::vector<SlotPlace> places;
  while (const Ref ref = slab_.take_slot(c)) places.push_back(slab_.place(ref));
  for (const SlotPlace& at : places) {
    std::memset(static_cast<void*>(slab_.entry(slab_.ref(at))), 0xee, slab_.classes().size(c));
    slab_.set_live(at, 0);
    slab_.deadlines(at.page)[at.slot] = 1000 + at.slot;
    slab_.set_origin(at, {static_cast<std::uint16_t>(at.slot), 0xffff'0000'0000U + at.slot});
  }
  for (const SlotPlace& at : places) {
    EXPECT_EQ(slab_.flags(at.page)[at.slot], kSlotLive | kSlotYoung);
    EXPECT_EQ(slab_.deadlines(at.page)[at.slot], 1000 + at.slot);
    EXPECT_EQ(slab_.origin(at).node, at.slot);
    EXPECT_EQ(slab_.origin(at).sequence, 0xffff'0000'0000U + at.slot);
  }
}

TEST_F(SlabTest, EmptyPagesServeAnotherClass) {
  const SizeClass small = slab_.classes().of(64);
  const SizeClass large = slab_.classes().of(30'000);
  for (std::size_t n = 0; n < kPages; ++n) ASSERT_TRUE(slab_.grow(small));
  EXPECT_FALSE(slab_.grow(large));
  std::vector<Ref> taken;
  while (const Ref ref = slab_.take_slot(small)) taken.push_back(ref);
  EXPECT_EQ(taken.size(), kPages * slab_.classes().slots(small));
  const PageIndex victim = slab_.place(taken[0]).page;
  for (const Ref ref : taken) {
    if (slab_.place(ref).page == victim) slab_.give_back(ref, false);
  }
  EXPECT_EQ(slab_.pool(), 1U);
  EXPECT_TRUE(slab_.grow(large));
  EXPECT_NE(slab_.take_slot(large), 0U);
  EXPECT_EQ(slab_.take_slot(small), 0U);
}

TEST_F(SlabTest, ALeavingPageGivesOutNothingAndGoesWhenTheLastSlotIsBack) {
  const SizeClass c = slab_.classes().of(1000);
  ASSERT_TRUE(slab_.grow(c));
  const Ref live = slab_.take_slot(c);
  const SlotPlace at = slab_.place(live);
  slab_.set_live(at, 0);
  slab_.start_leaving(at.page);
  EXPECT_EQ(slab_.take_slot(c), 0U);
  EXPECT_EQ(slab_.leaving(), 1U);
  slab_.set_retiring(at);
  EXPECT_EQ(slab_.pool(), kPages - 1);  // until the grace period is over
  slab_.give_back(live, true);
  EXPECT_EQ(slab_.pool(), kPages);
  EXPECT_EQ(slab_.leaving(), 0U);
  EXPECT_EQ(slab_.state(c).room, 0U);
}

TEST_F(SlabTest, CountsStayRightUnderRandomUse) {
  std::mt19937_64 random(5);
  std::vector<Ref> live;
  std::vector<Ref> retiring;
  for (int n = 0; n < 200'000; ++n) {
    switch (random() % 4) {
      case 0:
      case 1: {
        const SizeClass c = slab_.classes().of(600 + 400 * (random() % 3));
        Ref ref = slab_.take_slot(c);
        if (ref == 0 && slab_.grow(c)) ref = slab_.take_slot(c);
        if (ref == 0) break;
        slab_.set_live(slab_.place(ref), 0);
        live.push_back(ref);
        break;
      }
      case 2:
        if (live.empty()) break;
        std::swap(live[random() % live.size()], live.back());
        slab_.set_retiring(slab_.place(live.back()));
        retiring.push_back(live.back());
        live.pop_back();
        break;
      default:
        if (retiring.empty()) break;
        std::swap(retiring[random() % retiring.size()], retiring.back());
        slab_.give_back(retiring.back(), true);
        retiring.pop_back();
        if (random() % 1000 == 0 && !live.empty()) slab_.start_leaving(slab_.place(live[0]).page);
    }
  }
  std::uint64_t live_sum = 0;
  std::uint64_t retiring_sum = 0;
  std::uint64_t pages = slab_.pool();
  for (std::size_t i = 0; i < slab_.classes().count(); ++i) {
    const auto& state = slab_.state(static_cast<SizeClass>(i));
    live_sum += state.live;
    retiring_sum += state.retiring;
    pages += state.pages.size();
    std::uint64_t room = 0;
    for (const PageIndex index : state.pages) {
      const Page& page = slab_.page(index);
      EXPECT_EQ(page.room() + page.live + page.retiring, page.slots);
      if (!page.leaving) room += page.room();
    }
    EXPECT_EQ(state.room, room);
  }
  EXPECT_EQ(live_sum, live.size());
  EXPECT_EQ(retiring_sum, retiring.size());
  EXPECT_EQ(pages, kPages);
}

}  // namespace
}  // namespace swarmdns::cache
