#include "controlplane/config/suggest.h"

#include <gtest/gtest.h>

namespace swarmdns::controlplane {
namespace {

const std::vector<std::string> kKeys = {"memory_mib", "max_ttl_s", "min_ttl_s", "eviction", "hugepages"};

TEST(Nearest, FindsSlipsOfTheHand) {
  EXPECT_EQ(nearest("memroy_mib", kKeys), "memory_mib");
  EXPECT_EQ(nearest("hugepage", kKeys), "hugepages");
  EXPECT_EQ(nearest("HugePages", kKeys), "hugepages");
  EXPECT_EQ(nearest("max-ttl-s", kKeys), "max_ttl_s");
  EXPECT_EQ(nearest("memory", kKeys), "memory_mib");
}

TEST(Nearest, StaysSilentWhenNothingIsNear) {
  EXPECT_EQ(nearest("colour", kKeys), "");
  EXPECT_EQ(nearest("", kKeys), "");
  EXPECT_EQ(nearest(std::string(65, 'm'), kKeys), "");
  EXPECT_EQ(nearest("x", {}), "");
}

}  // namespace
}  // namespace swarmdns::controlplane
