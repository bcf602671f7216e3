// Structured lines on a descriptor (stderr): time, level, event, key=value fields. For the slow threads only:
// workers count, they never log. Any thread; one write() a line, so that lines of several threads do not mix.
#pragma once

#include <atomic>
#include <concepts>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace swarmdns::control {

enum class LogLevel { Debug, Info, Warning, Error };

// "debug", "info", "warning", "error"; nullopt for anything else.
[[nodiscard]] std::optional<LogLevel> log_level_from(std::string_view word) noexcept;

// One key=value. Values with spaces, quotes or control characters are quoted and escaped, so that a line
// stays a line.
struct LogField {
  std::string_view key;
  std::string value;
  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const char* v) : key(k), value(v) {}
  LogField(std::string_view k, std::string v) : key(k), value(std::move(v)) {}
  template <std::integral T>
  LogField(std::string_view k, T v) : key(k), value(std::to_string(v)) {}
};

class Logger {
 public:
  explicit Logger(int fd = 2, LogLevel level = LogLevel::Info) : fd_(fd), level_(level) {}

  void set_level(LogLevel level) noexcept { level_.store(level, std::memory_order_relaxed); }
  [[nodiscard]] bool enabled(LogLevel level) const noexcept {
    return level >= level_.load(std::memory_order_relaxed);
  }

  void write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {}) const;
  void debug(std::string_view event, std::initializer_list<LogField> fields = {}) const {
    write(LogLevel::Debug, event, fields);
  }
  void info(std::string_view event, std::initializer_list<LogField> fields = {}) const {
    write(LogLevel::Info, event, fields);
  }
  void warning(std::string_view event, std::initializer_list<LogField> fields = {}) const {
    write(LogLevel::Warning, event, fields);
  }
  void error(std::string_view event, std::initializer_list<LogField> fields = {}) const {
    write(LogLevel::Error, event, fields);
  }

 private:
  int fd_;
  std::atomic<LogLevel> level_;
};

}  // namespace swarmdns::control
