#include "controlplane/supervise/child.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

#include <algorithm>

#include "controlplane/supervise/pid_file.h"

namespace swarmdns::controlplane {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

const char* to_string(ChildState state) {
  switch (state) {
    case ChildState::kStopped:
      return "stopped";
    case ChildState::kRunning:
      return "running";
    case ChildState::kBackingOff:
      return "waiting to restart";
    case ChildState::kStopping:
      return "stopping";
  }
  return "";
}

Child::Child(ChildOptions options)
    : options_(std::move(options)),
      back_off_(options_.back_off),
      wake_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      since_(Clock::now()) {
  thread_ = std::thread([this] { run(); });
}

Child::~Child() {
  {
    const std::lock_guard lock(mutex_);
    leave_ = true;
  }
  wake();
  thread_.join();
}

void Child::start() {
  {
    const std::lock_guard lock(mutex_);
    wish_ = Wish::kRunning;
    adopt_first_ = true;
    next_start_ = Clock::now();
  }
  wake();
}

void Child::adopt_only() {
  {
    const std::lock_guard lock(mutex_);
    adopt_first_ = true;
  }
  wake();
}

void Child::request_stop() {
  {
    const std::lock_guard lock(mutex_);
    wish_ = Wish::kStopped;
    restart_ = false;
    adopt_first_ = false;
  }
  wake();
}

void Child::request_restart() {
  {
    const std::lock_guard lock(mutex_);
    wish_ = Wish::kRunning;
    restart_ = true;
    next_start_ = Clock::now();
  }
  wake();
}

bool Child::wait_for(ChildState state, milliseconds timeout) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, timeout, [&] {
    const bool settled = !restart_ && !adopt_first_ && !busy_;
    // A stop that was asked for but not begun yet still shows the old state.
    const bool wished = state != ChildState::kRunning || wish_ == Wish::kRunning;
    return settled && wished && state_ == state &&
           !(state == ChildState::kStopped && wish_ == Wish::kRunning);
  });
}

ChildStatus Child::status() const {
  const std::lock_guard lock(mutex_);
  const auto now = Clock::now();
  ChildStatus status;
  status.name = options_.name;
  status.state = state_;
  status.pid = pid_;
  status.adopted = adopted_;
  status.starts = starts_;
  status.in_state = duration_cast<milliseconds>(now - since_);
  if (state_ == ChildState::kBackingOff) {
    status.next_start_in = std::max(milliseconds(0), duration_cast<milliseconds>(next_start_ - now));
  }
  status.last_end = last_end_;
  status.healthy = healthy_;
  return status;
}

void Child::wake() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wake_fd_.get(), &one, sizeof(one));
}

void Child::say(const std::string& text) const {
  if (options_.log) options_.log(options_.name + ": " + text);
}

// With mutex_ held.
void Child::enter(ChildState state) {
  state_ = state;
  since_ = Clock::now();
  if (state != ChildState::kRunning) healthy_.reset();
  changed_.notify_all();
}

void Child::run() {
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (leave_) return;
    }
    take_requests();
    pollfd fds[2] = {{wake_fd_.get(), POLLIN, 0}, {process_ ? process_->pidfd() : -1, POLLIN, 0}};
    poll(fds, 2, wait_timeout_ms());
    uint64_t drained = 0;
    while (read(wake_fd_.get(), &drained, sizeof(drained)) > 0) {
    }
    if (process_ && fds[1].revents != 0) note_end();
    if (process_ && Clock::now() >= next_probe_) probe();
  }
}

void Child::take_requests() {
  std::unique_lock lock(mutex_);
  if (adopt_first_ && !process_) {
    busy_ = true;
    lock.unlock();
    try_adopt();
    lock.lock();
    busy_ = false;
  }
  adopt_first_ = false;
  changed_.notify_all();
  if (process_) {
    if (state_ == ChildState::kRunning && (wish_ == Wish::kStopped || restart_)) {
      lock.unlock();
      begin_stop("asked to");
      return;
    }
    if (state_ == ChildState::kStopping && !killed_ && Clock::now() >= stop_deadline_) {
      killed_ = true;
      lock.unlock();
      say("did not end within " + std::to_string(options_.stop_timeout.count()) + " ms of SIGTERM: SIGKILL");
      process_->send_signal(SIGKILL);
    }
    return;
  }
  if (wish_ == Wish::kStopped) {
    restart_ = false;
    if (state_ != ChildState::kStopped) enter(ChildState::kStopped);
    return;
  }
  if (restart_) back_off_.reset();
  if (Clock::now() < next_start_) return;
  // Cleared before the configuration is written: a restart asked for from here on needs another start.
  restart_ = false;
  busy_ = true;
  lock.unlock();
  // Somebody else may have started it meanwhile, by hand or from systemd.
  try_adopt();
  if (!process_) try_start();
  lock.lock();
  busy_ = false;
  changed_.notify_all();
}

void Child::try_adopt() {
  const auto identity = read_pid_file(options_.pid_file);
  if (!identity) return;
  process_ = Process::adopt(*identity);
  if (!process_) return;
  const auto now = Clock::now();
  back_off_.started(now);
  run_start_ = now;
  next_probe_ = options_.probe ? now : Clock::time_point::max();
  failed_probes_ = 0;
  killed_ = false;
  say("found running, pid " + std::to_string(identity->pid) + ": adopted");
  const std::lock_guard lock(mutex_);
  if (adopt_first_) wish_ = Wish::kRunning;  // unless a stop was asked for meanwhile
  pid_ = identity->pid;
  adopted_ = true;
  enter(ChildState::kRunning);
}

void Child::try_start() {
  auto spawn_options = options_.prepare();
  std::string error;
  if (!spawn_options) {
    error = spawn_options.error();
  } else if (auto process = Process::spawn(*spawn_options); !process) {
    error = process.error();
  } else {
    process_ = std::move(*process);
    // Without the file a later control plane could not find the process: better none than a stray.
    if (auto written = write_pid_file(options_.pid_file, process_->identity()); !written) {
      error = written.error();
      process_->send_signal(SIGKILL);
      process_->wait_ended(-1);
      process_->reap();
      process_.reset();
    }
  }
  const auto now = Clock::now();
  if (!process_) {
    const auto delay = back_off_.ended(now);
    say("cannot start: " + error + "; next try in " + std::to_string(delay.count()) + " ms");
    const std::lock_guard lock(mutex_);
    last_end_ = "cannot start: " + error;
    next_start_ = restart_ ? now : now + delay;
    enter(ChildState::kBackingOff);
    return;
  }
  back_off_.started(now);
  run_start_ = now;
  next_probe_ = options_.probe ? now + milliseconds(100) : Clock::time_point::max();
  failed_probes_ = 0;
  killed_ = false;
  say("started, pid " + std::to_string(process_->pid()));
  const std::lock_guard lock(mutex_);
  pid_ = process_->pid();
  adopted_ = false;
  ++starts_;
  enter(ChildState::kRunning);
}

void Child::begin_stop(const std::string& why) {
  say("stopping (" + why + ")");
  process_->send_signal(SIGTERM);
  stop_deadline_ = Clock::now() + options_.stop_timeout;
  killed_ = false;
  const std::lock_guard lock(mutex_);
  enter(ChildState::kStopping);
}

void Child::note_end() {
  const std::string how = process_->reap();
  // A successor may have written its own already.
  if (read_pid_file(options_.pid_file) == process_->identity()) unlink(options_.pid_file.c_str());
  process_.reset();
  const auto now = Clock::now();
  const std::lock_guard lock(mutex_);
  const bool expected = state_ == ChildState::kStopping && (wish_ == Wish::kStopped || restart_);
  pid_ = 0;
  last_end_ = how;
  if (wish_ == Wish::kStopped) {
    say(how);
    enter(ChildState::kStopped);
    return;
  }
  const auto delay = expected ? milliseconds(0) : back_off_.ended(now);
  if (expected) back_off_.reset();
  next_start_ = now + delay;
  say(how + "; starting again in " + std::to_string(delay.count()) + " ms");
  enter(ChildState::kBackingOff);
}

void Child::probe() {
  {
    const std::lock_guard lock(mutex_);
    if (state_ != ChildState::kRunning) {
      next_probe_ = Clock::now() + options_.probe_interval;
      return;
    }
  }
  const bool good = options_.probe();
  const auto now = Clock::now();
  const bool young = now - run_start_ < options_.probe_grace;
  // A young child is looked at more often: its health is what a start waits for.
  next_probe_ =
      now + (young && !good ? std::min(milliseconds(200), options_.probe_interval) : options_.probe_interval);
  failed_probes_ = good || young ? 0 : failed_probes_ + 1;
  {
    const std::lock_guard lock(mutex_);
    if (healthy_ != good && !(young && !good)) say(good ? "healthy" : "does not answer its health check");
    if (state_ == ChildState::kRunning) healthy_ = good;
    changed_.notify_all();
  }
  if (failed_probes_ >= options_.probe_failures) {
    begin_stop(std::to_string(failed_probes_) + " health checks failed in a row");
  }
}

int Child::wait_timeout_ms() const {
  auto next = Clock::time_point::max();
  {
    const std::lock_guard lock(mutex_);
    if (!process_ && wish_ == Wish::kRunning) next = next_start_;
    if (process_ && state_ == ChildState::kStopping && !killed_) next = stop_deadline_;
  }
  if (process_) next = std::min(next, next_probe_);
  if (next == Clock::time_point::max()) return -1;
  const auto left = duration_cast<milliseconds>(next - Clock::now()).count() + 1;
  return static_cast<int>(std::clamp<int64_t>(left, 0, 60000));
}

}  // namespace swarmdns::controlplane
