// The command line of dnsvolley.
#pragma once

#include <optional>

#include "dataplane/volley/options.h"

namespace swarmdns::volley {

inline constexpr int kPassed = 0;
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;

// Fills `options`. A value: the process ends with it, the text having been printed (help, version, usage).
[[nodiscard]] std::optional<int> parse_command_line(int argc, char** argv, Options& options);

}  // namespace swarmdns::volley
