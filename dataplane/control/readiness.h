// Whether others may send queries here: the phases of a data plane's life, and RUN_DIR/ready, which says so
// to an announcer without asking anybody. Answers are given in every phase but Starting, and in Stopping
// until the restart snapshot is written; warming up only tells the announcer to wait.
//
//   Starting -> Warming -> Ready          told that the cache is warm
//                       -> ReadyCold      the time was over first; Ready when told later
//   Starting -> Ready                     nobody asked for warming up
//   Ready, ReadyCold -> Warming           asked to, as far as the allowance goes
//   any -> Stopping
//
// The control plane may be dead in any of them: warming up ends by itself. It may also start again and again,
// and ask for a warm-up each time: hence the allowance of 60 s in 10 minutes.
//
// RUN_DIR/ready exists exactly while the phase is Ready or ReadyCold: one line, "ready pid PID" or "ready
// cold pid PID", mode 0644, put there by rename. A killed data plane leaves it until the next start, so
// whoever reads it also looks whether process PID lives.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>

#include "dataplane/control/log.h"

namespace swarmdns::control {

enum class Phase : std::uint8_t { Starting, Warming, Ready, ReadyCold, Stopping };

[[nodiscard]] const char* to_text(Phase phase) noexcept;  // "ready cold"
[[nodiscard]] constexpr bool ready(Phase phase) noexcept {
  return phase == Phase::Ready || phase == Phase::ReadyCold;
}

// Any thread, but for what is marked.
class Readiness {
 public:
  static constexpr std::uint32_t kMostWarmingMs = 60'000;
  static constexpr std::uint64_t kAllowanceMs = 600'000;  // the period in which so much warming is allowed

  struct Clocks {
    std::function<std::uint64_t()> steady_ms;
    std::function<std::uint64_t()> wall_ms;  // Unix time
  };
  [[nodiscard]] static Clocks system_clocks();

  // Starting. Removes the file that an earlier life left: only who owns RUN_DIR's lock may make one. `log`
  // outlives it.
  Readiness(const std::string& run_dir, Clocks clocks, const Logger& log);
  ~Readiness();  // stops
  Readiness(const Readiness&) = delete;
  Readiness& operator=(const Readiness&) = delete;

  // Called with each change of ready(), in order, and once when it is set; under this object's lock.
  void on_change(std::function<void(bool ready)> listener);

  // Main thread: everything is up. Warms for `warm_up_ms` (at most kMostWarmingMs; 0: ready at once), or as
  // has been asked for meanwhile.
  void started(std::uint32_t warm_up_ms);
  // The first thing of the end. Idempotent.
  void stop();
  // Ends warming up that is over, and writes the file if that failed. Main thread, at least once a second and
  // when wait_ms() is over.
  void tick();
  // How long the next tick may wait, 1 to `most`.
  [[nodiscard]] std::uint32_t wait_ms(std::uint32_t most) const;

  struct Status {
    Phase phase = Phase::Starting;
    std::uint64_t since_wall_ms = 0;
    std::uint32_t warming_left_ms = 0;  // Warming
  };
  [[nodiscard]] Status status();
  // For at most so long, the allowance and what is left of kMostWarmingMs since this warming began. 0 left:
  // no change.
  Status warm_up(std::uint32_t at_most_ms);
  Status warm();

 private:
  void enter(Phase phase);
  void settle();  // what the time has brought about
  void write_file();
  void remove_file();
  [[nodiscard]] std::uint64_t allowance_left() const;
  void begin_warming(std::uint32_t at_most_ms);
  [[nodiscard]] Status describe() const;

  const std::string path_;
  const Clocks clocks_;
  const Logger& log_;
  mutable std::mutex mutex_;
  std::function<void(bool)> listener_;
  Phase phase_ = Phase::Starting;
  std::uint64_t since_wall_ms_ = 0;
  std::uint32_t asked_ms_ = 0;  // Starting: what warm_up() asked for
  bool told_warm_ = false;      // Starting: warm() has been said already
  bool file_due_ = false;       // the file could not be written
  bool complained_ = false;     // of that
  std::uint64_t warming_since_ms_ = 0;
  std::uint64_t warming_until_ms_ = 0;
  // Warming so far: `spent_ms_` as of `spent_at_ms_`, forgotten evenly over kAllowanceMs.
  std::uint64_t spent_ms_ = 0;
  std::uint64_t spent_at_ms_ = 0;
};

[[nodiscard]] std::string ready_path(const std::string& run_dir);

}  // namespace swarmdns::control
