// Who of the members should vote, and who stand by: the next single change that brings the log nearer to it.
// Pure; the leader asks it again and again (log_keeper.h).
//
// The rules, in this order:
//  - who is no member any more leaves the log; a leader that is none hands over first;
//  - an odd number of voters, at most settings.max_voters: primaries before backups, and whoever votes now
//  before others;
//  - a voter that is lost for promote_after_ms gives its place to a stand-by that is well, and has it back
//  when it has been
//    well for demote_after_ms;
//  - of the rest, at most settings.max_standbys stand by, primaries before backups; the others are not in the
//  log: they
//    follow its blocks.
// No change is made after which the voters that can be heard would be no majority.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/consensus/replicated_log.h"
#include "swarmdns/v1/state.pb.h"

namespace swarmdns::controlplane {

struct MemberHealth {
  std::uint64_t lost_ms = 0;  // not heard of for so long; 0 = well
  std::uint64_t well_ms = 0;  // heard of without a pause for so long
};

struct LogPlanInput {
  NodeId leader = 0;                      // who asks
  std::vector<v1::MemberRecord> members;  // live ones
  std::vector<LogMember> log;
  std::map<NodeId, MemberHealth> health;  // who is missing counts as lost since ever; the leader is well
  v1::SwarmSettings settings;
};

struct LogChange {
  enum class Kind : std::uint8_t { kAdd, kAssign, kRemove, kHandOver };
  Kind kind = Kind::kAdd;
  NodeId id = 0;
  LogRole role = LogRole::kSpare;  // kAssign
  std::string address;             // kAdd
  std::string why;                 // for the log of the node: "n4 takes the place of n2, which is lost"
  bool operator==(const LogChange&) const = default;
};

// Nothing: it is as it should be, or nothing can safely be done now.
std::optional<LogChange> next_log_change(const LogPlanInput& input);

}  // namespace swarmdns::controlplane
