// What members tell of themselves about once a second, and how long ago they were heard of. Reactor thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/core/peer_link.h"
#include "controlplane/core/reactor.h"
#include "controlplane/membership/log_plan.h"
#include "controlplane/swarm/skew.h"
#include "swarmdns/v1/peer.pb.h"

namespace swarmdns::controlplane {

class Roster {
 public:
  static constexpr std::uint64_t kIntervalMs = 1000;
  // Silent for longer than this a member counts as lost.
  static constexpr std::uint64_t kSilenceMs = 3500;

  // `describe` fills in what this node says of itself; times and echoes are filled in here.
  Roster(Reactor& reactor, PeerLink& link, NodeId self, std::function<v1::NodeReport()> describe);

  void start();
  // Who gets reports, and of whom they are believed.
  void set_members(std::vector<NodeId> others);
  void receive(NodeId from, v1::NodeReport report);

  struct Heard {
    v1::NodeReport report;
    std::uint64_t ago_ms = 0;
    std::optional<SkewEstimate::Estimate> skew;
  };
  // Nothing: never heard of.
  std::optional<Heard> heard(NodeId id) const;
  std::map<NodeId, MemberHealth> health() const;

  // A report came, of a member.
  void on_report(std::function<void(NodeId, const v1::NodeReport&)> callback) { told_ = std::move(callback); }

 private:
  struct Known {
    v1::NodeReport report;
    std::uint64_t at_ms = 0;  // of the report; before the first, when it became known
    std::uint64_t well_since_ms = 0;
    bool ever = false;
    SkewEstimate skew;
  };
  void tell();

  Reactor& reactor_;
  PeerLink& link_;
  const NodeId self_;
  const std::function<v1::NodeReport()> describe_;
  std::map<NodeId, Known> known_;
  std::function<void(NodeId, const v1::NodeReport&)> told_;
  Timer timer_;
};

}  // namespace swarmdns::controlplane
