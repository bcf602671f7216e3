// swarmctl: wires the command line to the terminal and the admin socket.
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "controlplane/cli/admin_client.h"
#include "controlplane/cli/cli.h"

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  const char* socket = std::getenv("SWARMDNS_SOCKET");
  const bool terminal = isatty(STDOUT_FILENO) == 1;
  swarmdns::controlplane::CliEnvironment environment{
      .out = std::cout,
      .err = std::cerr,
      .out_is_terminal = terminal,
      .colours = terminal && std::getenv("NO_COLOR") == nullptr,
      .default_socket = socket != nullptr && *socket != '\0' ? socket : "/run/swarmdns/admin.sock",
      .connect = swarmdns::controlplane::connect_admin,
      .pause =
          [](int ms) {
            poll(nullptr, 0, ms);
            return std::cout.good();
          },
  };
  const int status = swarmdns::controlplane::run_cli({argv + 1, argv + argc}, environment);
  std::cout.flush();
  return status;
}
