#include "dataplane/control/log.h"

#include <time.h>
#include <unistd.h>

#include <cstdio>

namespace swarmdns::control {
namespace {

constexpr std::string_view kWords[] = {"debug", "info", "warning", "error"};

bool needs_quotes(std::string_view value) {
  if (value.empty()) return true;
  for (const char c : value) {
    const auto u = static_cast<unsigned char>(c);
    if (u <= ' ' || u == '"' || u == '=' || u == '\\' || u == 0x7f) return true;
  }
  return false;
}

// Bytes of 0x80 and above stand as they are: UTF-8 passes, and a terminal gets no C0 control character.
void append_value(std::string& line, std::string_view value) {
  if (!needs_quotes(value)) {
    line += value;
    return;
  }
  line += '"';
  for (const char c : value) {
    const auto u = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      line += '\\';
      line += c;
    } else if (u < ' ' || u == 0x7f) {
      char escaped[5];
      std::snprintf(escaped, sizeof escaped, "\\x%02x", u);
      line += escaped;
    } else {
      line += c;
    }
  }
  line += '"';
}

}  // namespace

std::optional<LogLevel> log_level_from(std::string_view word) noexcept {
  for (int i = 0; i < 4; ++i) {
    if (word == kWords[i]) return static_cast<LogLevel>(i);
  }
  return std::nullopt;
}

void Logger::write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) const {
  if (!enabled(level)) return;
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  tm utc{};
  gmtime_r(&now.tv_sec, &utc);
  char stamp[40];
  const std::size_t n = strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
  std::snprintf(stamp + n, sizeof stamp - n, ".%03dZ ", static_cast<int>(now.tv_nsec / 1'000'000));

  std::string line = stamp;
  line += kWords[static_cast<int>(level)];
  line += ' ';
  append_value(line, event);
  for (const LogField& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    append_value(line, field.value);
  }
  line += '\n';
  // A log that cannot be written is not a reason to stop answering.
  [[maybe_unused]] const ssize_t written = ::write(fd_, line.data(), line.size());
}

}  // namespace swarmdns::control
