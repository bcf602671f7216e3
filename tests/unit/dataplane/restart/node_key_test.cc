#include "dataplane/restart/node_key.h"

#include <gtest/gtest.h>
#include <sodium.h>
#include <sys/stat.h>

#include "tests/unit/dataplane/restart/scratch.h"

namespace swarmdns::restart {
namespace {

unsigned mode_of(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 ? info.st_mode & 07777U : 0;
}

TEST(NodeKey, IsMadeOnceAndForItsOwnerAlone) {
  ASSERT_GE(sodium_init(), 0);
  const Scratch scratch;
  const auto made = node_key(scratch.path());
  ASSERT_TRUE(made) << made.error();
  EXPECT_EQ(made->warning, "");
  const std::string path = node_key_path(scratch.path());
  EXPECT_EQ(mode_of(path), 0600U);
  EXPECT_EQ(Scratch::read(path).size(), 32U);
  ASSERT_EQ(chmod(path.c_str(), 0644), 0);
  const auto again = node_key(scratch.path());
  ASSERT_TRUE(again) << again.error();
  EXPECT_EQ(again->key, made->key);
  EXPECT_EQ(mode_of(path), 0600U) << "others could read it";
}

TEST(NodeKey, ADamagedOneIsReplacedAndNamed) {
  const Scratch scratch;
  Scratch::write(node_key_path(scratch.path()), "short");
  const auto made = node_key(scratch.path());
  ASSERT_TRUE(made) << made.error();
  EXPECT_NE(made->warning.find("has 5 octets instead of 32"), std::string::npos) << made->warning;
  EXPECT_EQ(Scratch::read(node_key_path(scratch.path())).size(), 32U);
}

TEST(NodeKey, WithoutADirectoryTheFileIsNamed) {
  const auto none = node_key("/nonexistent/state");
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().find("/nonexistent/state/cache.key"), std::string::npos) << none.error();
}

}  // namespace
}  // namespace swarmdns::restart
