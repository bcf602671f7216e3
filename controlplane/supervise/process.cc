#include "controlplane/supervise/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>
#include <sstream>

#include "controlplane/supervise/log_file.h"
#include "proto/config/store.h"

namespace swarmdns::controlplane {
namespace {

int open_pidfd(pid_t pid) {
  return static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
}

std::string boot_id() {
  auto id = config::read_file("/proc/sys/kernel/random/boot_id");
  if (!id) return "";
  while (!id->empty() && id->back() == '\n') id->pop_back();
  return *id;
}

// posix_spawn's attributes and actions, freed on every path.
struct SpawnState {
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t actions;
  SpawnState() {
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_init(&actions);
  }
  SpawnState(const SpawnState&) = delete;
  SpawnState& operator=(const SpawnState&) = delete;
  ~SpawnState() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
};

void set_up(SpawnState& state, int output_fd) {
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&state.attributes, &none);
  posix_spawnattr_setsigdefault(&state.attributes, &all);
  posix_spawnattr_setflags(&state.attributes,
                           POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  posix_spawn_file_actions_addopen(&state.actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&state.actions, output_fd, 1);
  posix_spawn_file_actions_adddup2(&state.actions, output_fd, 2);
  posix_spawn_file_actions_addclosefrom_np(&state.actions, 3);
  posix_spawn_file_actions_addchdir_np(&state.actions, "/");
}

}  // namespace

std::optional<ProcessIdentity> identity_of(pid_t pid) {
  const auto stat = config::read_file("/proc/" + std::to_string(pid) + "/stat");
  if (!stat) return std::nullopt;
  // "PID (NAME) STATE ...": the name may hold spaces and parentheses, so fields are counted from the last
  // ')'.
  const size_t after_name = stat->rfind(')');
  if (after_name == std::string::npos) return std::nullopt;
  std::istringstream fields(stat->substr(after_name + 1));
  std::string field;
  ProcessIdentity identity;
  identity.pid = pid;
  for (int number = 3; number <= 22; ++number) {
    if (!(fields >> field)) return std::nullopt;
    if (number == 3 && (field == "Z" || field == "X")) return std::nullopt;
  }
  identity.start_ticks = std::strtoull(field.c_str(), nullptr, 10);
  identity.boot_id = boot_id();
  return identity;
}

std::expected<Process, std::string> Process::spawn(const SpawnOptions& options) {
  if (options.argv.empty()) return std::unexpected("no program to run");
  UniqueFd output(options.log_file.empty() ? open("/dev/null", O_WRONLY | O_CLOEXEC)
                                           : open_log(options.log_file));
  if (!output) return std::unexpected("cannot open " + options.log_file + ": " + std::strerror(errno));
  SpawnState state;
  set_up(state, output.get());
  std::vector<char*> argv;
  argv.reserve(options.argv.size() + 1);
  for (const std::string& argument : options.argv) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  Process process;
  const int error =
      posix_spawn(&process.identity_.pid, argv[0], &state.actions, &state.attributes, argv.data(), environ);
  if (error != 0) return std::unexpected("cannot run " + options.argv[0] + ": " + std::strerror(error));
  // Not reaped yet, so the pid is still its own, even when it has ended already.
  process.pidfd_ = UniqueFd(open_pidfd(process.identity_.pid));
  if (!process.pidfd_) {
    const std::string text =
        std::string("cannot watch ") + options.argv[0] + ": pidfd_open: " + std::strerror(errno);
    kill(process.identity_.pid, SIGKILL);
    waitpid(process.identity_.pid, nullptr, 0);
    return std::unexpected(text);
  }
  if (auto identity = identity_of(process.identity_.pid)) process.identity_ = *identity;
  return process;
}

std::optional<Process> Process::adopt(const ProcessIdentity& identity) {
  if (identity.pid <= 1) return std::nullopt;
  Process process;
  process.pidfd_ = UniqueFd(open_pidfd(identity.pid));
  if (!process.pidfd_) return std::nullopt;
  // Looked at after the pidfd was opened: if it is the one now, the pidfd is its own.
  const auto found = identity_of(identity.pid);
  if (!found || *found != identity) return std::nullopt;
  process.identity_ = identity;
  process.adopted_ = true;
  return process;
}

bool Process::send_signal(int signal) const {
  return syscall(SYS_pidfd_send_signal, pidfd_.get(), signal, nullptr, 0) == 0;
}

bool Process::wait_ended(int timeout_ms) const {
  pollfd wait{pidfd_.get(), POLLIN, 0};
  int rc;
  do {
    rc = poll(&wait, 1, timeout_ms);
  } while (rc < 0 && errno == EINTR);
  return rc > 0;
}

std::string Process::reap() {
  siginfo_t info{};
  if (waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &info, WEXITED) != 0) {
    return "ended (found running, its status is not ours to know)";
  }
  if (info.si_code == CLD_EXITED) return "exit status " + std::to_string(info.si_status);
  return "killed by signal " + std::to_string(info.si_status) + " (" + strsignal(info.si_status) + ")" +
         (info.si_code == CLD_DUMPED ? ", core dumped" : "");
}

}  // namespace swarmdns::controlplane
