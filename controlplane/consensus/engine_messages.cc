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
  if (message.type == RAFT_APPEND_ENTRIES_RESULT && install_phase_ != Install::kNone &&
      message.append_entries_result.rejected >= (*install_)->install_snapshot.last_index) {
    // The leader's heartbeats stand on the snapshot that is being fetched. Refusing them would bring the
    // snapshot once more with each heartbeat. This is what C-raft answers while it installs one itself.
    copy.append_entries_result.rejected = 0;
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
      case RAFT_INSTALL_SNAPSHOT:
        if (hold_install(part)) return;
        break;
      case RAFT_APPEND_ENTRIES_RESULT:
        if ((part->append_entries_result.features & kFeatureCapacity) != 0)
          note_capacity(from, part->append_entries_result.capacity);
        break;
      default:
        break;
    }
    guard_.deliver(part.take());
  }
}

// C-raft checks none of this in a release build; it overwrites what it holds, or frees entries twice.
std::string Engine::conflict_of(const struct raft_message& message) const {
  const bool append = message.type == RAFT_APPEND_ENTRIES;
  if (!append && message.type != RAFT_INSTALL_SNAPSHOT) return "";
  const std::uint64_t term = append ? message.append_entries.term : message.install_snapshot.term;
  if (term < raft_.current_term) return "";  // C-raft refuses it by its term
  if (swarmdns::controlplane::is_leader(raft_) && term == raft_.current_term)
    return "it leads in term " + std::to_string(term) + ", in which this node does: two nodes have one number";
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
