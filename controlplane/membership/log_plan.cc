#include "controlplane/membership/log_plan.h"

#include <algorithm>
#include <set>

namespace swarmdns::controlplane {
namespace {

constexpr std::uint64_t kLostForEver = UINT64_MAX;

// The input, looked at in the ways the rules need.
class Plan {
 public:
  explicit Plan(const LogPlanInput& input) : in_(input) {
    choose_voters();
    choose_standbys();
  }

  std::optional<LogChange> next() const {
    if (auto change = leave()) return change;
    if (auto change = promote()) return change;
    if (auto change = demote()) return change;
    return stand_by();
  }

 private:
  const v1::MemberRecord* member(NodeId id) const {
    const auto at = std::ranges::find(in_.members, id, &v1::MemberRecord::id);
    return at == in_.members.end() ? nullptr : &*at;
  }
  std::string name(NodeId id) const {
    const v1::MemberRecord* record = member(id);
    return record != nullptr ? record->name() : "node " + std::to_string(id);
  }
  std::optional<LogRole> role(NodeId id) const {
    const auto at = std::ranges::find(in_.log, id, &LogMember::id);
    if (at == in_.log.end()) return std::nullopt;
    return at->role;
  }
  MemberHealth health(NodeId id) const {
    if (id == in_.leader) return {0, kLostForEver};
    const auto at = in_.health.find(id);
    return at == in_.health.end() ? MemberHealth{kLostForEver, 0} : at->second;
  }
  bool well(NodeId id) const { return health(id).lost_ms == 0; }
  bool votes(NodeId id) const { return role(id) == LogRole::kVoter; }

  // May hold a voter's place: one that votes keeps it through a short absence, another must be well.
  bool fit_to_vote(NodeId id) const {
    return votes(id) ? health(id).lost_ms < in_.settings.promote_after_ms() : well(id);
  }

  // Best first: primaries, then who votes now, then who has the log already, then by number. A primary that
  // comes back takes its place from a backup only when it has been well for demote_after_ms.
  auto rank(const v1::MemberRecord& record) const {
    const NodeId id = record.id();
    const bool settled = votes(id) || health(id).well_ms >= in_.settings.demote_after_ms();
    return std::tuple(record.backup() || (!settled && backup_votes_), !votes(id), !role(id).has_value(), id);
  }

  void choose_voters() {
    backup_votes_ = std::ranges::any_of(in_.members, [this](const v1::MemberRecord& record) {
      return record.backup() && votes(record.id()) && well(record.id());
    });
    std::vector<const v1::MemberRecord*> fit;
    std::size_t primaries = 0;
    for (const v1::MemberRecord& record : in_.members) {
      if (!record.backup()) ++primaries;
      if (fit_to_vote(record.id())) fit.push_back(&record);
    }
    // As many as there are primaries, lost ones included: their places are taken, not given up.
    std::size_t wanted =
        std::min({std::max<std::size_t>(primaries, 1), std::size_t{in_.settings.max_voters()},
                  std::size_t{in_.settings.max_log_members()}});
    if (wanted % 2 == 0) --wanted;
    std::ranges::sort(fit, {}, [this](const v1::MemberRecord* record) { return rank(*record); });
    for (const v1::MemberRecord* record : fit) {
      if (voters_.size() < wanted) voters_.insert(record->id());
    }
    wanted_ = wanted;
  }

  void choose_standbys() {
    std::vector<const v1::MemberRecord*> rest;
    for (const v1::MemberRecord& record : in_.members) {
      if (!voters_.contains(record.id())) rest.push_back(&record);
    }
    std::ranges::sort(rest, {}, [this](const v1::MemberRecord* record) {
      const bool lost = health(record->id()).lost_ms >= in_.settings.promote_after_ms();
      return std::tuple(lost, record->backup(), !role(record->id()).has_value(), record->id());
    });
    const std::size_t most =
        std::min<std::size_t>(in_.settings.max_standbys(), in_.settings.max_log_members() - wanted_);
    for (const v1::MemberRecord* record : rest) {
      if (standbys_.size() < most) standbys_.insert(record->id());
    }
  }

  std::size_t voters_now() const {
    return static_cast<std::size_t>(std::ranges::count(in_.log, LogRole::kVoter, &LogMember::role));
  }
  std::size_t voters_well(NodeId without) const {
    return static_cast<std::size_t>(std::ranges::count_if(in_.log, [&](const LogMember& each) {
      return each.role == LogRole::kVoter && each.id != without && well(each.id);
    }));
  }
  bool safe_without(NodeId id) const {
    const std::size_t left = voters_now() - 1;
    return left > 0 && voters_well(id) >= left / 2 + 1;
  }
  bool safe_with(NodeId id) const {
    const std::size_t then = voters_now() + 1;
    return well(id) && voters_well(id) + 1 >= then / 2 + 1;
  }

  std::optional<LogChange> hand_over() const {
    return LogChange{
        LogChange::Kind::kHandOver, 0, {}, "", name(in_.leader) + " hands over: it shall not vote any more"};
  }

  std::optional<LogChange> leave() const {
    for (const LogMember& each : in_.log) {
      if (member(each.id) != nullptr) continue;
      if (each.role == LogRole::kVoter && !safe_without(each.id)) continue;
      if (each.id == in_.leader) return hand_over();
      return LogChange{LogChange::Kind::kRemove, each.id, {}, "", name(each.id) + " is no member any more"};
    }
    return std::nullopt;
  }

  std::optional<LogChange> add(NodeId id) const {
    return LogChange{LogChange::Kind::kAdd, id, {}, member(id)->address(), name(id) + " comes into the log"};
  }
  std::optional<LogChange> assign(NodeId id, LogRole to, std::string why) const {
    return LogChange{LogChange::Kind::kAssign, id, to, "", std::move(why)};
  }

  std::optional<LogChange> promote() const {
    for (const NodeId id : voters_) {
      const auto now = role(id);
      if (now == LogRole::kVoter || !well(id)) continue;
      if (!now) return add(id);
      // By way of standing by: the log is there before the vote is.
      if (now == LogRole::kSpare) return assign(id, LogRole::kStandBy, name(id) + " gets the log");
      // An even number of voters only on the way to an odd one.
      if (!safe_with(id)) continue;
      return assign(id, LogRole::kVoter, name(id) + " votes");
    }
    return std::nullopt;
  }

  std::optional<LogChange> demote() const {
    // Not before whoever is to have the place has it, but for surplus voters.
    const bool all_vote = std::ranges::all_of(voters_, [this](NodeId id) { return votes(id); });
    for (const LogMember& each : in_.log) {
      if (each.role != LogRole::kVoter || voters_.contains(each.id) || member(each.id) == nullptr) continue;
      if (!all_vote && voters_now() <= wanted_) continue;
      // The lost one keeps its vote when nobody can have its place.
      if (voters_.size() < wanted_ && voters_now() <= wanted_) continue;
      if (!safe_without(each.id)) continue;
      if (each.id == in_.leader) return hand_over();
      return assign(
          each.id, LogRole::kStandBy,
          name(each.id) + (well(each.id) ? " stands by" : " is lost; it stands by until it is back"));
    }
    return std::nullopt;
  }

  std::optional<LogChange> stand_by() const {
    for (const LogMember& each : in_.log) {
      if (each.role == LogRole::kVoter || voters_.contains(each.id) || standbys_.contains(each.id)) continue;
      if (member(each.id) == nullptr) continue;
      return LogChange{
          LogChange::Kind::kRemove, each.id, {}, "", name(each.id) + " follows: there are stand-bys enough"};
    }
    for (const NodeId id : standbys_) {
      const auto now = role(id);
      if (now == LogRole::kStandBy || now == LogRole::kVoter || !well(id)) continue;
      if (!now) return add(id);
      return assign(id, LogRole::kStandBy, name(id) + " stands by");
    }
    return std::nullopt;
  }

  const LogPlanInput& in_;
  bool backup_votes_ = false;
  std::size_t wanted_ = 1;
  std::set<NodeId> voters_;
  std::set<NodeId> standbys_;
};

}  // namespace

std::optional<LogChange> next_log_change(const LogPlanInput& input) {
  return Plan(input).next();
}

}  // namespace swarmdns::controlplane
