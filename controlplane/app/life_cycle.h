// The life of a node as its operator sees it:
//
//   Setup       its data plane does not answer, or the membership it has cannot be opened
//   Configure   the data plane answers, and has not got the configuration in force yet
//   Initialize  it has; the ledger or the cache of the swarm are on their way
//   Ready       the cache is warm, or was not to be warmed
//   ReadyCold   the time for warming up was over first
//
// It goes forward one phase at a time, each by its own condition; and back to whatever holds no more, at
// once. A data plane that keeps its last good configuration because it refuses a newer one stays as ready as
// it was: that is a trouble of the node, no phase of it. Pure; its owner's thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>

namespace swarmdns::controlplane {

enum class LifePhase : std::uint8_t { kSetup, kConfigure, kInitialize, kReady, kReadyCold };

const char* to_text(LifePhase phase);  // "ready (cold)"

// What the phase follows from.
struct LifeFacts {
  bool dataplane_answers = false;
  bool configured = false;  // it has a configuration in force, the newest or the last good one
  enum class Warmth : std::uint8_t { kStarting, kWarming, kWarm, kCold } warmth = Warmth::kStarting;
  bool in_swarm = false;
  std::string membership_trouble;  // it is a member and cannot be opened: why
  bool has_ledger = false;         // in_swarm: the ledger knows this node
};

// What the swarm's side tells the node of its life, and asks. Any thread.
class LifePort {
 public:
  struct Membership {
    bool in_swarm = false;
    std::string trouble;      // LifeFacts::membership_trouble
    bool has_ledger = false;  // LifeFacts
  };
  virtual ~LifePort() = default;
  virtual void membership(const Membership& now) = 0;
  virtual LifePhase phase() const = 0;
};

class LifeCycle {
 public:
  static constexpr std::size_t kRemembered = 16;

  struct Transition {
    LifePhase from = LifePhase::kSetup;
    LifePhase to = LifePhase::kSetup;
    std::uint64_t wall_ms = 0;
    std::string why;
  };

  // `told`: each transition, in order.
  explicit LifeCycle(std::uint64_t wall_ms, std::function<void(const Transition&)> told = {});

  // As far as the facts carry.
  void look(const LifeFacts& facts, std::uint64_t wall_ms);

  LifePhase phase() const { return phase_; }
  std::uint64_t since_wall_ms() const { return since_ms_; }
  // What it waits for before it goes on; "" when it is ready.
  const std::string& waits_for() const { return waits_for_; }
  const std::deque<Transition>& history() const { return history_; }  // the newest last, at most kRemembered

 private:
  void enter(LifePhase phase, std::uint64_t wall_ms, std::string why);

  const std::function<void(const Transition&)> told_;
  LifePhase phase_ = LifePhase::kSetup;
  std::uint64_t since_ms_ = 0;
  std::string waits_for_;
  std::deque<Transition> history_;
};

}  // namespace swarmdns::controlplane
