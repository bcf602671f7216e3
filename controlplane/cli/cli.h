// swarmctl: from the command line to a command.
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "controlplane/api/node_control.h"

namespace swarmdns::controlplane {

struct CliEnvironment {
  std::ostream& out;
  std::ostream& err;
  bool out_is_terminal = false;
  bool colours = false;
  std::string default_socket;
  std::function<Outcome<std::unique_ptr<NodeControl>>(const std::string& socket)> connect;
  std::function<bool(int ms)> pause;
};

// `arguments` without the program's name. Returns the exit code.
int run_cli(const std::vector<std::string>& arguments, CliEnvironment& environment);

}  // namespace swarmdns::controlplane
