// swarmdns-dataplane: reads its configuration, starts a node, waits for the end. Signals are taken by this
// thread alone.
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cstdio>

#include "dataplane/app/command_line.h"
#include "dataplane/app/node.h"
#include "dataplane/app/notify.h"
#include "dataplane/control/configurator.h"
#include "dataplane/control/log.h"
#include "proto/config/store.h"

namespace {

using namespace swarmdns;

std::expected<v1::DataplaneConfig, std::string> read_configuration(const app::CommandLine& line) {
  const bool last_applied = line.config_file.empty();
  const std::string path = last_applied ? control::last_applied_path(line.state_dir) : line.config_file;
  auto config = config::read_dataplane_config(path);
  if (!config) {
    return std::unexpected(config.error() +
                           (last_applied ? "; nothing has been applied here yet: give --config FILE, or "
                                           "start it by the control plane"
                                         : ""));
  }
  if (config->state_dir().empty()) config->set_state_dir(line.state_dir);
  auto checked = control::checked(std::move(*config));
  if (!checked) return std::unexpected(path + " cannot be used:\n" + checked.error());
  return checked;
}

// Until SIGTERM, SIGINT or a word from the control socket.
void serve(app::Node& node, int signals, int stop_fd, const control::Logger& log) {
  pollfd fds[2] = {{signals, POLLIN, 0}, {stop_fd, POLLIN, 0}};
  for (;;) {
    const int ready = poll(fds, 2, node.wait_ms());
    if (ready <= 0) {
      node.tick();
      continue;
    }
    if (fds[1].revents != 0) return;
    signalfd_siginfo info{};
    if (read(signals, &info, sizeof info) == sizeof info) {
      log.info("stopping", {{"signal", info.ssi_signo}, {"sender", info.ssi_pid}});
      return;
    }
  }
}

// A line a problem.
void log_refusal(const control::Logger& log, std::string_view text) {
  while (!text.empty()) {
    const auto end = text.find('\n');
    log.error("not started", {{"why", text.substr(0, end)}});
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
}

int run(const app::CommandLine& line, const control::Logger& log) {
  sigset_t wanted;
  sigemptyset(&wanted);
  sigaddset(&wanted, SIGTERM);
  sigaddset(&wanted, SIGINT);
  // Before any thread is made, so that all inherit it. A terminal that goes away is no reason to stop
  // answering.
  pthread_sigmask(SIG_BLOCK, &wanted, nullptr);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  const int signals = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
  const int stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

  const auto config = read_configuration(line);
  if (!config) {
    log_refusal(log, config.error());
    return 1;
  }
  log.info("starting", {{"version", SWARMDNS_VERSION}, {"node", config->node_name()}});
  {
    auto node = app::Node::start(*config, stop_fd, log);
    if (!node) {
      log_refusal(log, node.error());
      return 1;
    }
    log.info("ready", {{"ports", config->ports_size()}, {"workers", config->eal().worker_cpus_size()}});
    app::notify_supervisor("READY=1");
    serve(**node, signals, stop_fd, log);
    app::notify_supervisor("STOPPING=1");
  }
  log.info("stopped");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const auto line = app::parse_command_line(argc, argv);
  if (!line) {
    std::fprintf(stderr, "swarmdns-dataplane: %s\n%s", line.error().c_str(), app::usage_text());
    return 2;
  }
  switch (line->what) {
    case app::CommandLine::What::Help:
      std::fputs(app::usage_text(), stdout);
      return 0;
    case app::CommandLine::What::Version:
      std::puts("swarmdns-dataplane " SWARMDNS_VERSION);
      return 0;
    case app::CommandLine::What::Check: {
      const auto config = read_configuration(*line);
      if (!config) std::fprintf(stderr, "swarmdns-dataplane: %s\n", config.error().c_str());
      return config ? 0 : 1;
    }
    case app::CommandLine::What::Run:
      break;
  }
  const control::Logger log(STDERR_FILENO, line->log_level);
  return run(*line, log);
}
