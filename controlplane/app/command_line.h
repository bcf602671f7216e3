// The command line of swarmdns-controlplane.
#pragma once

#include <expected>
#include <string>
#include <vector>

namespace swarmdns::controlplane {

struct CommandLine {
  std::string config_file;
  std::string dataplane;  // path of the program; "" = looked for
  bool daemon = false;    // detach, log to STATE_DIR/log/controlplane.log
  bool check = false;
  bool stop_children = false;  // SIGTERM stops the data plane and the resolver too
  bool help = false;
  bool version = false;
};

// The error is a sentence for stderr.
std::expected<CommandLine, std::string> parse_command_line(const std::vector<std::string>& arguments);
std::string usage();

}  // namespace swarmdns::controlplane
