#include <algorithm>
#include <cstring>
#include <utility>

#include "controlplane/consensus/engine.h"
#include "controlplane/consensus/entry_frame.h"
#include "controlplane/consensus/raft_peek.h"

namespace swarmdns::controlplane {

namespace {

// The store runs short for a moment whenever entries come faster than it makes segments.
constexpr std::uint64_t kFullAfterMs = 1000;

}  // namespace

void Engine::propose(std::string entry, LogDone<std::uint64_t> done) {
  std::optional<LogFault> fault = cannot_propose(entry.size());
  if (!fault) {
    const std::size_t bytes = entry.size();
    LogDone<std::uint64_t> kept = done;
    fault = append_entry(EntryKind::kCommand, entry, std::move(kept));
    if (!fault) {
      ++in_flight_entries_;
      in_flight_bytes_ += bytes;
      return;
    }
  }
  answer<std::uint64_t>(std::move(done), std::unexpected(*fault));
}

std::optional<LogFault> Engine::cannot_propose(std::size_t bytes) {
  if (phase_ == Phase::kStopped || stopped_) return LogFault::kStopped;
  if (!open_and_well() || !started_) return LogFault::kFailed;
  if (leader_term_ == 0 || is_handing_over(raft_)) return LogFault::kNotLeader;
  if (bytes > options_.max_entry_bytes) return LogFault::kTooLarge;
  if (!backlog_.empty()) return LogFault::kFailed;
  if (!has_space()) return LogFault::kNoSpace;
  if (in_flight_entries_ >= options_.max_in_flight_entries ||
      (in_flight_entries_ > 0 && in_flight_bytes_ + bytes > options_.max_in_flight_bytes))
    return LogFault::kBusy;
  return std::nullopt;
}

std::optional<LogFault> Engine::append_entry(EntryKind kind, std::string_view data,
                                             LogDone<std::uint64_t> done) {
  const std::uint64_t index = raft_last_index(&raft_) + 1;
  struct raft_buffer buffer = {.base = raft_malloc(framed_entry_size(data.size())),
                               .len = framed_entry_size(data.size())};
  frame_entry(kind, index, std::as_bytes(std::span(data)),
              std::span(static_cast<std::byte*>(buffer.base), buffer.len));
  Proposal& proposal = proposals_[index];
  proposal = {.term = leader_term_, .bytes = data.size(), .done = std::move(done)};
  // Without a callback: C-raft has no way to call it but from raft_uv's loop.
  const int status = raft_apply(&raft_, &proposal.request, &buffer, 1, nullptr);
  if (status == 0) return std::nullopt;
  // Before C-raft has taken the entry: an error after that is not possible behind the guard.
  raft_free(buffer.base);
  proposals_.erase(index);
  return status == RAFT_NOTLEADER ? LogFault::kNotLeader : LogFault::kFailed;
}

// C-raft would do this itself, and fail the first entry of a new leader with it, half-way through its becoming
// leader: what it has then forgotten (that it is one) lets it keep requests it should have given up.
bool Engine::has_space() {
  note_capacity(options_.id, guard_.capacity_kib());
  const std::vector<NodeId> voters = read_voters();
  const auto full = std::ranges::count_if(voters, [&](NodeId voter) {
    const auto peer = peers_.find(voter);
    return peer != peers_.end() && peer->second.low_since_ms &&
           reactor_.now_ms() - *peer->second.low_since_ms >= kFullAfterMs;
  });
  return voters.size() - static_cast<std::size_t>(full) > voters.size() / 2;
}

void Engine::note_capacity(NodeId node, unsigned capacity_kib) {
  auto& low_since = peers_[node].low_since_ms;
  if (is_spacious(capacity_kib))
    low_since.reset();
  else if (!low_since)
    low_since = reactor_.now_ms();
}

void Engine::fail_proposals(LogFault fault) {
  for (auto& [index, proposal] : proposals_)
    answer<std::uint64_t>(std::move(proposal.done), std::unexpected(fault));
  if (!proposals_.empty()) ended_proposals_.push_back(std::move(proposals_));
  proposals_.clear();
  in_flight_entries_ = in_flight_bytes_ = 0;
}

void Engine::free_ended_proposals() {
  if (has_no_pending_requests(raft_)) {
    ended_proposals_.clear();
    return;
  }
  // Those that were applied C-raft has let go; of those that were lost it is not certain.
  for (auto& proposals : ended_proposals_)
    std::erase_if(proposals, [](const auto& item) { return item.second.term == 0; });
  std::erase_if(ended_proposals_, [](const auto& proposals) { return proposals.empty(); });
}

}  // namespace swarmdns::controlplane
