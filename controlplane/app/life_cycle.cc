#include "controlplane/app/life_cycle.h"

#include <utility>

namespace swarmdns::controlplane {
namespace {

// Why a phase cannot be entered from these facts; "" = it can.
std::string not_yet(LifePhase phase, const LifeFacts& facts) {
  switch (phase) {
    case LifePhase::kSetup:
      return "";
    case LifePhase::kConfigure:
      if (!facts.membership_trouble.empty())
        return "its membership of the swarm to be mended: " + facts.membership_trouble;
      return facts.dataplane_answers ? "" : "the data plane to answer";
    case LifePhase::kInitialize:
      return facts.configured ? "" : "the data plane to take its configuration";
    case LifePhase::kReady:
    case LifePhase::kReadyCold:
      if (facts.in_swarm && !facts.has_ledger) return "the ledger of the swarm";
      switch (facts.warmth) {
        case LifeFacts::Warmth::kStarting:
          return "the ports to be up";
        case LifeFacts::Warmth::kWarming:
          return "the cache to be warm";
        default:
          return "";
      }
  }
  return "";
}

LifePhase after(LifePhase phase, const LifeFacts& facts) {
  switch (phase) {
    case LifePhase::kSetup:
      return LifePhase::kConfigure;
    case LifePhase::kConfigure:
      return LifePhase::kInitialize;
    default:
      return facts.warmth == LifeFacts::Warmth::kCold ? LifePhase::kReadyCold : LifePhase::kReady;
  }
}

const char* entered_because(LifePhase phase) {
  switch (phase) {
    case LifePhase::kSetup:
      return "";
    case LifePhase::kConfigure:
      return "the data plane answers";
    case LifePhase::kInitialize:
      return "the configuration is in force";
    case LifePhase::kReady:
      return "the cache is warm";
    case LifePhase::kReadyCold:
      return "the time for warming up was over";
  }
  return "";
}

}  // namespace

const char* to_text(LifePhase phase) {
  switch (phase) {
    case LifePhase::kSetup:
      return "setup";
    case LifePhase::kConfigure:
      return "configure";
    case LifePhase::kInitialize:
      return "initialize";
    case LifePhase::kReady:
      return "ready";
    case LifePhase::kReadyCold:
      return "ready (cold)";
  }
  return "";
}

LifeCycle::LifeCycle(std::uint64_t wall_ms, std::function<void(const Transition&)> told)
    : told_(std::move(told)), since_ms_(wall_ms) {
  waits_for_ = not_yet(LifePhase::kConfigure, {});
}

void LifeCycle::look(const LifeFacts& facts, std::uint64_t wall_ms) {
  // Back, to before the first condition that holds no more.
  LifePhase held = LifePhase::kSetup;
  std::string lost;
  while (held < phase_ && held < LifePhase::kReady) {
    lost = not_yet(after(held, facts), facts);
    if (!lost.empty()) break;
    held = after(held, facts);
  }
  if (!lost.empty()) {
    enter(held, wall_ms, "waits for " + lost);
  } else if (held != phase_) {
    enter(held, wall_ms, entered_because(held));  // from cold to warm
  }
  // Forward, phase by phase.
  for (;;) {
    waits_for_.clear();
    if (phase_ >= LifePhase::kReady) return;
    const LifePhase next = after(phase_, facts);
    waits_for_ = not_yet(next, facts);
    if (!waits_for_.empty()) return;
    enter(next, wall_ms, entered_because(next));
  }
}

void LifeCycle::enter(LifePhase phase, std::uint64_t wall_ms, std::string why) {
  history_.push_back({phase_, phase, wall_ms, std::move(why)});
  if (history_.size() > kRemembered) history_.pop_front();
  phase_ = phase;
  since_ms_ = wall_ms;
  if (told_) told_(history_.back());
}

}  // namespace swarmdns::controlplane
