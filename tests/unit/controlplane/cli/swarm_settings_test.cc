#include "controlplane/cli/swarm_settings.h"

#include <gtest/gtest.h>

namespace swarmdns::controlplane {
namespace {

std::string problem(const std::string& text) {
  v1::SwarmSettings settings;
  const auto set = set_setting(text, settings);
  return set ? "" : set.error();
}

TEST(SwarmSettings, EachIsReadAndShownAlike) {
  for (const char* text : {"max_voters=5", "max_standbys=2", "max_log_members=7", "promote_after=30s",
                           "demote_after=10m", "certificate_life=1d", "retain_blocks=90d",
                           "retain_blocks=forever", "retain_mutations=2d", "sharing=swarm"}) {
    v1::SwarmSettings settings;
    ASSERT_TRUE(set_setting(text, settings)) << text;
    const auto values = settings_set(settings);
    ASSERT_EQ(values.size(), 1u) << text;
    EXPECT_EQ(values[0].first + "=" + values[0].second, text);
    EXPECT_EQ(setting_value(settings, values[0].first), values[0].second);
  }
}

TEST(SwarmSettings, EveryOneIsListed) {
  v1::SwarmSettings settings;
  for (const SettingHelp& setting : settings_help())
    EXPECT_NE(setting_value(settings, setting.key), "") << setting.key;
  EXPECT_EQ(settings_help().size(), static_cast<size_t>(v1::SwarmSettings::descriptor()->field_count()));
}

TEST(SwarmSettings, ZeroOfWhatIsKeptIsForever) {
  EXPECT_EQ(setting_value({}, "retain_blocks"), "forever");
  EXPECT_EQ(setting_value({}, "max_standbys"), "0");
}

TEST(SwarmSettings, NamesTheSettingAndWhatItMayBe) {
  EXPECT_EQ(problem("max_voters"), "\"max_voters\" is not KEY=VALUE, such as max_voters=5");
  EXPECT_EQ(problem("max_voter=5"), "there is no setting \"max_voter\"; did you mean max_voters?");
  EXPECT_EQ(problem("colour=red"),
            "there is no setting \"colour\"; there are: max_voters, max_standbys, max_log_members, "
            "promote_after, demote_after, "
            "certificate_life, retain_blocks, retain_mutations, sharing");
  EXPECT_EQ(problem("max_voters=4"), "max_voters: \"4\" must be 1, 3, 5, 7 or 9");
  EXPECT_EQ(problem("max_standbys=10"), "max_standbys: \"10\" must be a whole number from 1 to 9");
  EXPECT_EQ(problem("promote_after=5"), "promote_after: \"5\" must be a duration from 1s to 1d");
  EXPECT_EQ(problem("certificate_life=1m"), "certificate_life: \"1m\" must be a duration from 10m to 90d");
  EXPECT_EQ(problem("retain_blocks=1s"),
            "retain_blocks: \"1s\" must be a duration from 1h to 36500d, or forever");
  EXPECT_EQ(problem("sharing=all"), "sharing: \"all\" must be region, swarm or none");
}

}  // namespace
}  // namespace swarmdns::controlplane
