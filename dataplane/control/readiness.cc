#include "dataplane/control/readiness.h"

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "proto/config/store.h"

namespace swarmdns::control {
namespace {

std::uint64_t milliseconds(clockid_t clock) noexcept {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000 + static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000;
}

}  // namespace

const char* to_text(Phase phase) noexcept {
  switch (phase) {
    case Phase::Starting:
      return "starting";
    case Phase::Warming:
      return "warming";
    case Phase::Ready:
      return "ready";
    case Phase::ReadyCold:
      return "ready cold";
    case Phase::Stopping:
      return "stopping";
  }
  return "unknown";
}

std::string ready_path(const std::string& run_dir) {
  return run_dir + "/ready";
}

Readiness::Clocks Readiness::system_clocks() {
  return {[] { return milliseconds(CLOCK_BOOTTIME); }, [] { return milliseconds(CLOCK_REALTIME); }};
}

Readiness::Readiness(const std::string& run_dir, Clocks clocks, const Logger& log)
    : path_(ready_path(run_dir)),
      clocks_(std::move(clocks)),
      log_(log),
      since_wall_ms_(clocks_.wall_ms()),
      spent_at_ms_(clocks_.steady_ms()) {
  remove_file();
}

Readiness::~Readiness() {
  stop();
}

void Readiness::on_change(std::function<void(bool)> listener) {
  const std::lock_guard lock(mutex_);
  listener_ = std::move(listener);
  listener_(ready(phase_));
}

void Readiness::started(std::uint32_t warm_up_ms) {
  const std::lock_guard lock(mutex_);
  if (phase_ != Phase::Starting) return;
  const std::uint32_t wanted = told_warm_ ? 0 : std::max(warm_up_ms, asked_ms_);
  if (wanted > 0) {
    begin_warming(wanted);
  } else {
    enter(Phase::Ready);
  }
}

void Readiness::stop() {
  const std::lock_guard lock(mutex_);
  if (phase_ != Phase::Stopping) enter(Phase::Stopping);
}

void Readiness::tick() {
  const std::lock_guard lock(mutex_);
  settle();
  if (file_due_) write_file();
}

std::uint32_t Readiness::wait_ms(std::uint32_t most) const {
  const std::lock_guard lock(mutex_);
  if (phase_ != Phase::Warming) return most;
  const std::uint64_t now = clocks_.steady_ms();
  const std::uint64_t left = warming_until_ms_ > now ? warming_until_ms_ - now : 0;
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(left, 1, most));
}

Readiness::Status Readiness::status() {
  const std::lock_guard lock(mutex_);
  settle();
  return describe();
}

Readiness::Status Readiness::warm_up(std::uint32_t at_most_ms) {
  const std::lock_guard lock(mutex_);
  settle();
  switch (phase_) {
    case Phase::Starting:
      asked_ms_ = at_most_ms;
      told_warm_ = false;
      break;
    case Phase::Ready:
    case Phase::ReadyCold:
      begin_warming(at_most_ms);
      break;
    case Phase::Warming:
      warming_until_ms_ = std::min(clocks_.steady_ms() + at_most_ms, warming_since_ms_ + allowance_left());
      break;
    case Phase::Stopping:
      break;
  }
  return describe();
}

Readiness::Status Readiness::warm() {
  const std::lock_guard lock(mutex_);
  if (phase_ == Phase::Starting) told_warm_ = true;
  if (phase_ == Phase::Warming || phase_ == Phase::ReadyCold) enter(Phase::Ready);
  return describe();
}

void Readiness::begin_warming(std::uint32_t at_most_ms) {
  const std::uint64_t now = clocks_.steady_ms();
  // Time forgives: a tenth of what has passed since.
  const std::uint64_t forgiven = (now - spent_at_ms_) * kMostWarmingMs / kAllowanceMs;
  spent_ms_ -= std::min(spent_ms_, forgiven);
  spent_at_ms_ = now;
  const std::uint64_t granted = std::min<std::uint64_t>(at_most_ms, allowance_left());
  if (granted == 0) {
    log_.warning("warming up not begun", {{"why", "it was asked for too often"}});
    if (phase_ == Phase::Starting) enter(Phase::ReadyCold);
    return;
  }
  warming_since_ms_ = now;
  warming_until_ms_ = now + granted;
  enter(Phase::Warming);
}

std::uint64_t Readiness::allowance_left() const {
  return kMostWarmingMs - std::min<std::uint64_t>(spent_ms_, kMostWarmingMs);
}

void Readiness::settle() {
  if (phase_ == Phase::Warming && clocks_.steady_ms() >= warming_until_ms_) enter(Phase::ReadyCold);
}

void Readiness::enter(Phase phase) {
  const bool was_ready = ready(phase_);
  if (phase_ == Phase::Warming) {
    spent_at_ms_ = clocks_.steady_ms();
    spent_ms_ += spent_at_ms_ - warming_since_ms_;
  }
  phase_ = phase;
  since_wall_ms_ = clocks_.wall_ms();
  if (ready(phase_)) {
    write_file();
  } else {
    remove_file();
  }
  if (listener_ && was_ready != ready(phase_)) listener_(ready(phase_));
  log_.info("phase", {{"now", to_text(phase_)}});
}

void Readiness::write_file() {
  const std::string line = std::string(to_text(phase_)) + " pid " + std::to_string(getpid()) + "\n";
  const auto written = config::write_file_atomically(path_, line, 0644);
  file_due_ = !written;
  if (!written && !complained_) log_.error("ready, but cannot say so", {{"why", written.error()}});
  complained_ = file_due_;
}

void Readiness::remove_file() {
  file_due_ = false;
  if (unlink(path_.c_str()) == 0 || errno == ENOENT) return;
  log_.error("not ready, but cannot say so", {{"file", path_}, {"why", std::strerror(errno)}});
}

Readiness::Status Readiness::describe() const {
  Status status;
  status.phase = phase_;
  status.since_wall_ms = since_wall_ms_;
  if (phase_ == Phase::Warming) {
    const std::uint64_t now = clocks_.steady_ms();
    status.warming_left_ms =
        static_cast<std::uint32_t>(warming_until_ms_ > now ? warming_until_ms_ - now : 0);
  }
  return status;
}

}  // namespace swarmdns::control
