#include "dataplane/app/privileges.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/capability.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <memory>
#include <stdexcept>
#include <thread>

#include "tests/unit/dataplane/control/sample_config.h"

namespace swarmdns::app {
namespace {

using control::ScratchDirectory;
using testing::HasSubstr;

bool has(cap_flag_t flag, cap_value_t capability) {
  const std::unique_ptr<std::remove_pointer_t<cap_t>, int (*)(void*)> caps(cap_get_proc(), cap_free);
  cap_flag_value_t value = CAP_CLEAR;
  return cap_get_flag(caps.get(), capability, flag, &value) == 0 && value == CAP_SET;
}

// Runs `body` in a process of its own, for root once dropped is gone; the line where it failed, or 0.
int in_child(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) _exit(body());
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}
#define MUST(condition) \
  if (!(condition)) return __LINE__ % 250 + 1

class PrivilegesTest : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
    if (!has(CAP_PERMITTED, CAP_NET_ADMIN) || !has(CAP_PERMITTED, CAP_SETPCAP))
      GTEST_SKIP() << "needs capabilities";
    nobody_ = getpwnam("nobody");
    ASSERT_NE(nobody_, nullptr);
  }
  const passwd* nobody_ = nullptr;
};

TEST_F(PrivilegesTest, NothingButNetAdminOutOfForceIsKept) {
  EXPECT_EQ(
      in_child([this] {
        MUST(drop_root("nobody"));
        MUST(getuid() == nobody_->pw_uid && geteuid() == nobody_->pw_uid && getegid() == nobody_->pw_gid);
        MUST(getgroups(0, nullptr) == 0);
        MUST(setuid(0) != 0);
        MUST(!has(CAP_EFFECTIVE, CAP_NET_ADMIN) && has(CAP_PERMITTED, CAP_NET_ADMIN));
        MUST(!has(CAP_PERMITTED, CAP_SYS_ADMIN) && !has(CAP_PERMITTED, CAP_DAC_OVERRIDE));
        {
          const NetAdmin admin;
          MUST(has(CAP_EFFECTIVE, CAP_NET_ADMIN));
        }
        MUST(!has(CAP_EFFECTIVE, CAP_NET_ADMIN));
        return 0;
      }),
      0);
}

TEST_F(PrivilegesTest, OtherThreadsKeepNothing) {
  EXPECT_EQ(in_child([] {
              std::atomic<int> step{0};
              std::atomic<bool> bare{false};
              std::thread before([&] {
                while (step.load() == 0) std::this_thread::yield();
                bare = geteuid() != 0 && !has(CAP_PERMITTED, CAP_NET_ADMIN);
              });
              const bool dropped = drop_root("nobody").has_value();
              step = 1;
              before.join();
              MUST(dropped);
              MUST(bare);
              bool after = false;
              on_plain_thread({}, [&] { after = !has(CAP_PERMITTED, CAP_NET_ADMIN); });
              MUST(after);
              return 0;
            }),
            0);
}

TEST_F(PrivilegesTest, RootMayBeKeptByName) {
  EXPECT_EQ(in_child([] {
              MUST(drop_root("root"));
              MUST(geteuid() == 0);
              return 0;
            }),
            0);
}

TEST_F(PrivilegesTest, UnknownUserIsRefusedAndNothingChanges) {
  const auto dropped = drop_root("no-such-user");
  ASSERT_FALSE(dropped);
  EXPECT_THAT(dropped.error(), HasSubstr("no-such-user"));
  EXPECT_EQ(geteuid(), 0U);
}

TEST_F(PrivilegesTest, PreparedDirectoryTakesFilesOfTheUserButKeepsThoseOfRoot) {
  ScratchDirectory scratch;
  ASSERT_EQ(chmod(scratch.path().c_str(), 0755), 0);
  const std::string directory = scratch.path() + "/state";
  ASSERT_TRUE(prepare_directory(directory, "nobody"));
  ASSERT_TRUE(prepare_directory(directory, "nobody")) << "a second time";
  std::ofstream(directory + "/of-root") << "x";
  std::ofstream(directory + "/adopted") << "x";
  const std::string adopted[] = {directory + "/adopted", directory + "/missing"};
  ASSERT_TRUE(adopt_files(adopted, "nobody"));
  EXPECT_EQ(in_child([&] {
              MUST(drop_root("nobody"));
              MUST(std::ofstream(directory + "/mine").good());
              MUST(unlink((directory + "/of-root").c_str()) != 0);
              MUST(std::ofstream(directory + "/adopted").good());
              MUST(unlink((directory + "/adopted").c_str()) == 0);
              return 0;
            }),
            0);
}

TEST_F(PrivilegesTest, UnwritableDirectoryIsNamed) {
  ScratchDirectory scratch;  // 0700, of root
  EXPECT_EQ(in_child([&] {
              MUST(drop_root("nobody"));
              const auto prepared = prepare_directory(scratch.path() + "/x", "nobody");
              MUST(!prepared && prepared.error().find(scratch.path()) != std::string::npos);
              return 0;
            }),
            0);
}

TEST(PlainThread, WhatItThrowsIsThrownHere) {
  EXPECT_THROW(on_plain_thread({}, [] { throw std::runtime_error("no thread"); }), std::runtime_error);
}

}  // namespace
}  // namespace swarmdns::app
