#include "controlplane/app/directories.h"

#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

namespace swarmdns::controlplane {
namespace {

class DirectoriesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root to give folders away";
    char pattern[] = "/tmp/directories_XXXXXX";
    dir_ = mkdtemp(pattern);
    node_.set_state_dir(dir_ + "/a/state");
    node_.set_run_dir(dir_ + "/b/run");
    node_.set_user("nobody");
  }
  void TearDown() override {
    if (!dir_.empty()) std::filesystem::remove_all(dir_);
  }
  std::string dir_;
  v1::NodeConfig node_;
};

TEST_F(DirectoriesTest, TheDataPlaneMayAddButNotReplace) {
  const auto prepared = prepare_directories(node_);
  ASSERT_TRUE(prepared) << prepared.error();
  for (const std::string& path : {node_.state_dir(), node_.run_dir()}) {
    struct stat info {};
    ASSERT_EQ(stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_uid, 0u) << path;
    EXPECT_EQ(info.st_gid, getpwnam("nobody")->pw_gid) << path;
    EXPECT_EQ(info.st_mode & 07777, 01775u) << path;  // sticky: only one's own files can be moved
  }
  EXPECT_TRUE(prepare_directories(node_)) << "again";
}

TEST_F(DirectoriesTest, RootNeedsNoSharedFolders) {
  node_.set_user("root");
  ASSERT_TRUE(prepare_directories(node_));
  struct stat info {};
  ASSERT_EQ(stat(node_.run_dir().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0755u);
}

TEST_F(DirectoriesTest, NamesAMissingUser) {
  node_.set_user("no-such-user");
  EXPECT_EQ(prepare_directories(node_).error(), "there is no user \"no-such-user\" (node.user)");
}

TEST_F(DirectoriesTest, GivingAwayDoesNotFollowALink) {
  ASSERT_TRUE(prepare_directories(node_));
  std::filesystem::create_symlink("/etc/passwd", dir_ + "/link");
  ASSERT_TRUE(give_to_dataplane(dir_ + "/link", node_));
  struct stat info {};
  ASSERT_EQ(stat("/etc/passwd", &info), 0);
  EXPECT_EQ(info.st_uid, 0u);
}

}  // namespace
}  // namespace swarmdns::controlplane
