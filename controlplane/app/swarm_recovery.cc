// A quorum lost for good: this node goes on alone, as a new incarnation of the swarm.

#include "controlplane/app/swarm_host.h"
#include "controlplane/app/wall_clock.h"
#include "controlplane/member/recovery.h"
#include "controlplane/membership/directory.h"
#include "controlplane/membership/quorum.h"
#include "controlplane/state/keys.h"

namespace swarmdns::controlplane {
namespace {

// Before nobody is heard, everybody has had time to be: dialled, greeted, and three reports.
constexpr std::uint64_t kListenMs = 8000;
constexpr std::uint64_t kReportMs = 1000;
constexpr std::uint64_t kBeginMs = 20'000;

std::unexpected<Refusal> refused(Refusal::Kind kind, std::string why) {
  return std::unexpected(Refusal{kind, std::move(why) + "; nothing was changed"});
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

// Why the swarm is not to be recovered here and now; "" = it may be.
std::string not_lost(MemberCore& core) {
  const StateView state = core.chain().state();
  // As the log has it, and as the ledger has recorded it: of a node that follows the log knows nothing.
  std::vector<LogMember> recorded;
  const auto in_ledger = read<v1::LogMembers>(state, keys::kLogMembers).value_or(v1::LogMembers());
  for (const std::uint64_t id : in_ledger.voters()) recorded.push_back({id, "", LogRole::kVoter});
  for (const std::vector<LogMember>& members : {core.log().status().members, recorded}) {
    const HeardVoters voters = heard_voters(members, core.roster().health(), core.self());
    if (!voters.quorum()) continue;
    std::vector<std::string> names;
    for (const NodeId id : voters.heard) {
      const auto record = member(state, id);
      names.push_back(record ? record->name() : "node " + std::to_string(id));
    }
    return "a quorum can be heard (" + listed(names) + ", of " + std::to_string(voters.voters) +
           " voters): there is nothing to recover; nodes that are gone are taken out by swarmctl swarm "
           "remove";
  }
  for (const v1::MemberRecord& record : live_members(state)) {
    const auto heard = core.roster().heard(record.id());
    if (!heard || heard->ago_ms > Roster::kSilenceMs) continue;
    if (heard->report.height() > core.chain().height()) {
      return record.name() + " can be heard and has the ledger up to block " +
             std::to_string(heard->report.height()) + ", this node up to " +
             std::to_string(core.chain().height()) + ": recover there, or less is lost than need be";
    }
  }
  return "";
}

}  // namespace

Outcome<v1::RecoverSwarmResponse> SwarmHost::recover_swarm(const v1::RecoverSwarmRequest& request) {
  const std::unique_lock held(membership_);
  if (auto is = require_member(); !is) return std::unexpected(is.error());
  const v1::NodeIdentity before = member_->identity().record;
  if (request.confirm() != before.swarm_name()) {
    return refused(Refusal::Kind::kInvalid, "confirm: the swarm's name is \"" + before.swarm_name() +
                                                "\", not \"" + request.confirm() + "\"");
  }
  // Who was heard a moment ago may be dead by now; then whoever lives has time to be heard.
  std::string why_not;
  const auto look = [&](bool wanted) {
    return [this, &why_not, wanted] {
      why_not = not_lost(member_->core());
      return why_not.empty() == wanted;
    };
  };
  if (wait_until(look(true), Roster::kSilenceMs + kReportMs)) (void)wait_until(look(false), kListenMs);
  if (!why_not.empty()) return refused(Refusal::Kind::kPrecondition, why_not);

  const v1::Config config = config_();
  const auto where = addresses(config);
  if (!where) return std::unexpected(where.error());
  std::expected<RecoveryPlan, std::string> plan;
  member_->run([&] {
    plan = plan_recovery(member_->core().chain(), member_->core().cosigner().note(), member_->core().self());
  });
  if (!plan) return refused(Refusal::Kind::kPrecondition, plan.error());
  FoundingWish wish;
  wish.node_name = config.node().name();
  wish.address = where->second;
  wish.region = plan->region;
  wish.passphrase = request.passphrase();
  wish.settings = plan->settings;
  wish.wall_ms = wall_ms();
  wish.principal = request.caller().principal();
  wish.reason = request.caller().reason();

  const IdentityFiles files(config.node().state_dir());
  log_.warning("swarm: RECOVERING " + before.swarm_name() + " from this node alone, by " + wish.principal +
               ": incarnation " + std::to_string(before.incarnation()) + " ends at block " +
               std::to_string(plan->genesis.previous_height()) +
               "; left behind: " + listed(plan->left_behind));
  member_.reset();
  const auto back = [&](const std::string& why) -> std::unexpected<Refusal> {
    member_.reset();
    std::string text = "not recovered: " + why;
    if (auto undone = undo_recovery(files, before); !undone)
      text += "; and the way back failed: " + undone.error();
    open_own();
    log_.warning("swarm: " + text);
    return std::unexpected(Refusal{Refusal::Kind::kFailed, text + "; the old membership stands as it was"});
  };
  auto made = controlplane::recover_swarm(files, before, *plan, wish);
  if (!made) return back(made.error());
  const v1::NodeIdentity record = made->identity.record;
  if (auto opened = open(files, std::move(made->identity)); !opened) return back(opened.error());
  if (!wait_until([this] { return member_->core().cosigner().height() > 0; }, kBeginMs)) {
    const std::string why =
        on_reactor<std::string>([this] { return member_->core().log().status().trouble; });
    return back("the new incarnation's first block could not be written" + (why.empty() ? "" : ": " + why));
  }
  log_.warning("swarm: " + record.swarm_name() + " goes on as incarnation " +
               std::to_string(record.incarnation()) + "; refused from now on: " + listed(plan->left_behind));

  v1::RecoverSwarmResponse response;
  v1::InitSwarmResponse& told = *response.mutable_made();
  told.set_swarm_id(record.swarm_id());
  told.set_node(record.node());
  told.set_root_key(std::string(made->root_key.view()));
  told.set_root_certificate(made->root_certificate);
  told.set_trust_file(on_reactor<std::string>([this] { return trust_file_text(); }));
  response.set_incarnation(record.incarnation());
  for (const std::string& name : plan->left_behind) response.add_left_behind(name);
  handed_over(files, record);
  return response;
}

Outcome<void> SwarmHost::verify_kept(std::uint32_t incarnation, const Take<v1::VerifyProgress>& take) {
  const IdentityFiles files(config_().node().state_dir());
  const auto path = kept_ledger(files, incarnation);
  if (!path) {
    return std::unexpected(Refusal{Refusal::Kind::kNotFound,
                                   "this node has no ledger of incarnation " + std::to_string(incarnation) +
                                       "; the node that recovered the swarm keeps it"});
  }
  StoreOptions options;
  options.path = *path;
  options.create = false;
  auto store = LedgerStore::open(options);
  if (!store) return std::unexpected(Refusal{Refusal::Kind::kFailed, store.error().text});
  v1::VerifyProgress last;
  last.set_finding(check_kept(**store, [&](std::uint64_t done, std::uint64_t of) {
    v1::VerifyProgress progress;
    progress.set_height(done);
    progress.set_of(of);
    take(progress);
  }));
  const std::uint64_t height = (*store)->tip() ? (*store)->tip()->height : 0;
  // The first block of the incarnation in force says where the one before it ended.
  if (last.finding().empty() && incarnation + 1 == member_->identity().record.incarnation()) {
    std::expected<std::optional<v1::Leaf>, std::string> leaf;
    member_->run([&] { leaf = member_->store().leaf(0); });
    v1::Transaction first;
    if (leaf && *leaf && first.ParseFromString((*leaf)->transaction()))
      last.set_finding(check_seam(**store, first.genesis()));
  }
  last.set_height(height);
  last.set_of(height);
  last.set_done(true);
  take(last);
  return {};
}

}  // namespace swarmdns::controlplane
