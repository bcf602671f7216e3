// swarmctl: from the command line to a command.
#pragma once

#include <cstdint>
#include <functional>
#include <istream>
#include <ostream>
#include <string>
#include <vector>

#include "controlplane/cli/admin_connection.h"

namespace swarmdns::controlplane {

struct CliEnvironment {
  std::ostream& out;
  std::ostream& err;
  std::istream& in;
  bool out_is_terminal = false;
  bool in_is_terminal = false;
  bool colours = false;
  std::string default_socket;
  std::string sudo_user;  // $SUDO_USER
  std::function<Outcome<AdminConnection>(const std::string& socket)> connect;
  std::function<bool(int ms)> pause;
  std::function<uint64_t()> wall_ms;
};

// `arguments` without the program's name. Returns the exit code.
int run_cli(const std::vector<std::string>& arguments, CliEnvironment& environment);

}  // namespace swarmdns::controlplane
