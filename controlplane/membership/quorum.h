// Who of the log's voters can be heard, as this node knows it. Pure.
#pragma once

#include <map>
#include <vector>

#include "controlplane/consensus/replicated_log.h"
#include "controlplane/membership/log_plan.h"

namespace swarmdns::controlplane {

struct HeardVoters {
  std::vector<NodeId> heard;  // this node too, when it votes
  std::size_t voters = 0;
  // Of no voters there is no quorum.
  bool quorum() const { return voters > 0 && heard.size() >= voters / 2 + 1; }
};

HeardVoters heard_voters(const std::vector<LogMember>& members, const std::map<NodeId, MemberHealth>& health,
                         NodeId self);

}  // namespace swarmdns::controlplane
