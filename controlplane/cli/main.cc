// swarmctl: wires the command line to the terminal and the admin socket.
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <iostream>

#include "controlplane/cli/admin_connection.h"
#include "controlplane/cli/cli.h"

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  const char* socket = std::getenv("SWARMDNS_SOCKET");
  const char* sudo_user = std::getenv("SUDO_USER");
  const bool terminal = isatty(STDOUT_FILENO) == 1;
  swarmdns::controlplane::CliEnvironment environment{
      .out = std::cout,
      .err = std::cerr,
      .in = std::cin,
      .out_is_terminal = terminal,
      .in_is_terminal = isatty(STDIN_FILENO) == 1,
      .colours = terminal && std::getenv("NO_COLOR") == nullptr,
      .default_socket = socket != nullptr && *socket != '\0' ? socket : "/run/swarmdns/admin.sock",
      .sudo_user = sudo_user != nullptr ? sudo_user : "",
      .connect = swarmdns::controlplane::connect_admin,
      .pause =
          [](int ms) {
            poll(nullptr, 0, ms);
            return std::cout.good();
          },
      .wall_ms =
          [] {
            return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                             std::chrono::system_clock::now().time_since_epoch())
                                             .count());
          },
  };
  const int status = swarmdns::controlplane::run_cli({argv + 1, argv + argc}, environment);
  std::cout.flush();
  return status;
}
