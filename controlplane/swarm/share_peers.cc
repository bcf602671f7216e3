#include "controlplane/swarm/share_peers.h"

#include <cstdlib>
#include <utility>

namespace swarmdns::controlplane {

void SharePeers::set(v1::SharingScope scope, std::string region, std::vector<Peer> peers) {
  scope_ = scope;
  region_ = std::move(region);
  std::map<NodeId, Known> known;
  for (Peer& peer : peers) {
    Known& mine = known[peer.id];
    if (const auto before = peers_.find(peer.id); before != peers_.end()) mine = std::move(before->second);
    mine.peer = std::move(peer);
  }
  peers_ = std::move(known);
}

void SharePeers::report(NodeId from, const v1::NodeReport& report, std::uint64_t now_ms,
                        std::uint64_t wall_ms) {
  const auto peer = peers_.find(from);
  if (peer == peers_.end()) return;
  peer->second.skew.report(now_ms, wall_ms, report.wall_ms(), report.echo_wall_ms(), report.echo_age_ms());
  peer->second.report = report;
}

const SharePeers::Peer* SharePeers::find(NodeId id) const {
  const auto peer = peers_.find(id);
  return peer == peers_.end() ? nullptr : &peer->second.peer;
}

bool SharePeers::in_scope(NodeId id) const {
  const Peer* peer = find(id);
  if (peer == nullptr) return false;
  return scope_ == v1::SHARE_SWARM || (scope_ == v1::SHARE_REGION && peer->region == region_);
}

std::vector<NodeId> SharePeers::scope() const {
  std::vector<NodeId> ids;
  for (const auto& [id, peer] : peers_) {
    if (in_scope(id)) ids.push_back(id);
  }
  return ids;
}

const v1::NodeReport* SharePeers::newest_report(NodeId id) const {
  const auto peer = peers_.find(id);
  return peer == peers_.end() || !peer->second.report ? nullptr : &*peer->second.report;
}

std::optional<SkewEstimate::Estimate> SharePeers::clock(NodeId id, std::uint64_t now_ms) const {
  const auto peer = peers_.find(id);
  if (peer == peers_.end()) return std::nullopt;
  return peer->second.skew.estimate(now_ms);
}

bool SharePeers::skewed(NodeId id, std::uint64_t now_ms) const {
  const auto estimate = clock(id, now_ms);
  return estimate && SkewEstimate::skewed(*estimate);
}

std::optional<std::uint64_t> SharePeers::age_ms(NodeId id, std::uint64_t now_ms, std::uint64_t wall_ms,
                                                std::uint64_t peer_wall_ms) const {
  const auto estimate = clock(id, now_ms);
  if (!estimate || SkewEstimate::skewed(*estimate)) return std::nullopt;
  return SkewEstimate::age_ms(*estimate, wall_ms, peer_wall_ms);
}

std::vector<std::string> SharePeers::troubles(std::uint64_t now_ms) const {
  std::vector<std::string> troubles;
  for (const auto& [id, peer] : peers_) {
    const auto estimate = clock(id, now_ms);
    if (!in_scope(id) || !estimate || !SkewEstimate::skewed(*estimate)) continue;
    const std::int64_t offset = estimate->offset_ms;
    troubles.push_back("the clock of node " + std::to_string(id) + " (" + peer.peer.name + ") is " +
                       std::to_string(std::llabs(offset)) + " ms " + (offset > 0 ? "ahead of" : "behind") +
                       " this node's: caches are not shared with it until they are within " +
                       std::to_string(kMostSkewMs) + " ms; mend NTP on one of the two");
  }
  return troubles;
}

}  // namespace swarmdns::controlplane
