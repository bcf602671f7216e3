#include "dataplane/app/pidfile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <sstream>

#include "proto/config/store.h"
#include "tests/unit/dataplane/control/sample_config.h"

namespace swarmdns::app {
namespace {

using control::ScratchDirectory;
using testing::HasSubstr;

TEST(Pidfile, SaysWhoItIsAndGoesWithIt) {
  ScratchDirectory directory;
  {
    const auto taken = Pidfile::take(directory.path());
    ASSERT_TRUE(taken) << taken.error();
    std::istringstream fields(config::read_file(pidfile_path(directory.path())).value());
    pid_t pid = 0;
    std::uint64_t ticks = 0;
    std::string boot;
    ASSERT_TRUE(fields >> pid >> ticks >> boot);
    EXPECT_EQ(pid, getpid());
    EXPECT_GT(ticks, 0U);
    EXPECT_EQ(boot.size(), 36U);
  }
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
}

TEST(Pidfile, ASecondOneIsRefusedByThePidOfTheFirst) {
  ScratchDirectory directory;
  const auto first = Pidfile::take(directory.path());
  ASSERT_TRUE(first) << first.error();
  const auto second = Pidfile::take(directory.path());
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error(), HasSubstr("process " + std::to_string(getpid()) + ";"));
  EXPECT_TRUE(std::filesystem::exists(pidfile_path(directory.path()))) << "the first one's file is gone";
}

TEST(Pidfile, WhatADeadOneLeftIsTakenOver) {
  ScratchDirectory directory;
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto taken = Pidfile::take(directory.path());
    _exit(taken.has_value() ? 42 : 1);  // as SIGKILL would: nothing is removed
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(WEXITSTATUS(status), 42);
  ASSERT_TRUE(std::filesystem::exists(lockfile_path(directory.path())));
  const auto taken = Pidfile::take(directory.path());
  EXPECT_TRUE(taken) << taken.error();
}

TEST(Pidfile, NamesTheDirectoryThatCannotBeUsed) {
  const auto taken = Pidfile::take("/nonexistent-directory");
  ASSERT_FALSE(taken);
  EXPECT_THAT(taken.error(), HasSubstr("/nonexistent-directory"));
}

}  // namespace
}  // namespace swarmdns::app
