#include "controlplane/app/command_line.h"

namespace swarmdns::controlplane {

std::string usage() {
  return "Usage: swarmdns-controlplane --config FILE [options]\n"
         "Runs a SwarmDNS node: starts and watches the data plane and the resolver, serves swarmctl.\n"
         "\n"
         "  --config FILE     the node's configuration (docs/configuration.md)\n"
         "  --check           say what is wrong with the configuration, change nothing\n"
         "  --foreground      stay and log to stderr: the default\n"
         "  --daemon          detach once the node is up; log to STATE_DIR/log/controlplane.log\n"
         "  --dataplane PATH  the data plane's program (default: beside this one, ../dataplane, "
         "/usr/local/sbin)\n"
         "  --stop-children   on SIGTERM stop the data plane and the resolver too; by default they keep "
         "answering\n"
         "  --version         print the version\n"
         "\n"
         "SIGHUP reads the configuration again. Exit status: 0 stopped or configuration good, 1 cannot run,\n"
         "2 wrong usage, 4 configuration refused.\n";
}

std::expected<CommandLine, std::string> parse_command_line(const std::vector<std::string>& arguments) {
  CommandLine result;
  for (size_t i = 0; i < arguments.size(); ++i) {
    std::string name = arguments[i];
    std::string value;
    const size_t equals = name.find('=');
    const bool attached = name.starts_with("--") && equals != std::string::npos;
    if (attached) {
      value = name.substr(equals + 1);
      name.resize(equals);
    }
    if (name == "--config" || name == "-c" || name == "--dataplane") {
      if (!attached) {
        if (++i == arguments.size()) return std::unexpected(name + " needs a value");
        value = arguments[i];
      }
      if (value.empty()) return std::unexpected(name + " needs a value");
      (name == "--dataplane" ? result.dataplane : result.config_file) = value;
      continue;
    }
    if (attached) return std::unexpected(name + " takes no value");
    if (name == "--foreground") {
      result.daemon = false;
    } else if (name == "--daemon") {
      result.daemon = true;
    } else if (name == "--check") {
      result.check = true;
    } else if (name == "--stop-children") {
      result.stop_children = true;
    } else if (name == "--help" || name == "-h") {
      result.help = true;
    } else if (name == "--version") {
      result.version = true;
    } else {
      return std::unexpected("unknown argument " + name);
    }
  }
  if (result.config_file.empty() && !result.help && !result.version)
    return std::unexpected("--config FILE is required");
  return result;
}

}  // namespace swarmdns::controlplane
