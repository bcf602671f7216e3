// What a node's life follows from, and what is told of it.
#include "controlplane/app/node.h"
#include "controlplane/app/wall_clock.h"

namespace swarmdns::controlplane {
namespace {

LifeFacts::Warmth warmth_of(v1::LifePhase phase) {
  switch (phase) {
    case v1::LIFE_READY:
      return LifeFacts::Warmth::kWarm;
    case v1::LIFE_READY_COLD:
      return LifeFacts::Warmth::kCold;
    case v1::LIFE_WARMING:
      return LifeFacts::Warmth::kWarming;
    default:
      return LifeFacts::Warmth::kStarting;
  }
}

}  // namespace

LifeCycle Node::make_life(Log& log) {
  return LifeCycle(wall_ms(), [&log](const LifeCycle::Transition& each) {
    log.info(std::string("life: ") + to_text(each.from) + " -> " + to_text(each.to) + ": " + each.why);
  });
}

// A data plane that refuses the newest configuration has its last good one in force.
void Node::look_at_life(const LinkResult<v1::DataplaneStatus>& status) {
  const std::lock_guard lock(mutex_);
  LifeFacts facts;
  facts.dataplane_answers = status.has_value();
  facts.configured = status && configured_pid_ == status->pid();
  if (status) facts.warmth = warmth_of(status->readiness().phase());
  facts.in_swarm = membership_.in_swarm;
  facts.membership_trouble = membership_.trouble;
  facts.has_ledger = membership_.has_ledger;
  life_.look(facts, wall_ms());
}

void Node::membership(const Membership& now) {
  const std::lock_guard lock(mutex_);
  membership_ = now;
}

LifePhase Node::phase() const {
  const std::lock_guard lock(mutex_);
  return life_.phase();
}

v1::LifeStatus Node::life_status() const {
  const std::lock_guard lock(mutex_);
  v1::LifeStatus status;
  status.set_phase(to_text(life_.phase()));
  status.set_since_ms(life_.since_wall_ms());
  status.set_waits_for(life_.waits_for());
  for (const LifeCycle::Transition& each : life_.history()) {
    v1::LifeTransition& transition = *status.add_transitions();
    transition.set_from(to_text(each.from));
    transition.set_to(to_text(each.to));
    transition.set_time_ms(each.wall_ms);
    transition.set_why(each.why);
  }
  return status;
}

}  // namespace swarmdns::controlplane
