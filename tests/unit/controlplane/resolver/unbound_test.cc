#include "controlplane/resolver/unbound.h"

#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "proto/config/defaults.h"

namespace swarmdns::controlplane {
namespace {

class UnboundTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (access("/usr/sbin/unbound-checkconf", X_OK) != 0 || getpwnam("unbound") == nullptr) {
      GTEST_SKIP() << "unbound is not installed";
    }
    char pattern[] = "/tmp/unbound_XXXXXX";
    dir_ = mkdtemp(pattern);
    chmod(dir_.c_str(), 0755);
    std::filesystem::create_directories(dir_ + "/state/log");
    std::filesystem::create_directories(dir_ + "/run");
    config_.mutable_node()->set_name("n1");
    config_.mutable_node()->set_state_dir(dir_ + "/state");
    config_.mutable_node()->set_run_dir(dir_ + "/run");
    std::ofstream(dir_ + "/root.key")
        << ". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D\n";
    std::ofstream(dir_ + "/root.hints") << ". 3600000 NS a.root-servers.net.\n"
                                           "a.root-servers.net. 3600000 A 198.41.0.4\n";
    config_.mutable_resolver()->set_trust_anchor_file(dir_ + "/root.key");
    config_.mutable_resolver()->set_root_hints_file(dir_ + "/root.hints");
    config::fill_defaults(config_, 2);
    paths_ = resolver_paths(config_.node());
  }
  void TearDown() override {
    if (!dir_.empty()) std::filesystem::remove_all(dir_);
  }
  std::string dir_;
  v1::Config config_;
  ResolverPaths paths_;
};

TEST_F(UnboundTest, CheckAcceptsTheDefaultsAndTouchesNothing) {
  const auto checked = check_unbound(config_.resolver(), paths_);
  EXPECT_TRUE(checked) << checked.error();
  EXPECT_FALSE(std::filesystem::exists(paths_.directory));
}

TEST_F(UnboundTest, CheckPassesOnWhatUnboundSays) {
  config_.mutable_resolver()->add_extra_options("no-such-option: yes");
  const auto checked = check_unbound(config_.resolver(), paths_);
  ASSERT_FALSE(checked);
  EXPECT_TRUE(
      checked.error().starts_with("unbound-checkconf refuses the configuration made from `resolver`: "))
      << checked.error();
  EXPECT_NE(checked.error().find("no-such-option"), std::string::npos) << checked.error();
  EXPECT_EQ(checked.error().find('\n'), std::string::npos);
}

TEST_F(UnboundTest, PrepareWritesWhatUnboundNeeds) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to give the anchor away";
  const auto spawn = prepare_unbound(config_.resolver(), paths_);
  ASSERT_TRUE(spawn) << spawn.error();
  EXPECT_EQ(spawn->argv, (std::vector<std::string>{"/usr/sbin/unbound", "-d", "-c", paths_.conf}));
  EXPECT_EQ(spawn->log_file, dir_ + "/state/log/resolver.log");
  struct stat info {};
  ASSERT_EQ(stat(paths_.anchor.c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, getpwnam("unbound")->pw_uid);
  ASSERT_EQ(stat(paths_.conf.c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, 0u);
  ASSERT_EQ(stat(paths_.directory.c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, 0u);
}

TEST_F(UnboundTest, PrepareNamesAMissingUser) {
  config_.mutable_resolver()->set_user("no-such-user");
  EXPECT_EQ(prepare_unbound(config_.resolver(), paths_).error(),
            "there is no user \"no-such-user\"; set resolver.user, or apt install unbound");
}

TEST_F(UnboundTest, MakeDirectoryDoesNotFollowALink) {
  std::filesystem::create_directory(dir_ + "/elsewhere");
  std::filesystem::create_directory_symlink(dir_ + "/elsewhere", dir_ + "/link");
  EXPECT_FALSE(make_directory(dir_ + "/link", 0700, geteuid(), getegid()));
}

}  // namespace
}  // namespace swarmdns::controlplane
