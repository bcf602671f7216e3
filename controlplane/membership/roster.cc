#include "controlplane/membership/roster.h"

namespace swarmdns::controlplane {

Roster::Roster(Reactor& reactor, PeerLink& link, NodeId self, std::function<v1::NodeReport()> describe)
    : reactor_(reactor), link_(link), self_(self), describe_(std::move(describe)), timer_(reactor) {}

void Roster::start() {
  for (auto& [id, known] : known_) {
    if (!known.ever) known.at_ms = reactor_.now_ms();
  }
  tell();
}

void Roster::set_members(std::vector<NodeId> others) {
  std::map<NodeId, Known> next;
  for (const NodeId id : others) {
    if (id == self_) continue;
    const auto at = known_.find(id);
    if (at != known_.end()) {
      next[id] = std::move(at->second);
    } else {
      next[id].at_ms = reactor_.now_ms();
    }
  }
  known_ = std::move(next);
}

void Roster::tell() {
  v1::NodeReport report = describe_();
  report.set_node(self_);
  for (const auto& [id, known] : known_) {
    v1::PeerMessage message;
    v1::NodeReport& to = *message.mutable_report();
    to = report;
    to.set_wall_ms(reactor_.wall_ms());
    if (known.ever) {
      to.set_echo_wall_ms(known.report.wall_ms());
      to.set_echo_age_ms(reactor_.now_ms() - known.at_ms);
    }
    link_.send(id, Channel::kConsensus, std::move(message));
  }
  timer_.start(kIntervalMs, [this] { tell(); });
}

void Roster::receive(NodeId from, v1::NodeReport report) {
  const auto at = known_.find(from);
  if (at == known_.end()) return;
  Known& known = at->second;
  const std::uint64_t now = reactor_.now_ms();
  if (!known.ever || now - known.at_ms > kSilenceMs) known.well_since_ms = now;
  known.ever = true;
  known.at_ms = now;
  known.skew.report(now, reactor_.wall_ms(), report.wall_ms(), report.echo_wall_ms(), report.echo_age_ms());
  report.set_node(from);  // whatever it says
  known.report = std::move(report);
  if (told_) told_(from, known.report);
}

std::optional<Roster::Heard> Roster::heard(NodeId id) const {
  const auto at = known_.find(id);
  if (at == known_.end() || !at->second.ever) return std::nullopt;
  const std::uint64_t now = reactor_.now_ms();
  return Heard{at->second.report, now - at->second.at_ms, at->second.skew.estimate(now)};
}

std::map<NodeId, MemberHealth> Roster::health() const {
  std::map<NodeId, MemberHealth> all;
  const std::uint64_t now = reactor_.now_ms();
  for (const auto& [id, known] : known_) {
    // Nobody is lost for longer than this node has listened for it.
    const std::uint64_t silent = now - known.at_ms;
    MemberHealth& health = all[id];
    if (silent > kSilenceMs || !known.ever) {
      health.lost_ms = std::max<std::uint64_t>(silent, 1);
    } else {
      health.well_ms = now - known.well_since_ms;
    }
  }
  return all;
}

}  // namespace swarmdns::controlplane
