#include <gtest/gtest.h>

#include "controlplane/targets/target.h"

namespace swarmdns::controlplane {

TEST(ObjectName, TakesWhatBackupsAreMadeOf) {
  EXPECT_TRUE(valid_object_name("packs/ab/" + std::string(64, 'a')));
  EXPECT_TRUE(valid_object_name("snapshots/20261122t000000z-0123456789abcdef"));
  EXPECT_TRUE(valid_object_name("a"));
  EXPECT_TRUE(valid_object_name("..a/.b/...") && valid_object_name(std::string(200, 'x')));
}

TEST(ObjectName, RefusesWhatCouldEscape) {
  for (const char* name : {"", "/", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "a/./b", "A", "a b",
                           "a\\b", "~new", "a\nb", "\xc3\xa4", "a:b", "a%2f", "lost+found"}) {
    EXPECT_FALSE(valid_object_name(name)) << name;
  }
  EXPECT_FALSE(valid_object_name(std::string(201, 'x')));
  EXPECT_FALSE(valid_object_name(std::string_view("a\0b", 3)));
}

}  // namespace swarmdns::controlplane
