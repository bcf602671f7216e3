#include <algorithm>
#include <climits>
#include <utility>

#include "controlplane/consensus/engine.h"
#include "controlplane/consensus/entry_frame.h"
#include "controlplane/consensus/raft_peek.h"

namespace swarmdns::controlplane {

namespace {

constexpr std::uint64_t kSilentMs = 5000;
constexpr std::uint64_t kPatience = 4;  // times the usual log is kept for a member that installs

}  // namespace

// --- Its own ---

// The log after a snapshot that a member is fetching must still be there when it has it, or it begins anew.
bool Engine::somebody_installs() {
  bool found = false;
  for (auto& [id, peer] : peers_) {
    if (peer.installing == 0) continue;
    raft_index match = 0;
    const bool there = leader_term_ != 0 && raft_match_index(&raft_, id, &match) == 0 &&
                       match < peer.installing && peer.heard_ms &&
                       reactor_.now_ms() - *peer.heard_ms < kSilentMs;
    if (!there) peer.installing = 0;
    found = found || there;
  }
  return found;
}

// C-raft takes one after a step at whose end everything committed is applied; its threshold says whether.
void Engine::consider_snapshot() {
  if (taking_ || is_writing_snapshot(raft_)) return;
  const std::uint64_t since = guard_.snapshot_index();
  const std::uint64_t applied = raft_.last_applied;
  const std::uint64_t patience = somebody_installs() ? kPatience : 1;
  const bool due = applied > since &&
                   (applied - since >= patience * options_.snapshot_entries ||
                    guard_.sizes().bytes_after(since) >= patience * options_.snapshot_bytes);
  const bool possible = backlog_.empty() && install_phase_ == Install::kNone &&
                        reactor_.now_ms() >= snapshot_not_before_ms_;
  raft_set_snapshot_threshold(&raft_, due && possible ? 1 : UINT_MAX);
  if (!due) return;
  // Never 0: raft_uv takes that for a snapshot of a leader, and empties the log.
  const std::uint64_t trailing = std::min<std::uint64_t>(
      guard_.sizes().count_within(applied, options_.trailing_bytes), options_.trailing_entries);
  raft_set_snapshot_trailing(&raft_, static_cast<unsigned>(std::max<std::uint64_t>(trailing, 1)));
}

int Engine::on_snapshot(struct raft_buffer** buffers, unsigned* count) {
  if (guard_.failed() || !backlog_.empty() || install_phase_ != Install::kNone) return RAFT_BUSY;
  auto manifest = consumer_.manifest();
  if (!manifest || manifest->size() > kMaxManifestBytes) {
    if (manifest) consumer_.manifest_kept(false);
    snapshot_not_before_ms_ = reactor_.now_ms() + options_.retry_ms;
    raft_set_snapshot_threshold(&raft_, UINT_MAX);
    return RAFT_BUSY;
  }
  framed_manifest_ = frame_manifest(*manifest);
  manifest_buffer_ = {.base = framed_manifest_.data(), .len = framed_manifest_.size()};
  *buffers = &manifest_buffer_;
  *count = 1;
  taking_ = true;
  return 0;
}

int Engine::on_snapshot_finalize(struct raft_buffer** buffers, unsigned* count) {
  *buffers = nullptr;
  *count = 0;
  taking_ = false;
  consumer_.manifest_kept(guard_.put_kept());
  return 0;
}

int Engine::on_restore(struct raft_buffer* buffer) {
  const std::string_view frame(static_cast<const char*>(buffer->base), buffer->len);
  std::string problem;
  if (const auto manifest = unframe_manifest(frame); !manifest)
    problem = "the newest snapshot of the log is damaged (" + manifest.error() +
              "): remove this node from the swarm and let it join again";
  else if (const auto restored = consumer_.restore(*manifest); !restored)
    problem = "the state of the newest snapshot cannot be used: " + restored.error();
  if (!started_ && !problem.empty()) {
    restore_trouble_ = problem;
    return RAFT_CORRUPT;  // raft_start() gives up and frees the buffer
  }
  if (!problem.empty()) guard_.fail(problem);
  while (!backlog_.empty() && backlog_.front().index <= raft_.commit_index) {
    backlog_bytes_ -= backlog_.front().data.size();
    backlog_.pop_front();
  }
  raft_free(buffer->base);
  return 0;
}

// --- A leader's ---

// C-raft must not get one while it writes a snapshot of its own (it follows a null pointer then) or another
// leader's (it forgets the message's memory), nor before the state is there. True: the message is kept, or
// dropped as one more of the same; the leader repeats it.
bool Engine::hold_install(DecodedMessage& message) {
  const struct raft_install_snapshot& install = message->install_snapshot;
  if (raft_.snapshot.installing || install_phase_ != Install::kNone) return true;
  if (install.term < raft_.current_term) return false;            // refused there
  if (install.last_index <= raft_.last_applied) return taking_;  // nothing new; said there
  install_.emplace(std::move(message));
  install_phase_ = Install::kWaiting;
  schedule_look();
  return true;
}

void Engine::begin_install() {
  if (install_phase_ != Install::kWaiting || taking_ || is_writing_snapshot(raft_) ||
      reactor_.now_ms() < install_not_before_ms_)
    return;
  const struct raft_buffer& data = (*install_)->install_snapshot.data;
  auto manifest = unframe_manifest({static_cast<const char*>(data.base), data.len});
  if (!manifest) {  // decoding has looked at it; so this cannot be
    drop_install();
    return;
  }
  install_phase_ = Install::kRunning;
  consumer_.install((*install_)->server_id, std::move(*manifest),
                    [this, alive = std::weak_ptr(alive_), ticket = ++install_ticket_](
                        std::expected<void, std::string> result) {
                      if (!alive.lock()) return;
                      post([this, ticket, result = std::move(result)] { install_ended(ticket, result); });
                    });
}

void Engine::install_ended(std::uint64_t ticket, std::expected<void, std::string> result) {
  if (install_phase_ != Install::kRunning || ticket != install_ticket_) return;
  if (result) {
    install_phase_ = Install::kReady;
    install_trouble_.clear();
    deliver_install();
  } else {
    install_trouble_ = "the state of node " + std::to_string((*install_)->server_id) +
                       " cannot be taken over: " + result.error() + " (tried again)";
    install_not_before_ms_ = reactor_.now_ms() + options_.retry_ms;
    install_phase_ = Install::kNone;
    install_.reset();
  }
  drain_backlog();
}

void Engine::deliver_install() {
  if (install_phase_ != Install::kReady || taking_ || is_writing_snapshot(raft_) || !open_and_well()) return;
  // It has everything by now, or leads itself: what the consumer has fetched is in the log as well.
  const bool moot = leader_term_ != 0 || (*install_)->install_snapshot.last_index <= raft_.last_applied;
  if (moot) {
    install_phase_ = Install::kNone;
    install_.reset();
    return;
  }
  // Committed is committed: the snapshot holds in the term of any later leader, from whom it now comes.
  const NodeId leader = followed_leader(raft_);
  if (leader == 0) return;
  struct raft_message message = install_->take();
  message.server_id = leader;
  message.install_snapshot.term = raft_.current_term;
  install_phase_ = Install::kNone;
  install_.reset();
  guard_.deliver(message);
}

void Engine::drop_install() {
  if (install_phase_ == Install::kRunning) consumer_.cancel_install();
  install_phase_ = Install::kNone;
  install_.reset();
  ++install_ticket_;
}

}  // namespace swarmdns::controlplane
