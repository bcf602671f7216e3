#include "controlplane/cli/cli.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "controlplane/cli/commands.h"
#include "controlplane/cli/completion.h"
#include "controlplane/cli/local_node.h"
#include "controlplane/config/reference.h"

namespace swarmdns::controlplane {
namespace {

using Command = std::function<int(Context&)>;

// What was typed.
struct Choice {
  std::string socket;
  std::string output = "table";
  Command command;                          // through the node
  bool local_too = false;                   // works without a control plane as well
  std::function<int(std::ostream&)> plain;  // needs no node at all
  std::function<std::string()> check;       // what is wrong beyond the parser's reach; "" = nothing
  // Values of options and arguments; a command reads its own.
  std::string file, name, type, device, driver, process, shell;
  bool defaults = false, force = false;
  FlushScope scope;
  StatsView stats;
};

CLI::App* leaf(CLI::App& parent, Choice& choice, const std::string& name, const std::string& help,
               const Command& command, bool local_too = false) {
  CLI::App* app = parent.add_subcommand(name, help);
  app->callback([&choice, command, local_too] {
    choice.command = command;
    choice.local_too = local_too;
  });
  return app;
}

CLI::App* group(CLI::App& parent, const std::string& name, const std::string& help) {
  CLI::App* app = parent.add_subcommand(name, help);
  app->require_subcommand(1);
  return app;
}

void add_config(CLI::App& app, Choice& c) {
  CLI::App* config = group(app, "config", "the node's configuration");
  leaf(
      *config, c, "check", "say what is wrong with a file, and what it would change",
      [&c](Context& x) { return check_config(x, c.file); }, true)
      ->add_option("FILE", c.file, "YAML file")
      ->required();
  leaf(*config, c, "apply", "check a file and put it in force",
       [&c](Context& x) { return apply_config(x, c.file); })
      ->add_option("FILE", c.file, "YAML file")
      ->required();
  leaf(*config, c, "show", "print what is in force", [&c](Context& x) {
    return show_config(x, c.defaults);
  })->add_flag("--defaults", c.defaults, "with every default filled in");
  config->add_subcommand("reference", "print the manual of the configuration (Markdown)")->callback([&c] {
    c.plain = [](std::ostream& out) {
      out << config_reference();
      return kExitOk;
    };
  });
}

void add_cache(CLI::App& app, Choice& c) {
  CLI::App* cache = group(app, "cache", "what the node remembers");
  CLI::App* show = leaf(*cache, c, "show", "print the entries of a name",
                        [&c](Context& x) { return show_cache(x, c.name, c.type); });
  show->add_option("NAME", c.name, "domain name")->required();
  show->add_option("TYPE", c.type, "record type; all when left out");
  CLI::App* flush = leaf(*cache, c, "flush", "forget a name, a zone or everything, in the resolver too",
                         [&c](Context& x) { return flush_cache(x, c.scope); });
  flush->add_option("NAME", c.scope.name, "this name");
  flush->add_option("--zone", c.scope.zone, "this name and everything below it");
  flush->add_flag("--all", c.scope.all, "the whole cache");
  flush->add_option("--type", c.scope.type, "this type of the name only");
  c.check = [&c, flush] { return flush->parsed() ? scope_problem(c.scope) : ""; };
  leaf(*cache, c, "stats", "size and counters of the cache", [](Context& x) { return show_cache_stats(x); });
  leaf(*cache, c, "dump", "write the cache to a file", [&c](Context& x) { return dump_cache(x, c.file); })
      ->add_option("FILE", c.file, "file to write")
      ->required();
  leaf(*cache, c, "load", "take the entries of a dump in", [&c](Context& x) { return load_cache(x, c.file); })
      ->add_option("FILE", c.file, "file that cache dump wrote")
      ->required();
}

void add_stats(CLI::App& app, Choice& c) {
  CLI::App* stats =
      leaf(app, c, "stats", "counters and latencies", [&c](Context& x) { return show_stats(x, c.stats); });
  stats->add_flag("--watch,-w", c.stats.watch, "again and again, with rates");
  stats->add_option("--interval", c.stats.interval_s, "seconds between two looks, 1-3600 (default 1)")
      ->check(CLI::Range(1, 3600));
  stats->add_option("--count", c.stats.count, "end after so many looks")->check(CLI::Range(1, 1000000000));
  stats->add_flag("--all", c.stats.all, "counters at 0 too");
  stats->add_flag("--per-lcore", c.stats.per_lcore, "a column for each lcore");
}

void add_port(CLI::App& app, Choice& c) {
  CLI::App* port = group(app, "port", "network ports of this machine");
  leaf(
      *port, c, "list", "PCI network ports, drivers, who uses them", [](Context& x) { return list_ports(x); },
      true);
  leaf(
      *port, c, "status", "all about one port", [&c](Context& x) { return show_port(x, c.device); }, true)
      ->add_option("DEVICE", c.device, "PCI address or interface")
      ->required();
  CLI::App* bind = leaf(
      *port, c, "bind", "give a port to DPDK (vfio-pci)",
      [&c](Context& x) { return bind_port(x, c.device, c.force); }, true);
  bind->add_option("DEVICE", c.device, "PCI address or interface")->required();
  bind->add_flag("--force", c.force, "though it carries addresses in use");
  CLI::App* unbind = leaf(
      *port, c, "unbind", "give a port back to the kernel",
      [&c](Context& x) { return unbind_port(x, c.device, c.driver); }, true);
  unbind->add_option("DEVICE", c.device, "PCI address")->required();
  unbind->add_option("--driver", c.driver, "to this driver (default: the one it had before)");
}

void add_node(CLI::App& app, Choice& c) {
  CLI::App* node = group(app, "node", "the node's processes");
  const struct {
    const char* name;
    const char* help;
    v1::ControlProcessRequest::Action action;
  } actions[] = {
      {"stop", "stop the data plane and the resolver, or one of them", v1::ControlProcessRequest::STOP},
      {"start", "start them", v1::ControlProcessRequest::START},
      {"restart", "stop and start them", v1::ControlProcessRequest::RESTART_PROCESS},
  };
  for (const auto& action : actions) {
    const auto what = action.action;
    leaf(*node, c, action.name, action.help,
         [&c, what](Context& x) { return control_node(x, what, c.process); })
        ->add_option("PROCESS", c.process, "dataplane or resolver; both when left out")
        ->check(CLI::IsMember({"dataplane", "resolver"}));
  }
}

void build(CLI::App& app, Choice& c) {
  app.require_subcommand(1);
  app.fallthrough();
  app.set_version_flag("--version", std::string("swarmctl ") + SWARMDNS_VERSION);
  app.add_option("--socket", c.socket,
                 "admin socket (default: $SWARMDNS_SOCKET, else /run/swarmdns/admin.sock)");
  app.add_option("-o,--output", c.output, "table or json")->check(CLI::IsMember({"table", "json"}));
  leaf(app, c, "status", "how the node and its processes are", [](Context& x) { return show_status(x); });
  add_config(app, c);
  add_cache(app, c);
  add_stats(app, c);
  add_port(app, c);
  add_node(app, c);
  CLI::App* completion = app.add_subcommand("completion", "print a completion script");
  completion->add_option("SHELL", c.shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  completion->callback([&c, &app] {
    c.plain = [&c, &app](std::ostream& out) {
      const auto levels = completion_levels(app);
      out << (c.shell == "bash"  ? bash_completion(levels)
              : c.shell == "zsh" ? zsh_completion(levels)
                                 : fish_completion(levels));
      return kExitOk;
    };
  });
  app.footer(
      "Exit status: 0 done, 1 tried and failed, 2 wrong usage, 3 control plane or data plane not reachable,\n"
      "4 refused or not accepted, 5 not found, 6 not permitted.");
}

int run_command(const Choice& choice, CliEnvironment& environment) {
  auto node = environment.connect(choice.socket);
  if (!node) {
    const bool nobody = node.error().kind == Refusal::Kind::kUnreachable;
    if (!nobody || !choice.local_too) {
      environment.err << "swarmctl: " << node.error().text << "\n";
      return exit_code_of(node.error().kind);
    }
    environment.err << "swarmctl: no control plane answers on " << choice.socket
                    << "; acting on this machine directly\n";
    node = make_local_node(node.error());
  }
  Context context{**node,
                  environment.out,
                  environment.err,
                  choice.output == "json",
                  environment.out_is_terminal,
                  Style(environment.colours),
                  environment.pause};
  return choice.command(context);
}

}  // namespace

int run_cli(const std::vector<std::string>& arguments, CliEnvironment& environment) {
  CLI::App app("Runs a SwarmDNS node: everything goes through its control plane's admin socket.", "swarmctl");
  Choice choice;
  choice.socket = environment.default_socket;
  build(app, choice);
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    app.parse(reversed);
  } catch (const CLI::Success& success) {  // --help, --version
    return app.exit(success, environment.out, environment.err);
  } catch (const CLI::ParseError& error) {
    environment.err << "swarmctl: " << error.what() << "\nTry swarmctl --help, or --help behind a command.\n";
    return kExitUsage;
  }
  if (const std::string problem = choice.check(); !problem.empty()) {
    environment.err << "swarmctl: " << problem << "\n";
    return kExitUsage;
  }
  if (choice.plain) return choice.plain(environment.out);
  return run_command(choice, environment);
}

}  // namespace swarmdns::controlplane
