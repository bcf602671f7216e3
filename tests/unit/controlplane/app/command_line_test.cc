#include "controlplane/app/command_line.h"

#include <gtest/gtest.h>

namespace swarmdns::controlplane {
namespace {

TEST(CommandLine, ReadsBothForms) {
  const auto line =
      parse_command_line({"--config=/a.yaml", "--dataplane", "/d", "--daemon", "--stop-children"});
  ASSERT_TRUE(line) << line.error();
  EXPECT_EQ(line->config_file, "/a.yaml");
  EXPECT_EQ(line->dataplane, "/d");
  EXPECT_TRUE(line->daemon);
  EXPECT_TRUE(line->stop_children);
  EXPECT_FALSE(line->check);
}

TEST(CommandLine, StaysInTheForegroundByDefault) {
  EXPECT_FALSE(parse_command_line({"--config", "/a"})->daemon);
  EXPECT_FALSE(parse_command_line({"--config", "/a", "--daemon", "--foreground"})->daemon);
}

TEST(CommandLine, NamesWhatIsWrong) {
  EXPECT_EQ(parse_command_line({}).error(), "--config FILE is required");
  EXPECT_EQ(parse_command_line({"--config"}).error(), "--config needs a value");
  EXPECT_EQ(parse_command_line({"--config="}).error(), "--config needs a value");
  EXPECT_EQ(parse_command_line({"--check=yes"}).error(), "--check takes no value");
  EXPECT_EQ(parse_command_line({"--frobnicate"}).error(), "unknown argument --frobnicate");
  EXPECT_EQ(parse_command_line({"/a.yaml"}).error(), "unknown argument /a.yaml");
}

TEST(CommandLine, HelpNeedsNothingElse) {
  EXPECT_TRUE(parse_command_line({"--help"})->help);
  EXPECT_TRUE(parse_command_line({"--version"})->version);
}

}  // namespace
}  // namespace swarmdns::controlplane
