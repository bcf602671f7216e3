#include "controlplane/supervise/log_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "proto/config/store.h"

namespace swarmdns::controlplane {
namespace {

class LogFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/log_file_XXXXXX";
    dir_ = mkdtemp(pattern);
    path_ = dir_ + "/log";
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }
  void append(const std::string& text, long limit) {
    const int fd = open_log(path_, limit);
    ASSERT_GE(fd, 0);
    ASSERT_EQ(write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    close(fd);
  }
  std::string dir_;
  std::string path_;
};

TEST_F(LogFileTest, AppendsAndSetsALargeFileAside) {
  append("one", 3);
  append("two", 3);  // 3 bytes are not more than 3
  EXPECT_EQ(*config::read_file(path_), "onetwo");
  append("three", 3);
  EXPECT_EQ(*config::read_file(path_), "three");
  EXPECT_EQ(*config::read_file(path_ + ".1"), "onetwo");
}

TEST_F(LogFileTest, DoesNotFollowALink) {
  std::ofstream(dir_ + "/victim") << "x";
  std::filesystem::create_symlink(dir_ + "/victim", path_);
  EXPECT_EQ(open_log(path_), -1);
}

TEST_F(LogFileTest, TailGivesTheLastLines) {
  EXPECT_EQ(log_tail(path_, 2), "");
  std::ofstream(path_) << "a\nb\nc\n";
  EXPECT_EQ(log_tail(path_, 1), "c");
  EXPECT_EQ(log_tail(path_, 2), "b\nc");
  EXPECT_EQ(log_tail(path_, 9), "a\nb\nc");
}

}  // namespace
}  // namespace swarmdns::controlplane
