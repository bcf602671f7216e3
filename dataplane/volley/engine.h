// The loop of the load generator: draws questions, sends them when their time has come, takes replies, gives
// up on those that do not come. No allocation, lock or system call of its own. run() on one lcore; stop(),
// phase() and the figures from any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <limits>
#include <optional>

#include "dataplane/stats/histogram.h"
#include "dataplane/stats/tsc_clock.h"
#include "dataplane/volley/counters.h"
#include "dataplane/volley/distribution.h"
#include "dataplane/volley/incoming.h"
#include "dataplane/volley/neighbour.h"
#include "dataplane/volley/outstanding.h"
#include "dataplane/volley/query_frames.h"
#include "dataplane/volley/reply_check.h"
#include "dataplane/volley/schedule.h"
#include "dataplane/volley/wire.h"

namespace swarmdns::volley {

struct EngineOptions {
  std::uint64_t hz = 1'000'000'000;   // ticks of the wire's clock a second
  double rate = 0;                    // queries a second; 0: flat out
  bool random_gaps = false;           // at a rate: each query at a random time of its interval
  std::uint64_t warmup = 0;           // ticks of sending that do not count
  std::uint64_t duration = 0;         // ticks of sending behind the warm-up; 0: no end
  std::uint64_t count = 0;            // queries behind the warm-up; 0: no end
  std::uint64_t timeout = 0;          // ticks a reply may take; above 0
  std::uint64_t window = 0;           // flat out: queries that may wait for replies at a time; 0: any number
  std::uint64_t resolve_timeout = 0;  // ticks to find the server's MAC in
  std::size_t burst = 32;             // frames sent at once, 1 to kMaxBurst
  // Shares of the queries, 0-1. DO and cookies are of those with EDNS.
  double edns = 1;
  double dnssec_ok = 0;
  double cookies = 0;
  double v6 = 0;
  std::uint64_t seed = 1;
};

enum class Phase : std::uint8_t {
  Resolving,  // the server's MAC
  WarmUp,
  Measuring,
  Draining,  // nothing is sent any more, replies may still come
  Done,
  Unresolved,  // ended: no next hop answered
};

class Engine {  // NOLINT(clang-analyzer-optin.performance.Padding): there is one, in the order of its parts
 public:
  struct Parts {
    Wire& wire;
    Distribution& distribution;
    const QueryList& questions;
    const Sources& sources;
    const Expectations& expectations;
    QueryFrames& frames;
    Neighbours& neighbours;
    Outstanding& outstanding;
    const ReplyCheck& check;
    IncomingRules rules;
  };
  Engine(const EngineOptions& options, const Parts& parts);

  // Until the end of the run, or stop().
  void run() noexcept;
  // The first call ends sending, the second one the waiting for replies too.
  void stop() noexcept { stops_.fetch_add(1, std::memory_order_relaxed); }

  [[nodiscard]] Phase phase() const noexcept { return phase_.load(std::memory_order_acquire); }
  // Of the measured queries, or of those of the warm-up.
  [[nodiscard]] Totals totals(bool measured) const noexcept { return counters_[measured ? 1 : 0].totals(); }
  [[nodiscard]] const stats::Histogram& latency(bool measured) const noexcept {
    return latency_[measured ? 1 : 0];
  }
  // How much later than scheduled the measured queries were sent; empty when flat out.
  [[nodiscard]] const stats::Histogram& lag() const noexcept { return lag_; }
  // The worst of the measured ones, in ns.
  [[nodiscard]] std::uint64_t latency_max_ns() const noexcept {
    return latency_max_.load(std::memory_order_relaxed);
  }
  // After run(): seconds of measured sending, and queries that were due in them but never sent.
  [[nodiscard]] double measured_seconds() const noexcept;
  [[nodiscard]] std::uint64_t not_sent() const noexcept { return not_sent_; }
  // After run(): the share of that time in which there was nothing to send or take. Near 0 the sender itself
  // is the limit.
  [[nodiscard]] double idle_share() const noexcept;

 private:
  bool resolve() noexcept;
  bool receive() noexcept;  // whether anything came
  void take(const Incoming& in, Query* slot, std::uint64_t now) noexcept;
  void answer_neighbour(std::span<const std::byte> frame, const Incoming& in) noexcept;
  bool send(std::uint64_t now) noexcept;  // whether anything left
  void fill(std::uint64_t now) noexcept;
  void draw(Query& query) noexcept;
  void expire(std::uint64_t now) noexcept;
  void lose(const Query& query, bool early) noexcept;
  // Whether sending ends at `now`; keeps the books of the phases.
  bool finished(std::uint64_t now) noexcept;
  void end_sending(std::uint64_t now) noexcept;
  [[nodiscard]] std::size_t wanted(std::uint64_t now) const noexcept;
  void enter(Phase phase) noexcept { phase_.store(phase, std::memory_order_release); }
  [[nodiscard]] unsigned stops() const noexcept { return stops_.load(std::memory_order_relaxed); }

  static constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

  const EngineOptions options_;
  Parts parts_;
  const stats::TscClock clock_;
  Random random_;
  // The shares, of 2^32.
  std::uint64_t edns_;
  std::uint64_t dnssec_ok_;
  std::uint64_t cookies_;
  std::uint64_t v6_;

  std::optional<Schedule> schedule_;
  bool sending_ = false;
  bool measuring_ = false;
  std::uint64_t warm_until_ = 0;
  std::uint64_t end_ = kNever;
  std::uint64_t measured_from_ = 0;
  std::uint64_t measured_until_ = 0;
  std::uint64_t drawn_ = 0;  // measured queries
  std::uint64_t not_sent_ = 0;
  std::uint64_t idle_ = 0;  // ticks

  // The burst that waits to be sent.
  std::array<std::uint64_t, kMaxBurst> due_{};
  std::size_t sent_of_burst_ = 0;
  bool burst_measured_ = false;

  std::array<Counters, 2> counters_;
  std::array<stats::Histogram, 2> latency_;
  stats::Histogram lag_;
  std::atomic<std::uint64_t> latency_max_{0};
  std::atomic<Phase> phase_{Phase::Resolving};
  std::atomic<unsigned> stops_{0};
};

}  // namespace swarmdns::volley
