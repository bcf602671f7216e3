#include "dataplane/control/log.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace swarmdns::control {
namespace {

class LogTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(pipe(pipe_), 0); }
  void TearDown() override {
    close(pipe_[0]);
    if (pipe_[1] >= 0) close(pipe_[1]);
  }
  std::string written() {
    close(pipe_[1]);
    pipe_[1] = -1;
    std::string text;
    char buffer[4096];
    for (ssize_t n = 0; (n = read(pipe_[0], buffer, sizeof buffer)) > 0;)
      text.append(buffer, static_cast<std::size_t>(n));
    return text;
  }
  int pipe_[2] = {-1, -1};
};

TEST_F(LogTest, WritesEventAndFields) {
  const Logger log(pipe_[1]);
  log.info("ready", {{"ports", 2}, {"node", "n1"}});
  const std::string line = written();
  EXPECT_TRUE(line.ends_with("Z info ready ports=2 node=n1\n")) << line;
  EXPECT_EQ(line.find("20"), 0U);
}

TEST_F(LogTest, AHostileValueStaysOnItsLine) {
  const Logger log(pipe_[1]);
  log.error("refused", {{"why", "a \"b\"\nfake=1\x1b[31m"}, {"empty", ""}});
  const std::string line = written();
  EXPECT_TRUE(line.ends_with(R"(refused why="a \"b\"\x0afake=1\x1b[31m" empty="")"
                             "\n"))
      << line;
}

TEST_F(LogTest, LevelsFilter) {
  Logger log(pipe_[1], LogLevel::Warning);
  log.info("unseen");
  log.set_level(LogLevel::Debug);
  log.debug("seen");
  const std::string text = written();
  EXPECT_EQ(text.find("unseen"), std::string::npos);
  EXPECT_NE(text.find("debug seen"), std::string::npos);
}

TEST(LogLevels, KnowsItsWords) {
  EXPECT_EQ(log_level_from("warning"), LogLevel::Warning);
  EXPECT_FALSE(log_level_from("loud"));
}

}  // namespace
}  // namespace swarmdns::control
