// The swarm's ordered log, as all the rest of the control plane sees it: entries are proposed, and every
// member sees the committed ones in the same order. Behind it stands C-raft (engine.h); nothing outside this
// folder knows.
//
// Reactor thread, all of it. Callbacks are never called from within the call that was given them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "controlplane/core/peer_link.h"

namespace swarmdns::controlplane {

enum class LogRole : std::uint8_t {
  kVoter,
  kStandBy,  // has the log, does not vote
  kSpare,    // listed, has no log
};

struct LogMember {
  NodeId id = 0;
  std::string address;
  LogRole role = LogRole::kSpare;
  bool operator==(const LogMember&) const = default;
};

enum class LogFault : std::uint8_t {
  kNotLeader,       // nothing was proposed; status().leader may know who is
  kLeadershipLost,  // the outcome is unknown: it may yet be committed
  kBusy,            // back-pressure: too much is on its way; nothing was proposed
  kNoSpace,         // the disk of this node, or of a majority, is full; nothing was proposed
  kTooLarge,        // more than max_entry_bytes
  kBadMember,       // no such member, or it has that role already
  kChanging,        // another change of members is under way
  kTimedOut,        // a read that no majority answered
  kFailed,          // this node's log cannot be written; status().trouble says why
  kStopped,
};

// "not the leader", ...: the middle of a sentence.
const char* to_text(LogFault fault);

template <typename T>
using LogDone = std::function<void(std::expected<T, LogFault>)>;

enum class LogState : std::uint8_t { kStarting, kFollower, kCandidate, kLeader, kFailed, kStopped };

struct LogStatus {
  LogState state = LogState::kStarting;
  std::uint64_t term = 0;
  NodeId leader = 0;  // 0: unknown
  std::uint64_t last_index = 0;
  std::uint64_t commit_index = 0;
  std::uint64_t applied_index = 0;
  std::uint64_t snapshot_index = 0;  // of the newest manifest; 0 = none
  std::vector<LogMember> members;    // newest that is known, also uncommitted
  bool changing = false;             // a change of members is under way (leader)
  std::size_t in_flight_entries = 0;
  std::size_t in_flight_bytes = 0;
  // What keeps the log from being written, with the mend; "" = nothing. The log goes on by itself when it is
  // gone.
  std::string trouble;
  std::uint64_t slow_writes = 0;  // writes of the log that took longer than 100 ms
  struct Progress {
    NodeId id = 0;
    std::uint64_t match_index = 0;
    std::uint64_t heard_ms_ago = 0;  // since a message of it arrived; UINT64_MAX = never
  };
  std::vector<Progress> progress;  // leader: of every other member
};

// Whoever consumes the log: the ledger. Called on the reactor thread from within the engine; must not call
// back into the log but by Reactor::post.
class LogConsumer {
 public:
  virtual ~LogConsumer() = default;

  // Committed entry number `index`; numbers rise, not every number is an entry of ours. Again after a restart
  // from the newest manifest on: what was applied before is to be recognised by its number. An error (a
  // sentence: the store cannot be written) halts the log of this node: nothing after it is applied,
  // status().trouble says why, and it is tried again with the same entry every few seconds.
  virtual std::expected<void, std::string> apply(std::uint64_t index, std::span<const std::byte> entry) = 0;

  // A manifest that stands for everything applied up to now: at most 64 KiB, naming a state from which others
  // can fetch it. What it names must be durable when this returns. Error: no snapshot this time.
  virtual std::expected<std::string, std::string> manifest() = 0;
  // The manifest was kept (true) or not; state kept for earlier manifests can go.
  virtual void manifest_kept(bool kept) = 0;

  // A leader's manifest arrived: make the state it names this node's own (fetch it from `from`, verify,
  // swap), then `done`. May take long; the log waits. Given up (done is not called any more) by
  // cancel_install().
  virtual void install(NodeId from, std::string manifest,
                       std::function<void(std::expected<void, std::string>)> done) = 0;
  virtual void cancel_install() = 0;
  // At a start, and after install(): the newest manifest of the engine. The state must be at it or beyond it.
  virtual std::expected<void, std::string> restore(std::string_view manifest) = 0;

  // This node became leader (with everything of earlier terms applied), or is it no more.
  virtual void leadership(bool leader, std::uint64_t term) = 0;
  // Committed members changed.
  virtual void members(std::uint64_t index, const std::vector<LogMember>& members) = 0;
};

class ReplicatedLog {
 public:
  virtual ~ReplicatedLog() = default;

  // Leader only. Called with the entry's number when it has been applied on this node.
  virtual void propose(std::string entry, LogDone<std::uint64_t> done) = 0;
  // Linearizable: when `done` is called with a number, everything committed anywhere before this call has
  // been applied here. On any member; a follower asks the leader.
  virtual void read(LogDone<std::uint64_t> done) = 0;

  // Leader only, one at a time; `done` when the change is committed. A new member is a spare first.
  virtual void add(NodeId id, std::string address, LogDone<void> done) = 0;
  virtual void assign(NodeId id, LogRole role, LogDone<void> done) = 0;
  virtual void remove(NodeId id, LogDone<void> done) = 0;
  // To that voter, or with 0 to the one that has most of the log.
  virtual void transfer(NodeId id, LogDone<void> done) = 0;

  virtual LogStatus status() const = 0;
  virtual bool is_leader() const = 0;

  // A consensus message (PeerMessage.raft, .read_index) of a member.
  virtual void receive(NodeId from, v1::PeerMessage message) = 0;

  // Ends it; the log's files can be opened again when `done` is called.
  virtual void stop(std::function<void()> done) = 0;
};

}  // namespace swarmdns::controlplane
