#include "controlplane/cli/time_text.h"

#include <charconv>
#include <cstdio>
#include <ctime>
#include <optional>
#include <string_view>

namespace swarmdns::controlplane {
namespace {

constexpr uint64_t kDayMs = 86400000;
// The end of 9999: what still has a year of four digits.
constexpr uint64_t kMaxMs = 253402300799999;

struct Unit {
  const char* name;
  uint64_t ms;
};
constexpr Unit kUnits[] = {{"d", kDayMs}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};

tm broken_down(uint64_t ms) {
  const auto seconds = static_cast<time_t>(ms / 1000);
  tm parts{};
  gmtime_r(&seconds, &parts);
  return parts;
}

// Reads exactly `digits` digits off the front.
std::optional<int> take_number(std::string_view& text, size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int value = 0;
  for (size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

// "17:05", "17:05:30", "17:05:30.042": ms of the day.
std::optional<uint64_t> take_clock(std::string_view& text) {
  const auto hour = take_number(text, 2);
  if (!hour || *hour > 23 || !take(text, ':')) return std::nullopt;
  const auto minute = take_number(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  uint64_t ms = (static_cast<uint64_t>(*hour) * 60 + static_cast<uint64_t>(*minute)) * 60000;
  if (!take(text, ':')) return ms;
  const auto second = take_number(text, 2);
  if (!second || *second > 59) return std::nullopt;
  ms += static_cast<uint64_t>(*second) * 1000;
  if (!take(text, '.')) return ms;
  uint64_t scale = 100;
  bool any = false;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    ms += static_cast<uint64_t>(text.front() - '0') * scale;
    scale /= 10;
    any = true;
    text.remove_prefix(1);
  }
  if (!any) return std::nullopt;
  return ms;
}

std::optional<uint64_t> full_time(std::string_view text) {
  const auto year = take_number(text, 4);
  if (!year || *year < 1970 || !take(text, '-')) return std::nullopt;
  const auto month = take_number(text, 2);
  if (!month || !take(text, '-')) return std::nullopt;
  const auto day = take_number(text, 2);
  if (!day || !take(text, 'T')) return std::nullopt;
  const auto clock = take_clock(text);
  if (!clock || text != "Z") return std::nullopt;
  tm parts{};
  parts.tm_year = *year - 1900;
  parts.tm_mon = *month - 1;
  parts.tm_mday = *day;
  const time_t midnight = timegm(&parts);
  // timegm() makes the 2nd of March of the 30th of February.
  if (parts.tm_mon != *month - 1 || parts.tm_mday != *day) return std::nullopt;
  return static_cast<uint64_t>(midnight) * 1000 + *clock;
}

}  // namespace

std::string time_text(uint64_t ms) {
  if (ms > kMaxMs) return "never";
  const tm parts = broken_down(ms);
  char text[32];
  strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

std::string time_text_with_ms(uint64_t ms) {
  std::string text = time_text(ms);
  if (ms > kMaxMs) return text;
  char part[8];
  snprintf(part, sizeof(part), ".%03uZ", static_cast<unsigned>(ms % 1000));
  text.replace(text.size() - 1, 1, part);
  return text;
}

std::expected<uint64_t, std::string> parse_time(const std::string& text, uint64_t now_ms) {
  if (text == "now") return now_ms;
  if (text.starts_with("-")) {
    if (const auto span = parse_duration(text.substr(1)); span && *span < now_ms) return now_ms - *span;
  } else if (const auto full = full_time(text)) {
    return *full;
  } else {
    std::string_view rest = text;
    if (const auto clock = take_clock(rest); clock && (rest.empty() || rest == "Z")) {
      const uint64_t today = now_ms / kDayMs * kDayMs + *clock;
      return today <= now_ms ? today : today - kDayMs;
    }
  }
  return std::unexpected(
      "\"" + text +
      "\" is not a time; 2026-11-22T17:00:00Z, 17:05 (the last one, UTC), -10m (ten minutes ago) and "
      "now are");
}

std::expected<HeightOrTime, std::string> parse_height_or_time(const std::string& text, uint64_t now_ms) {
  if (!text.empty() && text.find_first_not_of("0123456789") == std::string::npos) {
    uint64_t height = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), height);
    if (error != std::errc() || height == 0) {
      return std::unexpected("\"" + text + "\" is not a height of the ledger; they are counted from 1");
    }
    return HeightOrTime{height, 0};
  }
  const auto time = parse_time(text, now_ms);
  if (!time) return std::unexpected(time.error() + "; a height of the ledger is a plain number");
  return HeightOrTime{0, *time};
}

std::expected<uint64_t, std::string> parse_duration(const std::string& text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  if (error == std::errc()) {
    for (const Unit& known : kUnits) {
      if (unit == known.name && value <= kMaxMs / known.ms) return value * known.ms;
    }
  }
  return std::unexpected("\"" + text + "\" is not a duration; 90s, 30m, 1h, 7d and 250ms are");
}

std::string duration_word(uint64_t ms) {
  for (const Unit& unit : kUnits) {
    if (ms >= unit.ms && ms % unit.ms == 0) return std::to_string(ms / unit.ms) + unit.name;
  }
  return "0s";
}

}  // namespace swarmdns::controlplane
