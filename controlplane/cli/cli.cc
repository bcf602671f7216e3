#include "controlplane/cli/cli.h"

#include <algorithm>

#include "controlplane/cli/command_tree.h"
#include "controlplane/cli/commands.h"
#include "controlplane/cli/completion.h"
#include "controlplane/cli/local_node.h"
#include "controlplane/cli/swarm_config_commands.h"
#include "controlplane/config/reference.h"

namespace swarmdns::controlplane {

CLI::App* leaf(CLI::App& parent, Choice& choice, const std::string& name, const std::string& help,
               std::function<int(Context&)> command, const std::string& example) {
  CLI::App* app = parent.add_subcommand(name, help);
  app->callback([&choice, command = std::move(command)] { choice.command = command; });
  if (!example.empty()) app->footer("Example: " + example);
  return app;
}

CLI::App* group(CLI::App& parent, const std::string& name, const std::string& help) {
  CLI::App* app = parent.add_subcommand(name, help);
  app->require_subcommand(1);
  return app;
}

void add_reason(CLI::App& command, std::string& reason) {
  command.add_option("--reason", reason, "why, in your words; kept in the ledger");
}

namespace {

// A command that also works on a machine where no control plane runs yet.
CLI::App* local_leaf(CLI::App& parent, Choice& choice, const std::string& name, const std::string& help,
                     std::function<int(Context&)> command) {
  CLI::App* app = leaf(parent, choice, name, help, std::move(command));
  choice.checks.emplace_back([&choice, app] {
    choice.local_too = choice.local_too || app->parsed();
    return "";
  });
  return app;
}

void add_config(CLI::App& app, Choice& choice) {
  struct Options {
    std::string file, reason, to;
    uint64_t height = 0;
    uint32_t limit = 100;
    bool defaults = false, dry_run = false;
  };
  const auto o = std::make_shared<Options>();
  CLI::App* config = group(app, "config", "the configuration of the node, and of the swarm");
  local_leaf(*config, choice, "check",
             "say what is wrong with a file of a node or a swarm, and what it would change",
             [o](Context& x) { return check_config(x, o->file); })
      ->add_option("FILE", o->file, "YAML file")
      ->required();
  CLI::App* apply = leaf(
      *config, choice, "apply",
      "check a file and put it in force: on this node; a document of all:, regions:, nodes: on all "
      "nodes of the swarm",
      [o](Context& x) { return apply_config(x, o->file, o->reason); },
      "swarmctl config apply swarm.yaml --reason \"longer TTLs\"");
  apply->add_option("FILE", o->file, "YAML file")->required();
  add_reason(*apply, o->reason);
  leaf(*config, choice, "show", "print what is in force on this node", [o](Context& x) {
    return show_config(x, o->defaults);
  })->add_flag("--defaults", o->defaults, "with every default filled in");
  CLI::App* history = leaf(
      *config, choice, "history", "the swarm's configurations, newest first",
      [o](Context& x) { return show_swarm_configs(x, o->limit, o->height); }, "swarmctl config history");
  history->add_option("BLOCK", o->height, "print the document of this height");
  history->add_option("--limit", o->limit, "so many, 1-1000 (default 100)")->check(CLI::Range(1, 1000));
  CLI::App* rollback = leaf(
      *config, choice, "rollback", "put an earlier configuration of the swarm in force again",
      [o](Context& x) { return roll_back_swarm_config(x, o->to, o->dry_run, o->reason); },
      "swarmctl config rollback --to 57 --reason \"TTLs were too long\"");
  rollback
      ->add_option("--to", o->to, "height, or time: 2026-11-22T17:00:00Z, 17:05 (the last one, UTC), -10m")
      ->required();
  rollback->add_flag("--dry-run", o->dry_run, "only ask the nodes what they say to it");
  add_reason(*rollback, o->reason);
  config->add_subcommand("reference", "print the manual of the configuration (Markdown)")
      ->callback([&choice] {
        choice.plain = [](std::ostream& out) {
          out << config_reference();
          return kExitOk;
        };
      });
}

void add_cache(CLI::App& app, Choice& choice) {
  struct Options {
    std::string file, name, type;
    FlushScope scope;
  };
  const auto o = std::make_shared<Options>();
  CLI::App* cache = group(app, "cache", "what the node remembers");
  CLI::App* show = leaf(*cache, choice, "show", "print the entries of a name",
                        [o](Context& x) { return show_cache(x, o->name, o->type); });
  show->add_option("NAME", o->name, "domain name")->required();
  show->add_option("TYPE", o->type, "record type; all when left out");
  CLI::App* flush = leaf(*cache, choice, "flush", "forget a name, a zone or everything, in the resolver too",
                         [o](Context& x) { return flush_cache(x, o->scope); });
  flush->add_option("NAME", o->scope.name, "this name");
  flush->add_option("--zone", o->scope.zone, "this name and everything below it");
  flush->add_flag("--all", o->scope.all, "the whole cache");
  flush->add_option("--type", o->scope.type, "this type of the name only");
  choice.checks.emplace_back([o, flush] { return flush->parsed() ? scope_problem(o->scope) : ""; });
  leaf(*cache, choice, "stats", "size and counters of the cache", show_cache_stats);
  leaf(*cache, choice, "dump", "write the cache to a file",
       [o](Context& x) { return dump_cache(x, o->file); })
      ->add_option("FILE", o->file, "file to write")
      ->required();
  leaf(*cache, choice, "load", "take the entries of a dump in",
       [o](Context& x) { return load_cache(x, o->file); })
      ->add_option("FILE", o->file, "file that cache dump wrote")
      ->required();
}

void add_stats(CLI::App& app, Choice& choice) {
  const auto view = std::make_shared<StatsView>();
  CLI::App* stats = leaf(app, choice, "stats", "counters and latencies",
                         [view](Context& x) { return show_stats(x, *view); });
  stats->add_flag("--watch,-w", view->watch, "again and again, with rates");
  stats->add_option("--interval", view->interval_s, "seconds between two looks, 1-3600 (default 1)")
      ->check(CLI::Range(1, 3600));
  stats->add_option("--count", view->count, "end after so many looks")->check(CLI::Range(1, 1000000000));
  stats->add_flag("--all", view->all, "counters at 0 too");
  stats->add_flag("--per-lcore", view->per_lcore, "a column for each lcore");
}

void add_port(CLI::App& app, Choice& choice) {
  struct Options {
    std::string device, driver;
    bool force = false;
  };
  const auto o = std::make_shared<Options>();
  CLI::App* port = group(app, "port", "network ports of this machine");
  local_leaf(*port, choice, "list", "PCI network ports, drivers, who uses them", list_ports);
  local_leaf(*port, choice, "status", "all about one port",
             [o](Context& x) { return show_port(x, o->device); })
      ->add_option("DEVICE", o->device, "PCI address or interface")
      ->required();
  CLI::App* bind = local_leaf(*port, choice, "bind", "give a port to DPDK (vfio-pci)",
                              [o](Context& x) { return bind_port(x, o->device, o->force); });
  bind->add_option("DEVICE", o->device, "PCI address or interface")->required();
  bind->add_flag("--force", o->force, "though it carries addresses in use");
  CLI::App* unbind = local_leaf(*port, choice, "unbind", "give a port back to the kernel",
                                [o](Context& x) { return unbind_port(x, o->device, o->driver); });
  unbind->add_option("DEVICE", o->device, "PCI address")->required();
  unbind->add_option("--driver", o->driver, "to this driver (default: the one it had before)");
}

void add_node(CLI::App& app, Choice& choice) {
  const auto process = std::make_shared<std::string>();
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
    leaf(*node, choice, action.name, action.help,
         [process, what](Context& x) { return control_node(x, what, *process); })
        ->add_option("PROCESS", *process, "dataplane or resolver; both when left out")
        ->check(CLI::IsMember({"dataplane", "resolver"}));
  }
}

void add_completion(CLI::App& app, Choice& choice) {
  const auto shell = std::make_shared<std::string>();
  CLI::App* completion = app.add_subcommand("completion", "print a completion script");
  completion->add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  completion->callback([&choice, &app, shell] {
    choice.plain = [&app, shell](std::ostream& out) {
      const auto levels = completion_levels(app);
      out << (*shell == "bash"  ? bash_completion(levels)
              : *shell == "zsh" ? zsh_completion(levels)
                                : fish_completion(levels));
      return kExitOk;
    };
  });
}

void build(CLI::App& app, Choice& choice) {
  app.require_subcommand(1);
  app.fallthrough();
  app.set_version_flag("--version", std::string("swarmctl ") + SWARMDNS_VERSION);
  app.add_option("--socket", choice.socket,
                 "admin socket (default: $SWARMDNS_SOCKET, else /run/swarmdns/admin.sock)");
  app.add_option("-o,--output", choice.output, "table or json")->check(CLI::IsMember({"table", "json"}));
  leaf(app, choice, "status", "how the node and its processes are", show_status);
  add_config(app, choice);
  add_cache(app, choice);
  add_stats(app, choice);
  add_port(app, choice);
  add_node(app, choice);
  add_swarm(app, choice);
  add_ledger(app, choice);
  add_completion(app, choice);
  app.footer(
      "Exit status: 0 done, 1 tried and failed, 2 wrong usage, 3 control plane, data plane or quorum not "
      "reachable,\n"
      "4 refused or not accepted, 5 not found, 6 not permitted, 7 not in this version, 8 done but not on "
      "every node "
      "yet.");
}

Outcome<AdminConnection> connect(const Choice& choice, CliEnvironment& environment) {
  if (choice.offline) return AdminConnection{make_local_node({}), nullptr};
  auto connection = environment.connect(choice.socket);
  if (connection || !choice.local_too || connection.error().kind != Refusal::Kind::kUnreachable)
    return connection;
  environment.err << "swarmctl: no control plane answers on " << choice.socket
                  << "; acting on this machine directly\n";
  return AdminConnection{make_local_node(connection.error()), nullptr};
}

int run_command(const Choice& choice, CliEnvironment& environment) {
  const auto connection = connect(choice, environment);
  if (!connection) {
    environment.err << "swarmctl: " << connection.error().text << "\n";
    return exit_code_of(connection.error().kind);
  }
  Context context{.node = *connection->node,
                  .swarm = connection->swarm.get(),
                  .out = environment.out,
                  .err = environment.err,
                  .json = choice.output == "json",
                  .terminal = environment.out_is_terminal,
                  .style = Style(environment.colours),
                  .pause = environment.pause,
                  .in = environment.in,
                  .can_ask = environment.in_is_terminal,
                  .sudo_user = environment.sudo_user,
                  .now_ms = environment.wall_ms()};
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
  for (const auto& check : choice.checks) {
    if (const std::string problem = check(); !problem.empty()) {
      environment.err << "swarmctl: " << problem << "\n";
      return kExitUsage;
    }
  }
  if (choice.plain) return choice.plain(environment.out);
  return run_command(choice, environment);
}

}  // namespace swarmdns::controlplane
