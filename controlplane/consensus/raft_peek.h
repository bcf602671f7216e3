// What the engine must know of C-raft's state and no function of raft.h tells. Reads fields that are public
// in struct raft of 0.22.1 (raft_headers.h pins the version).
#pragma once

#include <algorithm>
#include <cstdint>

#include "controlplane/consensus/raft_headers.h"

namespace swarmdns::controlplane {

// Term of an entry of the log or of the last snapshot; 0 = not there any more, or not yet.
inline std::uint64_t term_of(const struct raft& raft, std::uint64_t index) {
  const struct raft_trail& trail = raft.trail;
  const unsigned records =
      trail.front <= trail.back ? trail.back - trail.front : trail.size - trail.front + trail.back;
  const auto record = [&](unsigned i) { return trail.records[(trail.front + i) % trail.size]; };
  if (records > 0 && index > trail.offset) {
    for (unsigned i = 0; i < records; ++i)
      if (index <= record(i).index) return record(i).term;
  }
  return index == trail.snapshot.index ? trail.snapshot.term : 0;
}

inline bool is_leader(const struct raft& raft) {
  return raft.state == RAFT_LEADER;
}

// The leader this node follows; 0 = it knows none, or leads itself.
inline std::uint64_t followed_leader(const struct raft& raft) {
  return raft.state == RAFT_FOLLOWER ? raft.follower_state.current_leader.id : 0;
}

inline bool is_handing_over(const struct raft& raft) {
  return is_leader(raft) && raft.leader_state.transferee != 0;
}

// An election of its own in this term, beyond pre-vote.
inline bool is_candidate_of_its_term(const struct raft& raft) {
  return raft.state == RAFT_CANDIDATE && !raft.candidate_state.in_pre_vote;
}

// Changes of members are refused while this holds.
inline bool is_changing_members(const struct raft& raft) {
  return raft.configuration_uncommitted_index != 0 || (is_leader(raft) && raft.leader_state.promotee_id != 0);
}

inline bool is_writing_snapshot(const struct raft& raft) {
  return raft.legacy.snapshot_taking || raft.legacy.snapshot_install || raft.snapshot.installing;
}

// C-raft holds no request any more that was made with raft_apply().
inline bool has_no_pending_requests(const struct raft& raft) {
  const void* head = &raft.legacy.pending;
  return raft.legacy.pending[0] == head;
}

}  // namespace swarmdns::controlplane
