// swarmdns-controlplane: reads the command line and the configuration, runs a node until a signal ends it.
#include <pwd.h>
#include <signal.h>

#include <cstdio>
#include <filesystem>

#include "controlplane/api/admin_server.h"
#include "controlplane/app/command_line.h"
#include "controlplane/app/daemon.h"
#include "controlplane/app/directories.h"
#include "controlplane/app/node.h"
#include "controlplane/app/swarm_host.h"
#include "controlplane/config/environment.h"
#include "controlplane/resolver/unbound.h"
#include "proto/config/defaults.h"

namespace swarmdns::controlplane {
namespace {

constexpr int kCannotRun = 1;
constexpr int kUsage = 2;
constexpr int kRefused = 4;

void complain(const std::string& text) {
  fprintf(stderr, "swarmdns-controlplane: %s\n", text.c_str());
}

std::vector<uid_t> uids_of(const google::protobuf::RepeatedPtrField<std::string>& names) {
  std::vector<uid_t> uids;
  for (const std::string& name : names) {
    if (const passwd* user = getpwnam(name.c_str())) uids.push_back(user->pw_uid);
  }
  return uids;
}

AdminAccess access_of(const v1::NodeConfig& node) {
  return {node.name(), uids_of(node.admin_users()), uids_of(node.ledger_readers())};
}

// Signals are waited for, not handled: blocked here, before any thread is made, for all of them.
sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return signals;
}

// false: it says what is wrong, on stderr.
bool machine_has_what_is_needed(const ConfigStore::Start& start, const v1::Config& filled) {
  const auto problems = environment_problems(filled);
  for (const config::Problem& problem : problems) {
    fprintf(stderr, "%s\n",
            to_string(ConfigProblem{start.loaded.file, line_of(start.loaded.lines, problem.path),
                                    problem.path, problem.text})
                .c_str());
  }
  return problems.empty();
}

void wait_for_the_end(const sigset_t& signals, Node& node, Log& log, bool stop_children) {
  for (;;) {
    int signal = 0;
    if (sigwait(&signals, &signal) != 0) continue;
    if (signal == SIGHUP) {
      log.info("SIGHUP: reading the configuration again");
      node.reload();
      continue;
    }
    if (stop_children) {
      log.info("stopping, and the processes below");
      node.stop_processes();
    } else {
      log.info(
          "stopping; the data plane and the resolver keep running (swarmctl node stop, or --stop-children)");
    }
    return;
  }
}

int run_node(const CommandLine& command, const ConfigStore::Start& start, const LayeredStart& layered,
             const v1::Config& filled, Daemon& daemon) {
  const sigset_t signals = block_signals();
  if (auto prepared = prepare_directories(filled.node()); !prepared) {
    complain(prepared.error() + (geteuid() == 0 ? "" : "; the control plane runs as root"));
    return kCannotRun;
  }
  if (auto locked = lock_run_dir(filled.node().run_dir()); !locked) {
    complain(locked.error());
    return kCannotRun;
  }
  Log log;
  if (command.daemon) log.to_file(filled.node().state_dir() + "/log/controlplane.log");
  log.info(std::string("swarmdns-controlplane ") + SWARMDNS_VERSION + ", node " + filled.node().name() +
           ", " + start.loaded.file);
  if (!start.note.empty()) log.warning(start.note);
  if (!layered.problem.empty()) {
    log.warning("the swarm's configuration is left out until it can be put in force: " + layered.problem);
  }

  Machine machine;
  ConfigStore store(command.config_file);
  if (!start.from_applied) {
    if (auto kept = store.note_file(filled.node().state_dir(), start.yaml); !kept) log.warning(kept.error());
  }
  Node node({store, command.dataplane.empty() ? find_dataplane() : command.dataplane}, start, layered, log,
            machine);
  SwarmHost swarm([&node] { return node.config(); }, node, node, log);
  auto server = AdminServer::start(filled.node().run_dir() + "/admin.sock", access_of(filled.node()), node,
                                   &swarm, [&log](const std::string& text) { log.warning(text); });
  if (!server) {
    complain(server.error());
    return kCannotRun;
  }
  node.on_admin_access([&](const v1::NodeConfig& config) { (*server)->set_access(access_of(config)); });
  node.on_cache_loaded([&swarm] { swarm.cache_loaded(); });
  node.start();
  swarm.start();
  daemon.report(0);
  if (command.daemon) daemon.let_go();
  wait_for_the_end(signals, node, log, command.stop_children);
  (*server)->stop();
  swarm.stop();
  log.info("stopped");
  return 0;
}

int run(const std::vector<std::string>& arguments) {
  auto command = parse_command_line(arguments);
  if (!command) {
    complain(command.error());
    fputs(usage().c_str(), stderr);
    return kUsage;
  }
  if (command->help) {
    fputs(usage().c_str(), stdout);
    return 0;
  }
  if (command->version) {
    printf("swarmdns-controlplane %s\n", SWARMDNS_VERSION);
    return 0;
  }
  // SIGHUP reads it again, from wherever the process is then.
  std::error_code ignored;
  command->config_file = std::filesystem::absolute(command->config_file, ignored).string();
  const auto start = command->check ? [&]() -> std::expected<ConfigStore::Start, std::vector<ConfigProblem>> {
    auto loaded = load_config(command->config_file);
    if (!loaded) return std::unexpected(loaded.error());
    return ConfigStore::Start{std::move(*loaded), "", false, ""};
  }()
      : ConfigStore(command->config_file).choose();
  if (!start) {
    fputs(to_string(start.error()).c_str(), stderr);
    return kRefused;
  }
  // A file that is to be judged is judged by itself.
  const LayeredStart layered =
      command->check ? LayeredStart{start->loaded.config, {}, ""} : layered_start(*start);
  v1::Config filled = layered.config;
  config::fill_defaults(filled);
  if (!machine_has_what_is_needed(*start, filled)) return kRefused;
  if (command->check) {
    if (filled.resolver().mode() == v1::UNBOUND) {
      if (auto judged = check_unbound(filled.resolver(), resolver_paths(filled.node())); !judged) {
        fprintf(stderr, "%s: resolver: %s\n", command->config_file.c_str(), judged.error().c_str());
        return kRefused;
      }
    }
    printf("%s: good\n", command->config_file.c_str());
    return 0;
  }
  Daemon daemon;
  if (command->daemon) {
    if (const auto status = daemon.detach()) return *status;
  }
  const int status = run_node(*command, *start, layered, filled, daemon);
  daemon.report(status);
  return status;
}

}  // namespace
}  // namespace swarmdns::controlplane

int main(int argc, char** argv) {
  return swarmdns::controlplane::run({argv + 1, argv + argc});
}
