#include "controlplane/supervise/pid_file.h"

#include <sstream>

#include "proto/config/store.h"

namespace swarmdns::controlplane {

std::expected<void, std::string> write_pid_file(const std::string& path, const ProcessIdentity& identity) {
  return config::write_file_atomically(path, std::to_string(identity.pid) + " " +
                                                 std::to_string(identity.start_ticks) + " " +
                                                 identity.boot_id + "\n");
}

std::optional<ProcessIdentity> read_pid_file(const std::string& path) {
  const auto text = config::read_file(path, 4096);
  if (!text) return std::nullopt;
  std::istringstream fields(*text);
  ProcessIdentity identity;
  if (!(fields >> identity.pid >> identity.start_ticks >> identity.boot_id) || identity.pid <= 1)
    return std::nullopt;
  return identity;
}

}  // namespace swarmdns::controlplane
