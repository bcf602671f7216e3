#include "controlplane/membership/log_keeper.h"

#include <algorithm>

#include "controlplane/membership/directory.h"
#include "controlplane/state/apply.h"
#include "controlplane/state/keys.h"

namespace swarmdns::controlplane {
namespace {

constexpr std::uint64_t kLookMs = 500;
constexpr std::uint64_t kAfterFailureMs = 2000;

v1::LogMembers record_of(const std::vector<LogMember>& members) {
  v1::LogMembers record;
  std::vector<LogMember> sorted = members;
  std::ranges::sort(sorted, {}, &LogMember::id);
  for (const LogMember& member : sorted) {
    if (member.role == LogRole::kVoter) record.add_voters(member.id);
    if (member.role == LogRole::kStandBy) record.add_standbys(member.id);
  }
  return record;
}

}  // namespace

LogKeeper::LogKeeper(Reactor& reactor, ReplicatedLog& log, Chain& chain, Submitter& submitter, Roster& roster,
                     NodeId self, std::function<void(const std::string&)> say)
    : reactor_(reactor),
      log_(log),
      chain_(chain),
      submitter_(submitter),
      roster_(roster),
      self_(self),
      say_(std::move(say)),
      timer_(reactor) {}

void LogKeeper::set_leader(bool leader) {
  leader_ = leader;
  ++reign_;
  changing_ = false;
  recording_ = false;
  timer_.stop();
  if (leader_) look_soon();
}

void LogKeeper::members(const std::vector<LogMember>& members) {
  committed_ = members;
  if (leader_) look_soon();
}

void LogKeeper::keep_until(v1::MemberRecord leaving, std::uint64_t until_ms) {
  leaving_.emplace_back(std::move(leaving), until_ms);
}

void LogKeeper::look_soon() {
  if (leader_) timer_.start(0, [this] { look(); });
}

void LogKeeper::look() {
  timer_.start(kLookMs, [this] { look(); });
  if (chain_.height() == 0) return;
  record();
  const LogStatus status = log_.status();
  if (changing_ || status.changing || reactor_.now_ms() < not_before_ms_) return;
  LogPlanInput input;
  input.leader = self_;
  input.members = live_members(chain_.state());
  std::erase_if(leaving_, [now = reactor_.now_ms()](const auto& each) { return each.second <= now; });
  for (const auto& [record, until] : leaving_) input.members.push_back(record);
  input.log = status.members;
  input.health = roster_.health();
  input.settings =
      with_defaults(read<v1::SwarmSettings>(chain_.state(), keys::kSettings).value_or(v1::SwarmSettings()));
  if (const auto change = next_log_change(input)) carry_out(*change);
}

void LogKeeper::carry_out(const LogChange& change) {
  changing_ = true;
  say_("log: " + change.why);
  const auto done = [this, reign = reign_, why = change.why](std::expected<void, LogFault> outcome) {
    if (reign != reign_) return;
    changing_ = false;
    if (outcome) {
      look_soon();
      return;
    }
    not_before_ms_ = reactor_.now_ms() + kAfterFailureMs;
    say_("log: " + why + ": " + to_text(outcome.error()) + "; tried again");
  };
  switch (change.kind) {
    case LogChange::Kind::kAdd:
      log_.add(change.id, change.address, done);
      break;
    case LogChange::Kind::kAssign:
      log_.assign(change.id, change.role, done);
      break;
    case LogChange::Kind::kRemove:
      log_.remove(change.id, done);
      break;
    case LogChange::Kind::kHandOver:
      log_.transfer(0, done);
      break;
  }
}

// What is committed in the log's configuration, as a transaction: checkpoints from there on count by it.
void LogKeeper::record() {
  if (!committed_ || recording_) return;
  const v1::LogMembers wanted = record_of(*committed_);
  const auto recorded = read<v1::LogMembers>(chain_.state(), keys::kLogMembers);
  if (wanted.voters().empty() || (recorded && recorded->SerializeAsString() == wanted.SerializeAsString()))
    return;
  recording_ = true;
  v1::Transaction transaction;
  *transaction.mutable_log_members() = wanted;
  submitter_.submit(std::move(transaction), [this, reign = reign_](const auto&) {
    if (reign == reign_) recording_ = false;
  });
}

}  // namespace swarmdns::controlplane
