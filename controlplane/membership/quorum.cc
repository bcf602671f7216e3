#include "controlplane/membership/quorum.h"

namespace swarmdns::controlplane {

HeardVoters heard_voters(const std::vector<LogMember>& members, const std::map<NodeId, MemberHealth>& health,
                         NodeId self) {
  HeardVoters result;
  for (const LogMember& each : members) {
    if (each.role != LogRole::kVoter) continue;
    ++result.voters;
    const auto at = health.find(each.id);
    if (each.id == self || (at != health.end() && at->second.lost_ms == 0)) result.heard.push_back(each.id);
  }
  return result;
}

}  // namespace swarmdns::controlplane
