#include <algorithm>
#include <utility>

#include "controlplane/consensus/engine.h"
#include "controlplane/consensus/raft_members.h"
#include "controlplane/consensus/raft_peek.h"

namespace swarmdns::controlplane {

namespace {

LogFault fault_of(int status) {
  switch (status) {
    case RAFT_NOTLEADER:
      return LogFault::kNotLeader;
    case RAFT_CANTCHANGE:
      return LogFault::kChanging;
    case RAFT_BADID:
    case RAFT_DUPLICATEID:
    case RAFT_DUPLICATEADDRESS:
    case RAFT_BADROLE:
    case RAFT_NOTFOUND:
      return LogFault::kBadMember;
    default:
      return LogFault::kFailed;
  }
}

}  // namespace

const struct raft_server* Engine::server(const struct raft_configuration& configuration, NodeId id) const {
  for (unsigned i = 0; i < configuration.n; ++i)
    if (configuration.servers[i].id == id) return &configuration.servers[i];
  return nullptr;
}

std::optional<LogFault> Engine::cannot_change() const {
  if (phase_ == Phase::kStopped || stopped_) return LogFault::kStopped;
  if (!open_and_well() || !started_) return LogFault::kFailed;
  if (leader_term_ == 0 || is_handing_over(raft_)) return LogFault::kNotLeader;
  if (change_ || transfer_ || is_changing_members(raft_)) return LogFault::kChanging;
  return std::nullopt;
}

void Engine::add(NodeId id, std::string address, LogDone<void> done) {
  // What decoding refuses must not get into the log.
  std::optional<LogFault> fault = cannot_change();
  if (!fault) {
    std::vector<LogMember> members = to_members(raft_.configuration);
    members.push_back({.id = id, .address = address, .role = LogRole::kSpare});
    auto sound = to_configuration(members);
    if (sound)
      raft_configuration_close(&*sound);
    else
      fault = LogFault::kBadMember;
  }
  if (fault) {
    answer<void>(std::move(done), std::unexpected(*fault));
    return;
  }
  begin_change(id, LogRole::kSpare, std::move(done), [&](struct raft_change* request) {
    return raft_add(&raft_, request, id, address.c_str(), nullptr);
  });
}

void Engine::assign(NodeId id, LogRole role, LogDone<void> done) {
  std::optional<LogFault> fault = cannot_change();
  if (!fault) {
    const struct raft_server* member = server(raft_.configuration, id);
    const bool last_voter = member != nullptr && member->role == RAFT_VOTER && role != LogRole::kVoter &&
                            read_voters().size() == 1;
    if (member == nullptr || member->role == to_raft_role(role) || last_voter) fault = LogFault::kBadMember;
  }
  if (fault) {
    answer<void>(std::move(done), std::unexpected(*fault));
    return;
  }
  if (id == options_.id && role != LogRole::kVoter) {
    hand_over_first(std::move(done));
    return;
  }
  begin_change(id, role, std::move(done), [&](struct raft_change* request) {
    return raft_assign(&raft_, request, id, to_raft_role(role), nullptr);
  });
}

void Engine::remove(NodeId id, LogDone<void> done) {
  std::optional<LogFault> fault = cannot_change();
  if (!fault) {
    const struct raft_server* member = server(raft_.configuration, id);
    if (member == nullptr || (member->role == RAFT_VOTER && read_voters().size() == 1))
      fault = LogFault::kBadMember;
  }
  if (fault) {
    answer<void>(std::move(done), std::unexpected(*fault));
    return;
  }
  if (id == options_.id) {
    hand_over_first(std::move(done));
    return;
  }
  begin_change(id, std::nullopt, std::move(done),
               [&](struct raft_change* request) { return raft_remove(&raft_, request, id, nullptr); });
}

// A leader does not take its own vote: dying before that is committed it would come back as no voter by its
// own log, and as the one with the longest, which others cannot do without. The next leader does it.
void Engine::hand_over_first(LogDone<void> done) {
  transfer(0, [done = std::move(done)](std::expected<void, LogFault> result) {
    if (done) done(std::unexpected(result ? LogFault::kNotLeader : result.error()));
  });
}

void Engine::begin_change(NodeId id, std::optional<LogRole> role, LogDone<void> done,
                          const std::function<int(struct raft_change*)>& submit) {
  change_ = Change{};
  change_->id = id;
  change_->role = role;
  change_->term = leader_term_;
  change_->done = std::move(done);
  const int status = submit(&change_->request);
  if (status == 0) {
    schedule_look();
    return;
  }
  raft_.legacy.change = nullptr;  // C-raft leaves it there on some errors
  answer<void>(std::move(change_->done), std::unexpected(fault_of(status)));
  change_.reset();
}

void Engine::look_at_change() {
  if (!change_) return;
  const struct raft_server* member = server(raft_.configuration_committed, change_->id);
  const bool fulfilled =
      change_->role ? member != nullptr && member->role == to_raft_role(*change_->role) : member == nullptr;
  const bool lost = leader_term_ != change_->term;
  if (is_changing_members(raft_) && !lost) return;
  if (raft_.legacy.change == &change_->request) raft_.legacy.change = nullptr;
  LogDone<void> done = std::move(change_->done);
  change_.reset();
  if (fulfilled)
    answer<void>(std::move(done), {});
  else  // not lost: the member did not catch up with the log
    answer<void>(std::move(done), std::unexpected(lost ? LogFault::kLeadershipLost : LogFault::kTimedOut));
}

void Engine::transfer(NodeId id, LogDone<void> done) {
  const std::optional<LogFault> fault = cannot_change();
  if (fault) {
    answer<void>(std::move(done), std::unexpected(*fault));
    return;
  }
  transfer_ = Transfer{};
  transfer_->done = std::move(done);
  const int status = raft_transfer(&raft_, &transfer_->request, id, nullptr);
  if (status == 0) return;
  answer<void>(std::move(transfer_->done), std::unexpected(fault_of(status)));
  transfer_.reset();
}

void Engine::look_at_transfer() {
  if (!transfer_ || raft_.transfer == &transfer_->request) return;
  LogDone<void> done = std::move(transfer_->done);
  transfer_.reset();
  if (leader_term_ == 0)
    answer<void>(std::move(done), {});
  else
    answer<void>(std::move(done), std::unexpected(LogFault::kTimedOut));
}

}  // namespace swarmdns::controlplane
