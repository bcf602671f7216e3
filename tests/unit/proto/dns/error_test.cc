#include "proto/dns/error.h"

#include <gtest/gtest.h>

#include <set>

namespace swarmdns::dns {
namespace {

TEST(Error, EveryOneHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(Error::CountOverflow); ++i) {
    const auto name = to_text(static_cast<Error>(i));
    EXPECT_NE(name, "Unknown") << i;
    EXPECT_TRUE(names.insert(name).second) << name;
  }
  EXPECT_EQ(to_text(Error::PointerLoop), "PointerLoop");
  EXPECT_EQ(to_text(static_cast<Error>(255)), "Unknown");
}

}  // namespace
}  // namespace swarmdns::dns
