#include "dataplane/worker/police.h"

#include <gtest/gtest.h>

namespace swarmdns::worker {
namespace {

using stats::Counter;

std::uint32_t passed(Police& police, Counter reason, std::uint32_t tries) {
  std::uint32_t n = 0;
  for (std::uint32_t i = 0; i < tries; ++i) n += police.pass(reason);
  return n;
}

TEST(Police, LetsABurstThroughAndThenTheRate) {
  PoliceRates rates;
  rates.tcp = {.per_second = 50'000, .burst = 100};
  Police police(rates);
  EXPECT_EQ(passed(police, Counter::ToKernelTcp, 1000), 100U);
  police.refill(1);
  EXPECT_EQ(passed(police, Counter::ToKernelTcp, 1000), 50U);
  police.refill(1);  // the same millisecond gives nothing more
  EXPECT_EQ(passed(police, Counter::ToKernelTcp, 1000), 0U);
  police.refill(100'000);  // never more than the burst
  EXPECT_EQ(passed(police, Counter::ToKernelTcp, 1000), 100U);
}

TEST(Police, AFloodOfOneKindLeavesTheOthersAlone) {
  Police police;
  (void)passed(police, Counter::ToKernelTcp, 1'000'000);
  EXPECT_EQ(passed(police, Counter::ToKernelTcp, 1), 0U);
  for (const Counter other : {Counter::ToKernelArp, Counter::ToKernelIcmp, Counter::ToKernelFragment,
                              Counter::ToKernelOptions, Counter::ToKernelOther}) {
    EXPECT_EQ(passed(police, other, 1), 1U) << stats::name(other);
  }
}

TEST(Police, TheClockMayWrap) {
  PoliceRates rates;
  rates.arp = {.per_second = 1000, .burst = 10};
  Police police(rates);
  police.refill(0xffffffff);
  EXPECT_EQ(passed(police, Counter::ToKernelArp, 20), 10U);
  police.refill(2);  // three milliseconds later
  EXPECT_EQ(passed(police, Counter::ToKernelArp, 20), 3U);
}

}  // namespace
}  // namespace swarmdns::worker
