// A world of many nodes in one thread: one queue of events on one simulated clock, everything random from one
// seed. The same seed gives the same events in the same order, and the same trace byte for byte.
//
//   SimWorld     the queue, the clock, the numbers, the trace
//   SimReactor   one node's Reactor in it; survives the node's crashes
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <span>
#include <string>
#include <utility>

#include "controlplane/core/reactor.h"

namespace swarmdns::sim {

using controlplane::TimerId;

class SimWorld {
 public:
  // `print_trace`: its text on standard output as it comes, beside its hash.
  explicit SimWorld(std::uint64_t seed, bool print_trace = false);
  SimWorld(const SimWorld&) = delete;
  SimWorld& operator=(const SimWorld&) = delete;

  std::uint64_t now_us() const { return now_us_; }
  std::uint64_t now_ms() const { return now_us_ / 1000; }

  // --- Random; all of the simulation asks here ---
  std::mt19937_64& random() { return random_; }
  // Both ends possible.
  std::uint64_t between(std::uint64_t low, std::uint64_t high);
  // With this probability, in parts of a thousand.
  bool chance(unsigned permille) { return between(0, 999) < permille; }

  // --- Events: at a time in order of it, at one time in order of their making ---
  using EventId = std::pair<std::uint64_t, std::uint64_t>;  // time, number
  EventId at(std::uint64_t time_us, std::function<void()> event);
  EventId in(std::uint64_t delay_us, std::function<void()> event) {
    return at(now_us_ + delay_us, std::move(event));
  }
  void cancel(EventId event) { events_.erase(event); }
  // Runs the next one; false: there is none.
  bool step();
  // Until that time, or until `done`.
  void run_until(std::uint64_t time_us, const std::function<bool()>& done = {});

  // --- Trace ---
  // A line of what happened; with the time.
  void note(const std::string& line);
  std::uint64_t trace_hash() const { return trace_hash_; }

 private:
  std::mt19937_64 random_;
  std::uint64_t now_us_ = 1'000'000;
  std::uint64_t next_event_ = 0;
  std::map<EventId, std::function<void()>> events_;
  const bool print_trace_;
  std::uint64_t trace_hash_ = 14695981039346656037ULL;
};

class SimReactor final : public controlplane::Reactor {
 public:
  explicit SimReactor(SimWorld& world) : world_(world) {}
  ~SimReactor() override { drop_all(); }

  // A crash: nothing that was posted, timed or offloaded happens any more.
  void drop_all();
  // This node's wall clock against the others'.
  void set_skew_ms(std::int64_t skew) { skew_ms_ = skew; }

  void post(std::function<void()> task) override;
  std::uint64_t now_ms() const override { return world_.now_ms(); }
  std::uint64_t wall_ms() const override;
  TimerId after(std::uint64_t delay_ms, std::function<void()> task) override;
  void cancel(TimerId timer) override;
  // `work` and `done` as two events, with some time for the work.
  void offload(std::function<void()> work, std::function<void()> done) override;
  void random(std::span<std::byte> into) override;

 private:
  TimerId schedule(std::uint64_t delay_us, std::function<void()> task);

  SimWorld& world_;
  std::int64_t skew_ms_ = 0;
  TimerId next_ = 1;
  std::map<TimerId, SimWorld::EventId> pending_;
};

}  // namespace swarmdns::sim
