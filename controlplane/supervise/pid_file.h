// RUN_DIR/NAME.pid: which process is ours, for a control plane that starts again. One line: PID START_TICKS
// BOOT_ID.
#pragma once

#include <expected>
#include <optional>
#include <string>

#include "controlplane/supervise/process.h"

namespace swarmdns::controlplane {

std::expected<void, std::string> write_pid_file(const std::string& path, const ProcessIdentity& identity);
// nullopt: no file, or not of this form.
std::optional<ProcessIdentity> read_pid_file(const std::string& path);

}  // namespace swarmdns::controlplane
