// What a run comes to: the figures, the judgement by the operator's limits, and their forms as a table and as
// JSON. Free of the engine, so that it can be tested by itself.
#pragma once

#include <string>
#include <vector>

#include "dataplane/stats/histogram.h"
#include "dataplane/volley/counters.h"
#include "dataplane/volley/options.h"

namespace swarmdns::volley {

struct Result {
  Totals totals;  // of the measured queries
  stats::HistogramSnapshot latency;
  stats::HistogramSnapshot lag;
  std::uint64_t latency_max_ns = 0;
  double seconds = 0;          // of measured sending
  std::uint64_t not_sent = 0;  // due, but not sent
  double idle_percent = 0;     // of the time: this side had nothing to do
  bool interrupted = false;
  bool link_lost = false;  // down at the end
  std::string unresolved;  // the next hop that did not answer; the run did not begin

  [[nodiscard]] double sent_per_second() const noexcept;
  [[nodiscard]] double received_per_second() const noexcept;
  [[nodiscard]] double loss_percent() const noexcept;  // of the queries sent
  [[nodiscard]] double shortfall_percent() const noexcept;
  // In µs; an upper end, known to about 3 %, and never above the maximum.
  [[nodiscard]] double latency_us(double fraction) const noexcept;
};

// What was not kept, each in a sentence; empty: the run has passed.
[[nodiscard]] std::vector<std::string> failures(const Result& result, const Options& options);

[[nodiscard]] std::string table(const Result& result, const Options& options);
[[nodiscard]] std::string json(const Result& result, const Options& options);

// A line of --progress: what came in `seconds`.
[[nodiscard]] std::string progress_line(double at_seconds, double seconds, const char* phase,
                                        const Totals& now, const Totals& before,
                                        const stats::HistogramSnapshot& latency);

}  // namespace swarmdns::volley
