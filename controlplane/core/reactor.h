// The one thread on which everything of the swarm is decided: a queue of handlers that never block, timers,
// and what a handler may not take from elsewhere (clocks, random numbers). In production a libuv loop
// (consensus/uv_reactor.h); in tests/sim a queue of events on a simulated clock, shared by all nodes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <utility>

namespace swarmdns::controlplane {

// 0 is no timer.
using TimerId = std::uint64_t;

class Reactor {
 public:
  virtual ~Reactor() = default;

  // --- Any thread ---

  // Runs `task` on the reactor thread, after everything posted before. Dropped (destroyed, not run) once the
  // reactor has stopped.
  virtual void post(std::function<void()> task) = 0;

  // --- Reactor thread ---

  // Monotonic, of this moment or of the beginning of the handler; never goes back.
  virtual std::uint64_t now_ms() const = 0;
  // Unix time by this machine's clock; may jump.
  virtual std::uint64_t wall_ms() const = 0;

  // Runs `task` once, `delay_ms` from now or later. 0 is allowed: after what is posted already.
  virtual TimerId after(std::uint64_t delay_ms, std::function<void()> task) = 0;
  // Nothing happens when it has run or is 0. A cancelled task is destroyed, not run.
  virtual void cancel(TimerId timer) = 0;

  // `work` on another thread (it may block: files, DNS, hashing of much), then `done` on the reactor thread.
  // In the simulation both run as later events.
  virtual void offload(std::function<void()> work, std::function<void()> done) = 0;

  // Unpredictable; in the simulation from its seed.
  virtual void random(std::span<std::byte> into) = 0;
};

// Cancels its timer when it goes. Reactor thread.
class Timer {
 public:
  explicit Timer(Reactor& reactor) : reactor_(reactor) {}
  ~Timer() { stop(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // Again: the earlier one is cancelled.
  void start(std::uint64_t delay_ms, std::function<void()> task) {
    stop();
    id_ = reactor_.after(delay_ms, [this, task = std::move(task)] {
      id_ = 0;
      task();
    });
  }
  void stop() {
    reactor_.cancel(id_);
    id_ = 0;
  }
  bool running() const { return id_ != 0; }

 private:
  Reactor& reactor_;
  TimerId id_ = 0;
};

// Posts what must not run any more once its owner has gone. The owner's last member, so that it goes first.
class Poster {
 public:
  explicit Poster(Reactor& reactor) : reactor_(reactor) {}
  Poster(const Poster&) = delete;
  Poster& operator=(const Poster&) = delete;

  void post(std::function<void()> task) {
    reactor_.post([task = std::move(task), alive = std::weak_ptr<char>(alive_)] {
      if (!alive.expired()) task();
    });
  }

 private:
  Reactor& reactor_;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace swarmdns::controlplane
