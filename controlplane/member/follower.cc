#include "controlplane/member/follower.h"

#include <algorithm>
#include <map>

#include "controlplane/chain/overlay_store.h"
#include "controlplane/membership/directory.h"
#include "controlplane/state/keys.h"

namespace swarmdns::controlplane {
namespace {

bool changes_voters(const v1::FullBlock& block) {
  return std::ranges::any_of(block.leaves(), [](const v1::Leaf& leaf) {
    v1::Transaction transaction;
    return transaction.ParseFromString(leaf.transaction()) &&
           (transaction.has_genesis() || transaction.has_log_members() || transaction.has_member_changed());
  });
}

bool is_erased(const v1::FullBlock& block) {
  return std::ranges::any_of(block.leaves(), [](const v1::Leaf& leaf) { return leaf.salt().empty(); });
}

}  // namespace

Follower::Follower(Reactor& reactor, PeerLink& link, Chain& chain, Cosigner& cosigner, Roster& roster,
                   NodeId self, Events events)
    : link_(link),
      reactor_(reactor),
      chain_(chain),
      cosigner_(cosigner),
      roster_(roster),
      self_(self),
      events_(std::move(events)),
      level_ms_(reactor.now_ms()),
      timer_(reactor) {}

bool Follower::in_log() const {
  const auto log = read<v1::LogMembers>(chain_.state(), keys::kLogMembers);
  if (!log) return false;
  return std::ranges::find(log->voters(), self_) != log->voters().end() ||
         std::ranges::find(log->standbys(), self_) != log->standbys().end();
}

std::uint64_t Follower::newest_heard() const {
  std::uint64_t newest = 0;
  for (const auto& [id, health] : roster_.health()) {
    if (health.lost_ms != 0) continue;
    if (const auto heard = roster_.heard(id)) newest = std::max(newest, heard->report.height());
  }
  return newest;
}

NodeId Follower::leader() const {
  std::map<NodeId, std::size_t> votes;
  for (const auto& [id, health] : roster_.health()) {
    const auto heard = health.lost_ms == 0 ? roster_.heard(id) : std::nullopt;
    if (heard && heard->report.leader() != 0) ++votes[heard->report.leader()];
  }
  const auto most = std::ranges::max_element(votes, {}, [](const auto& each) { return each.second; });
  return most == votes.end() ? 0 : most->first;
}

// Of this region first, then who has most; whoever failed last comes last.
NodeId Follower::choose() const {
  const auto own = member(chain_.state(), self_);
  NodeId best = 0;
  std::tuple<bool, bool, std::uint64_t> best_rank;
  for (const auto& [id, health] : roster_.health()) {
    const auto heard = health.lost_ms == 0 ? roster_.heard(id) : std::nullopt;
    if (!heard || heard->report.height() < chain_.height() || heard->report.height() == 0) continue;
    const std::tuple rank(id != last_bad_, own && heard->report.region() == own->region(),
                          heard->report.height());
    if (best == 0 || rank > best_rank) {
      best = id;
      best_rank = rank;
    }
  }
  return best;
}

void Follower::look() {
  timer_.start(kLookMs, [this] { look(); });
  if (fetching_) return;
  const std::uint64_t now = reactor_.now_ms();
  const bool behind = newest_heard() > chain_.height();
  if (!behind || chain_.height() != seen_height_) level_ms_ = now;
  seen_height_ = chain_.height();
  const bool inside = in_log();
  if (!following_) {
    if (!behind || now - level_ms_ < (inside ? kInsideMs : kOutsideMs)) return;
    following_ = true;
    source_ = 0;
    events_.say("follows the ledger by its blocks, from " + std::to_string(chain_.height() + 1) + " on");
  } else if (inside && !behind) {
    // The log has it again.
    following_ = false;
    drop_waiting();
    return;
  }
  const auto health = roster_.health();
  const auto at = health.find(source_);
  const bool gone = source_ == 0 || at == health.end() || at->second.lost_ms != 0;
  const bool stuck = behind && now - level_ms_ >= kPatienceMs && now - answered_ms_ >= kPatienceMs &&
                     now - asked_ms_ >= kPatienceMs;
  if (stuck) {
    last_bad_ = source_;
    drop_waiting();
  }
  if (gone || stuck) {
    if (const NodeId next = choose(); next != 0) ask(next);
  } else if (now - asked_ms_ >= kRenewMs) {
    ask(source_);
  }
}

void Follower::ask(NodeId peer) {
  source_ = peer;
  asked_ms_ = reactor_.now_ms();
  v1::PeerMessage message;
  message.set_request(++request_);
  v1::BlocksRequest& wish = *message.mutable_blocks_request();
  wish.set_from_height((waiting_.empty() ? chain_.height() : waiting_.back().header.height) + 1);
  wish.set_max_bytes(1U << 20);
  wish.set_follow(true);
  link_.send(peer, Channel::kBulk, std::move(message));
}

void Follower::drop_waiting() {
  waiting_.clear();
  waiting_bytes_ = 0;
}

void Follower::reopened() {
  fetching_ = false;
  source_ = 0;
  level_ms_ = reactor_.now_ms();
  drop_waiting();
}

void Follower::refuse(NodeId from, const std::string& why) {
  ++counters_.refused;
  events_.say("blocks of node " + std::to_string(from) + " are not taken: " + why);
  drop_waiting();
  last_bad_ = from;
  source_ = 0;
}

void Follower::receive(NodeId from, const v1::BlocksResponse& message) {
  if (!following_ || fetching_ || from != source_) return;
  answered_ms_ = reactor_.now_ms();
  // Neither what is not kept nor what has been erased can be judged anew.
  if (message.pruned_below() > chain_.height() + 1 || std::ranges::any_of(message.blocks(), is_erased)) {
    fetching_ = true;
    ++counters_.copies;
    drop_waiting();
    events_.fetch_state(from);
    return;
  }
  // What came by another way meanwhile.
  while (!waiting_.empty() && waiting_.front().header.height <= chain_.height()) {
    waiting_bytes_ -= waiting_.front().bytes;
    waiting_.pop_front();
  }
  for (const v1::FullBlock& block : message.blocks()) {
    const auto header = decode_block_header(as_octets(block.record().header()));
    if (!header) return refuse(from, header.error());
    const std::uint64_t next = (waiting_.empty() ? chain_.height() : waiting_.back().header.height) + 1;
    if (header->height < next) continue;
    if (header->height > next) return ask(from);  // some were lost on the way
    const auto& before = waiting_.empty() ? chain_.tip() : std::optional(waiting_.back().header);
    if (before) {
      if (auto linked = check_block_link(*before, *header); !linked) return refuse(from, linked.error());
    }
    waiting_.push_back({*header, block, block.ByteSizeLong()});
    waiting_bytes_ += waiting_.back().bytes;
  }
  if (waiting_bytes_ > kWaitingBytes) return refuse(from, "no checkpoint covers them");
  if (const auto note = parse_checkpoint_note(message.checkpoint()); note && !waiting_.empty()) {
    const std::uint64_t height = note->checkpoint.height;
    if (height >= waiting_.front().header.height && height <= waiting_.back().header.height) {
      const auto count = static_cast<std::size_t>(height - waiting_.front().header.height) + 1;
      if (auto taken = take(*note, count); !taken) return refuse(from, taken.error());
      v1::CheckpointNotice notice;
      notice.set_note(message.checkpoint());
      cosigner_.receive(from, notice);
    }
  }
  // More is there already than one answer holds.
  const std::uint64_t last = waiting_.empty() ? chain_.height() : waiting_.back().header.height;
  if (message.blocks_size() > 0 && last < message.height() && newest_heard() > last) ask(from);
}

std::expected<std::vector<VerifierKey>, std::string> Follower::voters_behind(std::size_t count) const {
  const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(count);
  if (chain_.height() > 0 &&
      std::none_of(waiting_.begin(), end, [](const Waiting& each) { return changes_voters(each.block); }))
    return voters_in(chain_.state());
  OverlayStore overlay(chain_.store());
  auto trial = Chain::open(overlay);
  if (!trial) return std::unexpected(trial.error());
  for (auto each = waiting_.begin(); each != end; ++each) {
    if (auto done = (*trial)->replay(each->block); !done) return std::unexpected(done.error());
  }
  return voters_in((*trial)->state());
}

std::expected<void, std::string> Follower::take(const CheckpointNote& note, std::size_t count) {
  if (checkpoint_of(waiting_[count - 1].header) != note.checkpoint)
    return std::unexpected("the checkpoint is of another chain");
  const auto voters = voters_behind(count);
  if (!voters) return std::unexpected(voters.error());
  if (voters->empty()) return std::unexpected("they name no voters");
  const auto cosigned = check_cosigned(note.note, *voters, majority_of(voters->size()));
  if (!cosigned) return std::unexpected("the checkpoint: " + cosigned.error());
  const std::vector<VerifierKey> known = voters_in(chain_.state());
  if (!known.empty() && std::ranges::none_of(*voters, [&](const VerifierKey& voter) {
        return std::ranges::find(*cosigned, voter.name) != cosigned->end() &&
               std::ranges::find(known, voter.key, &VerifierKey::key) != known.end();
      }))
    return std::unexpected("none of the voters that this node knows has cosigned the checkpoint");
  for (std::size_t i = 0; i < count; ++i) {
    if (auto done = chain_.replay(waiting_.front().block); !done) return done;
    waiting_bytes_ -= waiting_.front().bytes;
    waiting_.pop_front();
    ++counters_.blocks;
  }
  return {};
}

}  // namespace swarmdns::controlplane
