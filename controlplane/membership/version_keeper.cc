#include "controlplane/membership/version_keeper.h"

#include "controlplane/membership/directory.h"
#include "controlplane/state/apply.h"
#include "controlplane/state/keys.h"

namespace swarmdns::controlplane {

std::uint32_t version_to_raise(const StateView& state, const Roster& roster, NodeId self) {
  const auto swarm = read<v1::SwarmRecord>(state, keys::kSwarm);
  if (!swarm || swarm->version() >= kVersion) return 0;
  const std::uint32_t next = swarm->version() + 1;
  for (const v1::MemberRecord& record : live_members(state)) {
    if (record.version_max() < next) return 0;
    const auto heard = roster.heard(record.id());
    if (record.id() != self && heard && heard->report.version_max() < next) return 0;
  }
  return next;
}

VersionKeeper::VersionKeeper(Reactor& reactor, Chain& chain, Submitter& submitter, Roster& roster,
                             NodeId self, std::function<bool()> leads,
                             std::function<void(const std::string&)> say)
    : chain_(chain),
      submitter_(submitter),
      roster_(roster),
      self_(self),
      leads_(std::move(leads)),
      say_(std::move(say)),
      timer_(reactor) {}

void VersionKeeper::look() {
  timer_.start(kLookMs, [this] { look(); });
  if (ordering_ || chain_.height() == 0) return;
  const StateView state = chain_.state();
  const auto own = member(state, self_);
  if (!own || own->removed_height() != 0) return;
  v1::Transaction transaction;
  if (own->version_min() != kOldestVersion || own->version_max() != kVersion) {
    v1::MemberChanged& changed = *transaction.mutable_member_changed();
    changed.set_id(self_);
    changed.set_version_min(kOldestVersion);
    changed.set_version_max(kVersion);
    order(std::move(transaction),
          "this program has versions " + std::to_string(kOldestVersion) + " to " + std::to_string(kVersion));
  } else if (const std::uint32_t next = leads_() ? version_to_raise(state, roster_, self_) : 0; next != 0) {
    transaction.mutable_version_raised()->set_version(next);
    order(std::move(transaction),
          "every member has version " + std::to_string(next) + ": the swarm is raised to it");
  }
}

void VersionKeeper::order(v1::Transaction transaction, std::string what) {
  ordering_ = true;
  say_(what);
  submitter_.submit(std::move(transaction), [this, what](const std::expected<Receipt, SubmitError>& done) {
    ordering_ = false;
    if (!done) say_(what + ": " + done.error().text);
  });
}

}  // namespace swarmdns::controlplane
