#include "dataplane/app/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace swarmdns::app {
namespace {

std::expected<CommandLine, std::string> parse(std::vector<std::string> words) {
  words.insert(words.begin(), "swarmdns-dataplane");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  return parse_command_line(static_cast<int>(words.size()), argv.data());
}

TEST(CommandLine, WithoutAWordItRunsFromTheLastAppliedConfiguration) {
  const auto line = parse({});
  ASSERT_TRUE(line) << line.error();
  EXPECT_EQ(line->what, CommandLine::What::Run);
  EXPECT_EQ(line->config_file, "");
  EXPECT_EQ(line->state_dir, "/var/lib/swarmdns");
}

TEST(CommandLine, TakesItsOptions) {
  const auto line = parse({"--check", "--config", "/x.json", "--state-dir=/s", "--log-level", "debug"});
  ASSERT_TRUE(line) << line.error();
  EXPECT_EQ(line->what, CommandLine::What::Check);
  EXPECT_EQ(line->config_file, "/x.json");
  EXPECT_EQ(line->state_dir, "/s");
  EXPECT_EQ(line->log_level, control::LogLevel::Debug);
  EXPECT_EQ(parse({"--version"})->what, CommandLine::What::Version);
  EXPECT_EQ(parse({"--help"})->what, CommandLine::What::Help);
}

TEST(CommandLine, RefusesWhatItDoesNotKnow) {
  EXPECT_THAT(parse({"--colour"}).error(), testing::HasSubstr("--colour"));
  EXPECT_THAT(parse({"--config"}).error(), testing::HasSubstr("--config"));
  EXPECT_THAT(parse({"stray"}).error(), testing::HasSubstr("stray"));
  EXPECT_THAT(parse({"--log-level", "loud"}).error(), testing::HasSubstr("loud"));
}

}  // namespace
}  // namespace swarmdns::app
