#include <algorithm>
#include <utility>

#include "controlplane/consensus/engine.h"
#include "controlplane/consensus/raft_peek.h"

namespace swarmdns::controlplane {

namespace {

// C-raft's MESSAGE__FEATURE_CAPACITY: the sender says how much space it has.
constexpr unsigned kFeatureCapacity = 1;

}  // namespace

void Engine::on_send(const struct raft_message& message) {
  if (drop_sends_) return;
  struct raft_message copy = message;
  if (copy.type == RAFT_APPEND_ENTRIES && loses_its_vote(copy.server_id) &&
      !keep_below(copy.append_entries, raft_.configuration_uncommitted_index))
    return;
  // C-raft answers a request for a pre-vote with the request's own term. A candidate with the longest log and
  // an old term would never hear of the newer one, and nobody else can win.
  if (copy.type == RAFT_REQUEST_VOTE_RESULT && copy.request_vote_result.pre_vote &&
      !copy.request_vote_result.vote_granted)
    copy.request_vote_result.term = std::max(copy.request_vote_result.term, raft_.current_term);
  if (message.type == RAFT_APPEND_ENTRIES_RESULT && install_phase_ != Install::kNone &&
      message.append_entries_result.rejected >= (*install_)->install_snapshot.last_index) {
    // The leader's heartbeats stand on the snapshot that is being fetched. Refusing them would bring the
    // snapshot once more with each heartbeat. This is what C-raft answers while it installs one itself.
    copy.append_entries_result.rejected = 0;
    copy.append_entries_result.last_log_index = 0;
  }
  if (message.type == RAFT_APPEND_ENTRIES_RESULT && refusing_old_term_) {
    // C-raft leaves the number as it finds it on its stack, and calls it a success when the entries were the
    // first of all.
    copy.append_entries_result.rejected = std::max<raft_index>(copy.append_entries_result.rejected, 1);
    copy.append_entries_result.last_log_index = 0;
  }
  if (message.type == RAFT_INSTALL_SNAPSHOT)
    peers_[message.server_id].installing = message.install_snapshot.last_index;
  for (v1::RaftMessage& part : encode_message(copy, limits_)) {
    v1::PeerMessage envelope;
    *envelope.mutable_raft() = std::move(part);
    // What follows a lost part is of no use to the receiver; C-raft finds out and sends all of it again.
    if (!link_.send(message.server_id, Channel::kConsensus, std::move(envelope))) break;
  }
}

// C-raft tells the others what is committed with the next entries or the next heartbeat, up to two intervals
// later. When nothing else is on its way, a heartbeat now: whoever waits for its change at another node than
// the leader waits for that. To those only who have the entry, so that none refuses it.
void Engine::look_at_commit() {
  if (leader_term_ == 0 || raft_.commit_index != raft_last_index(&raft_)) return;
  struct raft_message message {};
  message.type = RAFT_APPEND_ENTRIES;
  message.append_entries.term = raft_.current_term;
  message.append_entries.prev_log_index = raft_.commit_index;
  message.append_entries.prev_log_term = term_of(raft_, raft_.commit_index);
  message.append_entries.leader_commit = raft_.commit_index;
  if (message.append_entries.prev_log_term == 0) return;
  for (auto& [id, peer] : peers_) {
    if (peer.has_term != raft_.current_term || peer.has < raft_.commit_index ||
        peer.told_commit >= raft_.commit_index || server(raft_.configuration, id) == nullptr)
      continue;
    peer.told_commit = raft_.commit_index;
    message.server_id = id;
    on_send(message);
  }
}

// A change of members that is under way takes it. It must not know of it before that is committed: by its own
// log it would be no voter any more, so it would not stand for election; and its log would be too long to
// give its vote to those who do not have the change. If the leader then died, nobody could be elected.
bool Engine::loses_its_vote(NodeId id) const {
  if (raft_.configuration_uncommitted_index == 0) return false;
  const struct raft_server* before = server(raft_.configuration_committed, id);
  const struct raft_server* after = server(raft_.configuration, id);
  return before != nullptr && before->role == RAFT_VOTER && (after == nullptr || after->role != RAFT_VOTER);
}

// Nothing of it at `limit` or above: fewer entries, or a heartbeat. False: what is before is not in the log.
bool Engine::keep_below(struct raft_append_entries& entries, std::uint64_t limit) const {
  if (entries.prev_log_index >= limit) {
    entries.prev_log_index = limit - 1;
    entries.prev_log_term = limit > 1 ? term_of(raft_, limit - 1) : 0;
    entries.n_entries = 0;
  }
  entries.n_entries =
      static_cast<unsigned>(std::min<std::uint64_t>(entries.n_entries, limit - 1 - entries.prev_log_index));
  return entries.prev_log_index == 0 || entries.prev_log_term != 0;
}

void Engine::receive(NodeId from, v1::PeerMessage message) {
  if (!open_and_well() || !started_) return;
  switch (message.body_case()) {
    case v1::PeerMessage::kRaft:
      peers_[from].heard_ms = reactor_.now_ms();
      receive_raft(from, message.raft());
      break;
    case v1::PeerMessage::kReadIndexRequest:
      reads_.on_request(from, message.request(), message.read_index_request().confirm());
      break;
    case v1::PeerMessage::kReadIndexResponse:
      reads_.on_response(from, message.request(), message.read_index_response());
      break;
    default:
      refuse(from, "not a message of the log");
      break;
  }
}

void Engine::receive_raft(NodeId from, const v1::RaftMessage& wire) {
  auto parts = decode_message(from, wire, limits_);
  if (!parts) {
    refuse(from, parts.error());
    return;
  }
  for (DecodedMessage& part : *parts) {
    if (!open_and_well()) return;
    if (const std::string conflict = conflict_of(*part); !conflict.empty()) {
      conflict_trouble_ = "node " + std::to_string(from) + ": " + conflict;
      refuse(from, conflict);
      return;
    }
    switch (part->type) {
      case RAFT_APPEND_ENTRIES:
        skip_compacted(*part.mutable_message());
        break;
      case RAFT_INSTALL_SNAPSHOT:
        if (hold_install(part)) return;
        break;
      case RAFT_APPEND_ENTRIES_RESULT:
        if ((part->append_entries_result.features & kFeatureCapacity) != 0)
          note_capacity(from, part->append_entries_result.capacity);
        if (part->append_entries_result.rejected == 0) {
          peers_[from].has = part->append_entries_result.last_log_index;
          peers_[from].has_term = part->append_entries_result.term;
        }
        break;
      case RAFT_REQUEST_VOTE:
        deliver_request_for_vote(part.take());
        continue;
      default:
        break;
    }
    refusing_old_term_ = part->type == RAFT_APPEND_ENTRIES && part->append_entries.term < raft_.current_term;
    guard_.deliver(part.take());
    refusing_old_term_ = false;
  }
}

// A leader that hears nothing sends entries again; meanwhile they may have been applied and compacted here.
// C-raft looks for them in the part of the log it has left, finds none, and appends them once more, under
// numbers that are taken: it writes what it does not have. All up to the snapshot is committed, hence the
// same.
void Engine::skip_compacted(struct raft_message& message) const {
  struct raft_append_entries& entries = message.append_entries;
  const auto& snapshot = raft_.trail.snapshot;
  if (entries.term != raft_.current_term || entries.prev_log_index >= raft_.trail.offset ||
      snapshot.index == 0)
    return;
  const auto skipped = static_cast<unsigned>(
      std::min<std::uint64_t>(entries.n_entries, snapshot.index - entries.prev_log_index));
  if (skipped > 0 && skipped == entries.n_entries) {
    raft_free(entries.entries[0].batch);
    raft_free(std::exchange(entries.entries, nullptr));
  } else {
    std::copy(entries.entries + skipped, entries.entries + entries.n_entries, entries.entries);
  }
  entries.n_entries -= skipped;
  entries.prev_log_index = snapshot.index;
  entries.prev_log_term = snapshot.term;
}

// A vote is given without regard to one's own configuration (Raft dissertation, 4.1): a stand-by that has
// just been made a voter, and does not know yet, may be the only one who can elect the leader that made it
// one. C-raft does not vote when it thinks itself no voter.
void Engine::deliver_request_for_vote(struct raft_message message) {
  const auto self = [&]() -> struct raft_server* {
    for (unsigned i = 0; i < raft_.configuration.n; ++i)
      if (raft_.configuration.servers[i].id == options_.id) return &raft_.configuration.servers[i];
    return nullptr;
  };
  struct raft_server* own = self();
  const int role = own != nullptr ? own->role : static_cast<int>(RAFT_VOTER);
  if (own != nullptr) own->role = RAFT_VOTER;
  guard_.deliver(message);
  if (own = self(); own != nullptr) own->role = role;
}

// C-raft checks none of this in a release build; it overwrites what it holds, or frees entries twice.
std::string Engine::conflict_of(const struct raft_message& message) const {
  const bool append = message.type == RAFT_APPEND_ENTRIES;
  if (!append && message.type != RAFT_INSTALL_SNAPSHOT) return "";
  const std::uint64_t term = append ? message.append_entries.term : message.install_snapshot.term;
  if (term < raft_.current_term) return "";  // C-raft refuses it by its term
  if (swarmdns::controlplane::is_leader(raft_) && term == raft_.current_term)
    return "it leads in term " + std::to_string(term) +
           ", in which this node does: two nodes have one number";
  if (!append) return "";
  const auto differs = [&](std::uint64_t index, std::uint64_t theirs) {
    if (index == 0 || index > raft_.commit_index) return false;
    const std::uint64_t ours = term_of(raft_, index);
    return ours != 0 && ours != theirs;
  };
  const struct raft_append_entries& entries = message.append_entries;
  bool conflict = differs(entries.prev_log_index, entries.prev_log_term);
  for (unsigned i = 0; i < entries.n_entries; ++i)
    conflict = conflict || differs(entries.prev_log_index + 1 + i, entries.entries[i].term);
  if (!conflict) return "";
  return "its log differs from this node's below what is committed: one of the two was altered or taken from "
         "an older backup; remove that node from the swarm and let it join again";
}

void Engine::refuse(NodeId from, std::string why) {
  ++refused_messages_;
  last_refusal_ = "node " + std::to_string(from) + ": " + std::move(why);
}

}  // namespace swarmdns::controlplane
