#include <utility>

#include "controlplane/consensus/engine.h"
#include "controlplane/consensus/entry_frame.h"

namespace swarmdns::controlplane {

namespace {

constexpr std::size_t kDrainAtOnce = 256;  // entries; then others have their turn

}  // namespace

// From within C-raft, which must never see an error here: it would free a message's entries twice, and go on.
// What the consumer does not take is put aside, in order, and offered again until it does.
int Engine::on_apply(const struct raft_buffer& buffer) {
  if (guard_.failed()) return 0;  // the log will be opened again and played from its newest manifest
  const std::uint64_t index = raft_last_applied(&raft_) + 1;
  const std::span frame(static_cast<const std::byte*>(buffer.base), buffer.len);
  if (backlog_.empty() && install_phase_ != Install::kRunning) {
    const auto applied = apply_one(index, frame);
    if (applied) return 0;
    apply_trouble_ = "entry " + std::to_string(index) + " cannot be applied: " + applied.error() +
                     " (tried again every " + std::to_string(options_.retry_ms / 1000) + " s)";
    drain_timer_.start(options_.retry_ms, [this] { drain_backlog(); });
    // Another voter may lead better meanwhile.
    post([this] {
      if (is_leader() && read_voters().size() > 1) transfer(0, {});
    });
  }
  put_aside(index, frame);
  return 0;
}

std::expected<void, std::string> Engine::apply_one(std::uint64_t index, std::span<const std::byte> frame) {
  const auto entry = unframe_entry(index, frame);
  if (!entry) return std::unexpected("it is not one of this swarm's: the log of this node was altered");
  if (entry->kind == EntryKind::kCommand) {
    if (auto applied = consumer_.apply(index, entry->data); !applied) return applied;
  }
  if (auto node = proposals_.extract(index)) {
    Proposal& proposal = node.mapped();
    if (proposal.done) {
      --in_flight_entries_;
      in_flight_bytes_ -= proposal.bytes;
      answer<std::uint64_t>(std::move(proposal.done), index);
    }
    // C-raft still has the request in a list until this returns.
    proposal.term = 0;
    ended_proposals_.emplace_back().insert(std::move(node));
  }
  return {};
}

void Engine::put_aside(std::uint64_t index, std::span<const std::byte> frame) {
  backlog_.push_back({index, std::string(reinterpret_cast<const char*>(frame.data()), frame.size())});
  backlog_bytes_ += frame.size();
}

void Engine::drain_backlog() {
  if (install_phase_ == Install::kRunning) return;
  for (std::size_t i = 0; i < kDrainAtOnce && !backlog_.empty(); ++i) {
    const Unapplied& next = backlog_.front();
    if (const auto applied = apply_one(next.index, std::as_bytes(std::span(next.data))); !applied) {
      apply_trouble_ = "entry " + std::to_string(next.index) + " cannot be applied: " + applied.error() +
                       " (tried again every " + std::to_string(options_.retry_ms / 1000) + " s)";
      drain_timer_.start(options_.retry_ms, [this] { drain_backlog(); });
      return;
    }
    backlog_bytes_ -= next.data.size();
    backlog_.pop_front();
  }
  if (!backlog_.empty()) {
    drain_timer_.start(0, [this] { drain_backlog(); });
    return;
  }
  apply_trouble_.clear();
  if (phase_ == Phase::kClosed && !stopped_)
    open();
  else
    schedule_look();
}

std::uint64_t Engine::applied_index() const {
  if (!backlog_.empty()) return backlog_.front().index - 1;
  if (phase_ != Phase::kOpen) return applied_at_close_;
  return raft_.last_applied;
}

}  // namespace swarmdns::controlplane
