// What swarmdns-dataplane is told on its command line.
#pragma once

#include <expected>
#include <string>

#include "dataplane/control/log.h"

namespace swarmdns::app {

struct CommandLine {
  enum class What { Run, Check, Version, Help } what = What::Run;
  std::string config_file;                      // empty: the last applied configuration
  std::string state_dir = "/var/lib/swarmdns";  // where that is looked for
  control::LogLevel log_level = control::LogLevel::Info;
};

// The error is a sentence for the operator.
[[nodiscard]] std::expected<CommandLine, std::string> parse_command_line(int argc, char** argv);

[[nodiscard]] const char* usage_text() noexcept;

}  // namespace swarmdns::app
