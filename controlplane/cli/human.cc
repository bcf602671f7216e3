#include "controlplane/cli/human.h"

#include <cmath>
#include <cstdio>

namespace swarmdns::controlplane {
namespace {

std::string printed(const char* format, double value) {
  char text[64];
  snprintf(text, sizeof(text), format, value);
  return text;
}

}  // namespace

std::string with_commas(uint64_t value) {
  std::string digits = std::to_string(value);
  for (size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

std::string bytes_text(uint64_t bytes) {
  const char* const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 1024 && unit + 1 < std::size(units)) {
    value /= 1024;
    ++unit;
  }
  return (unit == 0 ? std::to_string(bytes) : printed("%.1f", value)) + " " + units[unit];
}

std::string duration_text(uint64_t ms) {
  if (ms < 1000) return std::to_string(ms) + " ms";
  const uint64_t seconds = ms / 1000;
  if (seconds < 120) return std::to_string(seconds) + " s";
  const uint64_t minutes = seconds / 60;
  if (minutes < 60) return std::to_string(minutes) + " min";
  const uint64_t hours = minutes / 60;
  if (hours < 48) return std::to_string(hours) + " h " + std::to_string(minutes % 60) + " min";
  return std::to_string(hours / 24) + " d " + std::to_string(hours % 24) + " h";
}

std::string nanoseconds_text(uint64_t ns) {
  if (ns < 1000) return std::to_string(ns) + " ns";
  const auto value = static_cast<double>(ns);
  if (ns < 1000000) return printed("%.1f us", value / 1e3);
  if (ns < 1000000000) return printed("%.1f ms", value / 1e6);
  return printed("%.1f s", value / 1e9);
}

std::string rate_text(double per_second) {
  if (per_second <= 0) return "0";
  if (per_second < 100) return printed("%.1f", per_second);
  return with_commas(static_cast<uint64_t>(std::llround(per_second)));
}

std::string percent_text(double part, double of) {
  if (of <= 0) return "-";
  return printed("%.1f %%", 100 * part / of);
}

}  // namespace swarmdns::controlplane
