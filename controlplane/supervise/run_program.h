// Runs a short-lived program and collects what it says.
#pragma once

#include <expected>
#include <string>
#include <vector>

namespace swarmdns::controlplane {

struct ProgramResult {
  int exit_status = 0;  // 128 + N when killed by signal N
  std::string output;   // stdout and stderr, at most 64 KiB
};

// The error is a sentence: it could not be run, or did not end within `timeout_ms` and was killed.
std::expected<ProgramResult, std::string> run_program(const std::vector<std::string>& argv, int timeout_ms);

}  // namespace swarmdns::controlplane
