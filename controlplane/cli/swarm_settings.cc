#include "controlplane/cli/swarm_settings.h"

#include <algorithm>
#include <charconv>

#include "controlplane/cli/time_text.h"
#include "controlplane/config/suggest.h"

namespace swarmdns::controlplane {
namespace {

// In SwarmSettings 0 says "as it is", so that "never" needs a number: whatever is longer than this.
constexpr uint64_t kNeverSeconds = 100ull * 365 * 86400;

std::string kept_text(uint64_t seconds) {
  return seconds >= kNeverSeconds ? "forever" : duration_word(seconds * 1000);
}

const char* sharing_word(v1::SharingScope scope) {
  switch (scope) {
    case v1::SHARE_REGION:
      return "region";
    case v1::SHARE_SWARM:
      return "swarm";
    case v1::SHARE_NONE:
      return "none";
    default:
      return "";
  }
}

std::expected<uint32_t, std::string> number(const std::string& text, uint32_t min, uint32_t max) {
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < min || value > max) {
    return std::unexpected("must be a whole number from " + std::to_string(min) + " to " +
                           std::to_string(max));
  }
  return value;
}

std::expected<uint64_t, std::string> span_ms(const std::string& text, uint64_t min_ms, uint64_t max_ms) {
  const auto ms = parse_duration(text);
  if (!ms || *ms < min_ms || *ms > max_ms) {
    return std::unexpected("must be a duration from " + duration_word(min_ms) + " to " +
                           duration_word(max_ms));
  }
  return *ms;
}

constexpr uint64_t kMinute = 60000;
constexpr uint64_t kDay = 86400000;

std::expected<void, std::string> set(const std::string& key, const std::string& value,
                                     v1::SwarmSettings& settings) {
  if (key == "max_voters") {
    const auto count = number(value, 1, 9);
    if (!count || *count % 2 == 0) return std::unexpected("must be 1, 3, 5, 7 or 9");
    settings.set_max_voters(*count);
  } else if (key == "max_log_members") {
    const auto count = number(value, 1, 18);
    if (!count) return std::unexpected(count.error());
    settings.set_max_log_members(*count);
  } else if (key == "max_standbys") {
    const auto count = number(value, 1, 9);
    if (!count) return std::unexpected(count.error());
    settings.set_max_standbys(*count);
  } else if (key == "promote_after" || key == "demote_after") {
    const auto ms = span_ms(value, 1000, kDay);
    if (!ms) return std::unexpected(ms.error());
    key == "promote_after" ? settings.set_promote_after_ms(static_cast<uint32_t>(*ms))
                           : settings.set_demote_after_ms(static_cast<uint32_t>(*ms));
  } else if (key == "certificate_life") {
    const auto ms = span_ms(value, 10 * kMinute, 90 * kDay);
    if (!ms) return std::unexpected(ms.error());
    settings.set_certificate_life_s(static_cast<uint32_t>(*ms / 1000));
  } else if (key == "retain_blocks" || key == "retain_mutations") {
    const bool blocks = key == "retain_blocks";
    if (blocks && value == "forever") {
      settings.set_retain_blocks_s(kNeverSeconds);
      return {};
    }
    const auto ms = span_ms(value, 60 * kMinute, 36500 * kDay);
    if (!ms) return std::unexpected(ms.error() + (blocks ? ", or forever" : ""));
    blocks ? settings.set_retain_blocks_s(*ms / 1000) : settings.set_retain_mutations_s(*ms / 1000);
  } else {
    for (const v1::SharingScope scope : {v1::SHARE_REGION, v1::SHARE_SWARM, v1::SHARE_NONE}) {
      if (value != sharing_word(scope)) continue;
      settings.set_sharing(scope);
      return {};
    }
    return std::unexpected("must be region, swarm or none");
  }
  return {};
}

}  // namespace

const std::vector<SettingHelp>& settings_help() {
  static const std::vector<SettingHelp> help = {
      {"max_voters", "1, 3, 5, 7 or 9", "members that vote; a majority of them must be up for changes"},
      {"max_standbys", "1 to 9", "members that have the log and take a lost voter's place"},
      {"max_log_members", "1 to 18", "voters and stand-bys together; nodes beyond that follow"},
      {"promote_after", "1s to 1d", "a voter lost that long is replaced by a stand-by"},
      {"demote_after", "1s to 1d", "the voter is back and well that long: the place is given back"},
      {"certificate_life", "10m to 90d", "life of a node's certificate; renewed by itself at a third left"},
      {"retain_blocks", "1h on, or forever", "older blocks are pruned behind a checkpoint"},
      {"retain_mutations", "1h on", "bodies of cache changes are kept that long"},
      {"sharing", "region, swarm or none", "which caches share what they learn"},
  };
  return help;
}

std::vector<std::pair<std::string, std::string>> settings_set(const v1::SwarmSettings& settings) {
  std::vector<std::pair<std::string, std::string>> values;
  const auto add = [&](bool is_set, const char* key, std::string value) {
    if (is_set) values.emplace_back(key, std::move(value));
  };
  add(settings.max_voters() > 0, "max_voters", std::to_string(settings.max_voters()));
  add(settings.max_standbys() > 0, "max_standbys", std::to_string(settings.max_standbys()));
  add(settings.max_log_members() > 0, "max_log_members", std::to_string(settings.max_log_members()));
  add(settings.promote_after_ms() > 0, "promote_after", duration_word(settings.promote_after_ms()));
  add(settings.demote_after_ms() > 0, "demote_after", duration_word(settings.demote_after_ms()));
  add(settings.certificate_life_s() > 0, "certificate_life",
      duration_word(uint64_t{settings.certificate_life_s()} * 1000));
  add(settings.retain_blocks_s() > 0, "retain_blocks", kept_text(settings.retain_blocks_s()));
  add(settings.retain_mutations_s() > 0, "retain_mutations", kept_text(settings.retain_mutations_s()));
  add(settings.sharing() != v1::SHARING_SCOPE_UNSPECIFIED, "sharing", sharing_word(settings.sharing()));
  return values;
}

std::string setting_value(const v1::SwarmSettings& settings, const std::string& key) {
  for (const auto& [known, value] : settings_set(settings)) {
    if (known == key) return value;
  }
  return key == "retain_blocks" || key == "retain_mutations" ? "forever" : "0";
}

std::expected<void, std::string> set_setting(const std::string& text, v1::SwarmSettings& settings) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos) {
    return std::unexpected("\"" + text + "\" is not KEY=VALUE, such as max_voters=5");
  }
  const std::string key = text.substr(0, equals);
  std::vector<std::string> keys;
  for (const SettingHelp& setting : settings_help()) keys.emplace_back(setting.key);
  if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
    const std::string guess = nearest(key, keys);
    std::string known;
    for (const std::string& word : keys) known += (known.empty() ? "" : ", ") + word;
    return std::unexpected("there is no setting \"" + key + "\"; " +
                           (guess.empty() ? "there are: " + known : "did you mean " + guess + "?"));
  }
  if (const auto done = set(key, text.substr(equals + 1), settings); !done) {
    return std::unexpected(key + ": \"" + text.substr(equals + 1) + "\" " + done.error());
  }
  return {};
}

}  // namespace swarmdns::controlplane
