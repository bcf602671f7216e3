// The swarm's settings as KEY=VALUE. Pure.
#pragma once

#include <expected>
#include <string>
#include <utility>
#include <vector>

#include "swarmdns/v1/ledger.pb.h"

namespace swarmdns::controlplane {

struct SettingHelp {
  const char* key;
  const char* values;
  const char* help;
};
// In the order they are shown.
const std::vector<SettingHelp>& settings_help();

// Key and value of those that are set.
std::vector<std::pair<std::string, std::string>> settings_set(const v1::SwarmSettings& settings);
// Of settings in force: 0 is a value, too.
std::string setting_value(const v1::SwarmSettings& settings, const std::string& key);

// "max_voters=5": puts it into `settings`. The error names the key and what it may be.
std::expected<void, std::string> set_setting(const std::string& text, v1::SwarmSettings& settings);

}  // namespace swarmdns::controlplane
