#include "controlplane/resolver/trust_anchor.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "proto/config/store.h"

namespace swarmdns::controlplane {
namespace {

class TrustAnchorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/trust_anchor_XXXXXX";
    dir_ = mkdtemp(pattern);
    std::ofstream(dir_ + "/source") << "key one";
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }
  std::expected<bool, std::string> seed() {
    return seed_trust_anchor(dir_ + "/source", dir_ + "/copy", dir_ + "/seed", geteuid(), getegid());
  }
  std::string dir_;
};

TEST_F(TrustAnchorTest, SeedsOnce) {
  EXPECT_EQ(seed(), true);
  EXPECT_EQ(*config::read_file(dir_ + "/copy"), "key one");
  EXPECT_EQ(seed(), false);
}

TEST_F(TrustAnchorTest, WhatTheResolverLearntStays) {
  ASSERT_EQ(seed(), true);
  std::ofstream(dir_ + "/copy") << "key one; key two";
  EXPECT_EQ(seed(), false);
  EXPECT_EQ(*config::read_file(dir_ + "/copy"), "key one; key two");
}

TEST_F(TrustAnchorTest, AnotherSourceStartsAgain) {
  ASSERT_EQ(seed(), true);
  std::ofstream(dir_ + "/source") << "key nine";
  EXPECT_EQ(seed(), true);
  EXPECT_EQ(*config::read_file(dir_ + "/copy"), "key nine");
}

TEST_F(TrustAnchorTest, ALostCopyIsMadeAgain) {
  ASSERT_EQ(seed(), true);
  std::filesystem::remove(dir_ + "/copy");
  EXPECT_EQ(seed(), true);
}

TEST_F(TrustAnchorTest, NamesAMissingSource) {
  std::filesystem::remove(dir_ + "/source");
  EXPECT_EQ(seed().error(), "cannot open " + dir_ + "/source: No such file or directory");
}

}  // namespace
}  // namespace swarmdns::controlplane
