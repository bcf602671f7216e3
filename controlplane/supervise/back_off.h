// How long to wait before a child that ended is started again: exponential, with jitter so that many nodes do
// not act in step, back to the beginning after a run that was long enough. No clock of its own; one thread.
#pragma once

#include <chrono>
#include <functional>

namespace swarmdns::controlplane {

using Clock = std::chrono::steady_clock;

struct BackOffOptions {
  std::chrono::milliseconds first{250};
  std::chrono::milliseconds max{30000};
  double factor = 2;
  double jitter = 0.2;                      // the delay is spread over +/- this part of it
  std::chrono::milliseconds stable{30000};  // a run this long forgets earlier failures
};

class BackOff {
 public:
  // `random` gives numbers in [0, 1).
  explicit BackOff(BackOffOptions options, std::function<double()> random = {});

  void started(Clock::time_point now);
  // The child ended, or could not be started: the delay before the next start.
  std::chrono::milliseconds ended(Clock::time_point now);
  // The operator asked for a start: no delay is due.
  void reset();
  unsigned failures() const { return failures_; }

 private:
  BackOffOptions options_;
  std::function<double()> random_;
  unsigned failures_ = 0;
  bool running_ = false;
  Clock::time_point started_{};
};

}  // namespace swarmdns::controlplane
