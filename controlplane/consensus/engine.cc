#include "controlplane/consensus/engine.h"

#include <algorithm>
#include <climits>
#include <utility>

#include "controlplane/consensus/raft_members.h"
#include "controlplane/consensus/raft_peek.h"

namespace swarmdns::controlplane {

namespace {

struct Timing {
  unsigned election_ms;
  unsigned heartbeat_ms;
};

Timing timing(LogProfile profile) {
  return profile == LogProfile::kLan ? Timing{300, 30} : Timing{1000, 100};
}

constexpr unsigned kMaxInFlightAppends = 1024;
// A leader sends its manifest again after so long. A follower that is still at it drops the second one; one
// that has given up, or whom it did not reach, asks for it by refusing a heartbeat, but for the case that the
// leader has taken a new snapshot meanwhile.
constexpr unsigned kInstallTimeoutMs = 10'000;
// Of one round of catching up of a member that becomes a voter; then the change is given up.
constexpr unsigned kCatchUpRoundMs = 30'000;
constexpr std::uint64_t kWatchMs = 500;
constexpr std::uint64_t kStuckWriteMs = 2000;

}  // namespace

const char* to_text(LogFault fault) {
  switch (fault) {
    case LogFault::kNotLeader:
      return "not the leader";
    case LogFault::kLeadershipLost:
      return "the leader changed meanwhile: the outcome is unknown";
    case LogFault::kBusy:
      return "too much is on its way already";
    case LogFault::kNoSpace:
      return "no space left for the log";
    case LogFault::kTooLarge:
      return "too large for one entry of the log";
    case LogFault::kBadMember:
      return "no such member, or it has that role already, or it is the last voter";
    case LogFault::kChanging:
      return "another change of members is under way";
    case LogFault::kTimedOut:
      return "not answered in time";
    case LogFault::kFailed:
      return "the log of this node cannot be written";
    case LogFault::kStopped:
      return "the log is stopped";
  }
  return "";
}

Engine::Engine(Reactor& reactor, PeerLink& link, LogStore& store, LogConsumer& consumer,
               EngineOptions options)
    : reactor_(reactor),
      link_(link),
      store_(store),
      consumer_(consumer),
      options_(std::move(options)),
      limits_{.max_entry_bytes = options_.max_entry_bytes},
      guard_(reactor, {.send = [this](const struct raft_message& message) { on_send(message); },
                       // A timer, not a posted task: raft_uv may have one that must not run any more.
                       .failed = [this](const std::string&) { fail_timer_.start(0, [this] { look(); }); }}),
      reads_(reactor, *this, std::uint64_t{3} * timing(options_.profile).heartbeat_ms,
             options_.read_timeout_ms),
      retry_timer_(reactor),
      watch_timer_(reactor),
      fail_timer_(reactor),
      drain_timer_(reactor) {
  fsm_.version = 2;
  fsm_.data = this;
  fsm_.apply = [](struct raft_fsm* fsm, const struct raft_buffer* buffer, void** result) {
    *result = nullptr;
    return static_cast<Engine*>(fsm->data)->on_apply(*buffer);
  };
  fsm_.snapshot = [](struct raft_fsm* fsm, struct raft_buffer* buffers[], unsigned* count) {
    return static_cast<Engine*>(fsm->data)->on_snapshot(buffers, count);
  };
  fsm_.snapshot_finalize = [](struct raft_fsm* fsm, struct raft_buffer* buffers[], unsigned* count) {
    return static_cast<Engine*>(fsm->data)->on_snapshot_finalize(buffers, count);
  };
  fsm_.restore = [](struct raft_fsm* fsm, struct raft_buffer* buffer) {
    return static_cast<Engine*>(fsm->data)->on_restore(buffer);
  };
}

Engine::~Engine() = default;

void Engine::post(std::function<void()> task) {
  reactor_.post([alive = std::weak_ptr(alive_), task = std::move(task)] {
    if (alive.lock()) task();
  });
}

void Engine::start() {
  open();
}

void Engine::open() {
  auto io = store_.open([this](std::string why) { guard_.fail(std::move(why)); });
  if (!io) {
    open_trouble_ = io.error();
    retry_open();
    return;
  }
  raft_ = {};
  raft_.data = this;
  if (raft_init(&raft_, guard_.wrap(*io, &raft_), &fsm_, options_.id, options_.address.c_str()) != 0) {
    open_trouble_ = store_.explain(raft_.errmsg);
    store_.closed();
    retry_open();
    return;
  }
  const Timing times = timing(options_.profile);
  raft_.data = this;
  raft_.tracer = nullptr;  // C-raft formats every trace message, whether or not somebody reads it
  raft_.legacy.step_cb = [](struct raft* raft) { static_cast<Engine*>(raft->data)->after_step(); };
  raft_set_heartbeat_timeout(&raft_, times.heartbeat_ms);
  raft_set_election_timeout(&raft_, times.election_ms);
  raft_set_install_snapshot_timeout(&raft_, kInstallTimeoutMs);
  raft_set_pre_vote(&raft_, true);
  raft_set_max_inflight_entries(&raft_, kMaxInFlightAppends);
  raft_set_max_catch_up_round_duration(&raft_, kCatchUpRoundMs);
  raft_set_snapshot_threshold(&raft_, UINT_MAX);  // consider_snapshot() says when
  raft_set_capacity_threshold(&raft_, 0);         // has_space() does that; see there

  phase_ = Phase::kOpen;
  started_ = false;
  restore_trouble_.clear();
  const int status = raft_start(&raft_);
  if (status != 0) {
    open_trouble_ = !restore_trouble_.empty() ? restore_trouble_ : store_.explain(raft_.errmsg);
    close();
    return;
  }
  started_ = true;
  open_trouble_.clear();
  watch();
  schedule_look();
}

void Engine::retry_open() {
  phase_ = Phase::kClosed;
  retry_timer_.start(options_.retry_ms, [this] { open(); });
}

// Never from within C-raft.
void Engine::close() {
  applied_at_close_ = applied_index();
  phase_ = Phase::kClosing;
  watch_timer_.stop();
  fail_timer_.stop();
  drop_install();
  raft_close(&raft_, [](struct raft* raft) {
    auto* engine = static_cast<Engine*>(raft->data);
    engine->post([engine] { engine->on_closed(); });
  });
  const LogFault fault = stopped_ ? LogFault::kStopped : LogFault::kFailed;
  fail_proposals(stopped_ ? LogFault::kStopped : LogFault::kLeadershipLost);
  if (change_) answer<void>(std::move(change_->done), std::unexpected(LogFault::kLeadershipLost));
  if (transfer_) answer<void>(std::move(transfer_->done), std::unexpected(fault));
  reads_.fail_all(fault);
  leader_term_ = candidate_term_ = 0;
  if (std::exchange(told_leader_, false)) consumer_.leadership(false, told_term_);
}

void Engine::on_closed() {
  store_.closed();
  phase_ = Phase::kClosed;
  ended_proposals_.clear();
  change_.reset();
  transfer_.reset();
  if (stopped_) {
    phase_ = Phase::kStopped;
    drain_timer_.stop();
    backlog_.clear();
    std::exchange(stopped_, {})();
  } else if (backlog_.empty()) {
    retry_open();
  } else if (!drain_timer_.running()) {
    drain_timer_.start(0, [this] { drain_backlog(); });  // which opens the log when nothing is left
  }
}

void Engine::stop(std::function<void()> done) {
  stopped_ = std::move(done);
  retry_timer_.stop();
  switch (phase_) {
    case Phase::kOpen:
      close();
      break;
    case Phase::kClosing:
      break;
    case Phase::kIdle:
    case Phase::kClosed:
      phase_ = Phase::kStopped;
      drain_timer_.stop();
      [[fallthrough]];
    case Phase::kStopped:
      reactor_.post(std::exchange(stopped_, {}));
      break;
  }
}

// From within C-raft, after each of its steps and before it writes or sends anything of it.
void Engine::after_step() {
  drop_sends_ = false;
  if (is_candidate_of_its_term(raft_)) candidate_term_ = raft_.current_term;
  const bool leads = swarmdns::controlplane::is_leader(raft_);
  if (leader_term_ != 0 && (!leads || raft_.current_term != leader_term_)) {
    leader_term_ = 0;
    fail_proposals(LogFault::kLeadershipLost);
  }
  if (leads && leader_term_ == 0) {
    if (candidate_term_ != raft_.current_term) {
      // The only voter makes itself leader without an election and without a new term. Stand-bys, or the
      // leader before, may have other entries of that term under the numbers it is about to give.
      raft_.current_term += 1;
      raft_.voted_for = options_.id;
      candidate_term_ = raft_.current_term;
      raft_.io->set_term(raft_.io, raft_.current_term);
      raft_.io->set_vote(raft_.io, raft_.voted_for);
      drop_sends_ = true;  // heartbeats of this step have the old term in them
    }
    leader_term_ = raft_.current_term;
    term_start_ = 0;
  }
  schedule_look();
}

void Engine::schedule_look() {
  if (std::exchange(look_posted_, true)) return;
  post([this] {
    look_posted_ = false;
    look();
  });
}

void Engine::look() {
  if (phase_ != Phase::kOpen || !started_) return;
  if (guard_.failed()) {
    open_trouble_ = "the log is closed and opened again: " + guard_.why();
    close();
    return;
  }
  free_ended_proposals();
  look_at_leadership();
  look_at_change();
  look_at_transfer();
  look_at_members();
  look_at_commit();
  begin_install();
  deliver_install();
  consider_snapshot();
  reads_.look();
}

void Engine::look_at_leadership() {
  if (told_leader_ && leader_term_ != told_term_) {
    told_leader_ = false;
    consumer_.leadership(false, told_term_);
  }
  if (leader_term_ == 0) return;
  if (term_start_ == 0 && !is_handing_over(raft_)) {
    const std::uint64_t index = raft_last_index(&raft_) + 1;
    if (!append_entry(EntryKind::kTermStart, {}, {})) term_start_ = index;
  }
  if (!told_leader_ && read_may_lead()) {
    told_leader_ = true;
    told_term_ = leader_term_;
    consumer_.leadership(true, told_term_);
  }
}

void Engine::look_at_members() {
  if (raft_.configuration_committed_index == told_members_ || raft_.configuration_committed.n == 0) return;
  told_members_ = raft_.configuration_committed_index;
  consumer_.members(told_members_, to_members(raft_.configuration_committed));
}

// What shows itself by nothing happening.
void Engine::watch() {
  watch_timer_.start(kWatchMs, [this] { watch(); });
  if (!open_and_well()) return;
  const bool stuck = guard_.oldest_write_ms() > kStuckWriteMs;
  stuck_trouble_.clear();
  if (stuck || !is_spacious(guard_.capacity_kib())) stuck_trouble_ = store_.why_stuck();
  if (stuck && stuck_trouble_.empty())
    stuck_trouble_ = "the disk of the log has not finished a write for " +
                     std::to_string(guard_.oldest_write_ms() / 1000) +
                     " s: look at its health and load (iostat, dmesg)";
  if (backlog_bytes_ > options_.max_backlog_bytes) {
    close();
    return;
  }
  schedule_look();
}

std::string Engine::trouble() const {
  std::string text;
  for (const std::string* part :
       {&open_trouble_, &apply_trouble_, &stuck_trouble_, &install_trouble_, &conflict_trouble_}) {
    if (part->empty()) continue;
    if (!text.empty()) text += "; ";
    text += *part;
  }
  return text;
}

bool Engine::is_leader() const {
  return open_and_well() && leader_term_ != 0;
}

LogStatus Engine::status() const {
  LogStatus status;
  status.trouble = trouble();
  status.slow_writes = guard_.slow_writes();
  status.in_flight_entries = in_flight_entries_;
  status.in_flight_bytes = in_flight_bytes_;
  status.applied_index = applied_index();
  if (phase_ != Phase::kOpen || !started_) {
    if (phase_ == Phase::kStopped) status.state = LogState::kStopped;
    if (phase_ == Phase::kClosing || phase_ == Phase::kClosed)
      status.state = stopped_ ? LogState::kStopped : LogState::kFailed;
    return status;
  }
  auto* raft = const_cast<struct raft*>(&raft_);  // C-raft's getters take it without const
  const auto state = raft_state(raft);
  status.state = state == RAFT_LEADER      ? LogState::kLeader
                 : state == RAFT_CANDIDATE ? LogState::kCandidate
                                           : LogState::kFollower;
  if (guard_.failed()) status.state = LogState::kFailed;
  status.term = raft_current_term(raft);
  status.leader = read_leader();
  status.last_index = raft_last_index(raft);
  status.commit_index = raft_commit_index(raft);
  status.snapshot_index = guard_.snapshot_index();
  status.members = to_members(raft_.configuration);
  status.changing = change_.has_value() || is_changing_members(raft_);
  if (state != RAFT_LEADER) return status;
  for (const LogMember& member : status.members) {
    if (member.id == options_.id) continue;
    LogStatus::Progress progress{.id = member.id, .heard_ms_ago = UINT64_MAX};
    raft_index match = 0;
    if (raft_match_index(raft, member.id, &match) == 0) progress.match_index = match;
    if (const auto peer = peers_.find(member.id); peer != peers_.end() && peer->second.heard_ms)
      progress.heard_ms_ago = reactor_.now_ms() - *peer->second.heard_ms;
    status.progress.push_back(progress);
  }
  return status;
}

void Engine::read(LogDone<std::uint64_t> done) {
  if (phase_ == Phase::kStopped || stopped_)
    answer<std::uint64_t>(std::move(done), std::unexpected(LogFault::kStopped));
  else if (!open_and_well() || !started_)
    answer<std::uint64_t>(std::move(done), std::unexpected(LogFault::kFailed));
  else
    reads_.read(std::move(done));
}

std::uint64_t Engine::read_term() const {
  return raft_.current_term;
}

bool Engine::read_may_lead() const {
  return open_and_well() && leader_term_ != 0 && term_start_ != 0 && applied_index() >= term_start_;
}

NodeId Engine::read_leader() const {
  if (!open_and_well()) return 0;
  return leader_term_ != 0 ? options_.id : followed_leader(raft_);
}

std::uint64_t Engine::read_commit_index() const {
  return raft_.commit_index;
}

std::vector<NodeId> Engine::read_voters() const {
  std::vector<NodeId> voters;
  for (unsigned i = 0; i < raft_.configuration.n; ++i)
    if (raft_.configuration.servers[i].role == RAFT_VOTER)
      voters.push_back(raft_.configuration.servers[i].id);
  return voters;
}

void Engine::read_send(NodeId to, v1::PeerMessage message) {
  link_.send(to, Channel::kConsensus, std::move(message));
}

}  // namespace swarmdns::controlplane
