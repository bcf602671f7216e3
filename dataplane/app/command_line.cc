#include "dataplane/app/command_line.h"

#include <getopt.h>

namespace swarmdns::app {

const char* usage_text() noexcept {
  return "usage: swarmdns-dataplane [--config FILE] [--state-dir DIR] [--log-level LEVEL]\n"
         "       swarmdns-dataplane --check [--config FILE] [--state-dir DIR]\n"
         "       swarmdns-dataplane --version | --help\n"
         "\n"
         "Answers DNS from the ports it is given, in the foreground, until SIGTERM or SIGINT.\n"
         "  --config FILE      a DataplaneConfig as Protobuf JSON; it becomes the last applied one.\n"
         "                     Without it the last applied configuration is used: DIR/dataplane.json\n"
         "  --state-dir DIR    where that is, default /var/lib/swarmdns\n"
         "  --check            only says whether the configuration is good\n"
         "  --log-level LEVEL  debug, info, warning or error; default info\n"
         "\n"
         "exit status: 0 stopped in good order (--check: good), 1 could not start or was refused, 2 usage\n";
}

std::expected<CommandLine, std::string> parse_command_line(int argc, char** argv) {
  CommandLine line;
  enum : int { kConfig = 1, kStateDir, kCheck, kVersion, kHelp, kLogLevel };
  static constexpr option kOptions[] = {{"config", required_argument, nullptr, kConfig},
                                        {"state-dir", required_argument, nullptr, kStateDir},
                                        {"check", no_argument, nullptr, kCheck},
                                        {"version", no_argument, nullptr, kVersion},
                                        {"help", no_argument, nullptr, kHelp},
                                        {"log-level", required_argument, nullptr, kLogLevel},
                                        {nullptr, 0, nullptr, 0}};
  opterr = 0;
  optind = 1;
  for (;;) {
    const int chosen = getopt_long(argc, argv, "", kOptions, nullptr);
    if (chosen < 0) break;
    switch (chosen) {
      case kConfig:
        line.config_file = optarg;
        break;
      case kStateDir:
        line.state_dir = optarg;
        break;
      case kCheck:
        line.what = CommandLine::What::Check;
        break;
      case kVersion:
        line.what = CommandLine::What::Version;
        break;
      case kHelp:
        line.what = CommandLine::What::Help;
        break;
      case kLogLevel:
        if (const auto level = control::log_level_from(optarg)) {
          line.log_level = *level;
        } else {
          return std::unexpected(std::string("--log-level: \"") + optarg +
                                 "\" is none of debug, info, warning, error");
        }
        break;
      default:
        return std::unexpected(std::string("unknown or incomplete option ") + argv[optind - 1]);
    }
  }
  if (optind < argc) return std::unexpected(std::string("unexpected argument ") + argv[optind]);
  return line;
}

}  // namespace swarmdns::app
