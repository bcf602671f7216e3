// Tokens, members, settings, and what is shown of the swarm.
#include <algorithm>
#include <chrono>
#include <future>

#include "controlplane/app/swarm_host.h"
#include "controlplane/certs/certificate.h"
#include "controlplane/certs/join_token.h"
#include "controlplane/member/recovery.h"
#include "controlplane/membership/directory.h"
#include "controlplane/state/apply.h"
#include "controlplane/state/keys.h"

namespace swarmdns::controlplane {
namespace {

constexpr std::uint64_t kTokenLeastS = 60;
constexpr std::uint64_t kTokenMostS = 30ULL * 86'400;

const char* role_text(LogRole role) {
  switch (role) {
    case LogRole::kVoter:
      return "voter";
    case LogRole::kStandBy:
      return "stand-by";
    case LogRole::kSpare:
      return "spare";
  }
  return "";
}

const char* state_text(const LogStatus& status, bool in_log) {
  switch (status.state) {
    case LogState::kLeader:
      return "leader";
    case LogState::kFollower:
      return status.leader != 0 ? (in_log ? "follower" : "following") : "no leader";
    case LogState::kCandidate:
      return "no quorum";
    case LogState::kStarting:
      return "starting";
    case LogState::kFailed:
      return "failed";
    case LogState::kStopped:
      return "stopped";
  }
  return "";
}

}  // namespace

Outcome<v1::IssueTokenResponse> SwarmHost::issue_token(const v1::IssueTokenRequest& request) {
  const Held held(membership_);
  if (auto is = require_member(); !is) return std::unexpected(is.error());
  if (request.ttl_s() < kTokenLeastS || request.ttl_s() > kTokenMostS) {
    return std::unexpected(Refusal{Refusal::Kind::kInvalid,
                                   "--ttl: from 1m to 30d, not " + std::to_string(request.ttl_s()) + " s"});
  }
  std::string region = request.region();
  std::string root;
  std::uint64_t block_ms = 0;
  std::uint64_t wall_ms = 0;
  member_->run([&] {
    const StateView state = member_->core().chain().state();
    const auto own = member(state, member_->core().self());
    if (region.empty() && own) region = own->region();
    const auto rotation = read<v1::CertificateRotation>(state, keys::kCertificates);
    if (rotation && rotation->roots_size() > 0) root = rotation->roots(0);
    if (const auto& tip = member_->core().chain().tip()) block_ms = tip->time_ms;
    wall_ms = member_->reactor().wall_ms();
  });
  const auto pem = pem_from_der(root);
  const auto facts = pem ? read_certificates(*pem) : std::unexpected(pem.error());
  if (!facts || facts->empty())
    return std::unexpected(Refusal{Refusal::Kind::kFailed, "the swarm's root certificate cannot be read"});
  const JoinToken token = make_join_token(member_->identity().record.swarm_id(), facts->front().fingerprint);
  v1::Transaction transaction;
  v1::TokenIssued& issued = *transaction.mutable_token_issued();
  issued.set_token_hash(join_token_hash(token));
  issued.set_backup(request.backup());
  issued.set_region(region);
  issued.set_expires_ms(std::max(block_ms, wall_ms) + request.ttl_s() * 1000);
  const std::uint64_t expires = issued.expires_ms();
  if (auto committed = commit(std::move(transaction), request.caller()); !committed)
    return std::unexpected(committed.error());
  v1::IssueTokenResponse response;
  response.set_token(join_token_text(token));
  response.set_expires_ms(expires);
  response.set_address(member_->identity().record.address());
  return response;
}

Outcome<v1::Committed> SwarmHost::remove_member(const v1::RemoveMemberRequest& request) {
  const Held held(membership_);
  if (auto is = require_member(); !is) return std::unexpected(is.error());
  const auto who = member_named(request.node());
  if (!who) return std::unexpected(who.error());
  if (who->id() == member_->identity().record.node()) {
    return std::unexpected(
        Refusal{Refusal::Kind::kPrecondition,
                who->name() + " is this node: swarmctl swarm leave takes it out of the swarm"});
  }
  if (!request.force()) {
    std::string lost;
    member_->run([&] {
      const LogStatus log = member_->core().log_status();
      std::size_t voters = 0;
      std::size_t heard = 0;
      for (const LogMember& each : log.members) {
        if (each.role != LogRole::kVoter || each.id == who->id()) continue;
        ++voters;
        const auto report = member_->core().roster().heard(each.id);
        if (each.id == member_->core().self() || (report && report->ago_ms <= Roster::kSilenceMs)) ++heard;
      }
      if (voters == 0 || heard < voters / 2 + 1)
        lost = std::to_string(heard) + " of the " + std::to_string(voters) + " voters left can be heard";
    });
    if (!lost.empty()) {
      return std::unexpected(Refusal{Refusal::Kind::kPrecondition,
                                     "without " + who->name() + " the swarm would have no quorum: " + lost +
                                         "; bring another node in first, or say --force"});
    }
  }
  v1::Transaction transaction;
  transaction.mutable_member_removed()->set_id(who->id());
  return commit(std::move(transaction), request.caller());
}

Outcome<v1::Committed> SwarmHost::set_role(const v1::SetRoleRequest& request) {
  const Held held(membership_);
  if (auto is = require_member(); !is) return std::unexpected(is.error());
  const auto who = member_named(request.node());
  if (!who) return std::unexpected(who.error());
  if (who->backup() == request.backup()) {
    return std::unexpected(
        Refusal{Refusal::Kind::kPrecondition,
                who->name() + " is a " + (request.backup() ? "backup" : "primary") + " already"});
  }
  v1::Transaction transaction;
  transaction.mutable_member_changed()->set_id(who->id());
  transaction.mutable_member_changed()->set_backup(request.backup());
  return commit(std::move(transaction), request.caller());
}

Outcome<v1::TransferLeaderResponse> SwarmHost::transfer_leader(const v1::TransferLeaderRequest& request) {
  const Held held(membership_);
  if (auto is = require_member(); !is) return std::unexpected(is.error());
  std::uint64_t to = 0;
  if (!request.node().empty()) {
    const auto who = member_named(request.node());
    if (!who) return std::unexpected(who.error());
    to = who->id();
  }
  const auto leader = on_reactor<std::uint64_t>([this] { return member_->core().log_status().leader; });
  const auto name = [this](std::uint64_t id) {
    const auto record = on_reactor<std::optional<v1::MemberRecord>>(
        [this, id] { return member(member_->core().chain().state(), id); });
    return record ? record->name() : std::string("nobody");
  };
  if (!on_reactor<bool>([this] { return member_->core().leads(); })) {
    return std::unexpected(
        Refusal{Refusal::Kind::kPrecondition,
                "the leader hands over, and this node is not it: run it on " + name(leader)});
  }
  std::promise<std::expected<void, LogFault>> done;
  member_->reactor().post([&] {
    member_->core().log().transfer(to, [&](std::expected<void, LogFault> result) { done.set_value(result); });
  });
  if (const auto handed = done.get_future().get(); !handed) {
    return std::unexpected(
        Refusal{Refusal::Kind::kFailed, std::string("not handed over: ") + to_text(handed.error())});
  }
  v1::TransferLeaderResponse response;
  const bool known = wait_until(
      [&] {
        const NodeId now = member_->core().log().status().leader;
        return now != 0 && now != leader;
      },
      5000);
  if (known)
    response.set_leader(
        name(on_reactor<std::uint64_t>([this] { return member_->core().log().status().leader; })));
  return response;
}

Outcome<v1::Committed> SwarmHost::change_settings(const v1::ChangeSettingsRequest& request) {
  const Held held(membership_);
  if (auto is = require_member(); !is) return std::unexpected(is.error());
  v1::SwarmSettings settings;
  member_->run([&] {
    settings =
        read<v1::SwarmSettings>(member_->core().chain().state(), keys::kSettings).value_or(with_defaults({}));
  });
  settings.MergeFrom(request.settings());  // 0 is not merged: it stays
  v1::Transaction transaction;
  *transaction.mutable_settings_changed()->mutable_settings() = settings;
  return commit(std::move(transaction), request.caller());
}

v1::SwarmNode SwarmHost::node_view(const v1::MemberRecord& record, const LogStatus& log) const {
  v1::SwarmNode node;
  node.set_id(record.id());
  node.set_name(record.name());
  node.set_address(record.address());
  node.set_region(record.region());
  node.set_backup(record.backup());
  const auto in_log = std::ranges::find(log.members, record.id(), &LogMember::id);
  node.set_log_role(in_log == log.members.end() ? "follower"
                    : record.id() == log.leader ? "leader"
                                                : role_text(in_log->role));
  if (record.id() == member_->core().self()) {
    *node.mutable_report() = describe();
    node.mutable_report()->set_node(record.id());
    node.mutable_report()->set_height(member_->core().chain().height());
    member_->configs().describe(*node.mutable_report());
    node.set_state("up");
    return node;
  }
  const auto heard = member_->core().roster().heard(record.id());
  if (!heard) {
    node.set_heard_ms_ago(UINT64_MAX);  // never
    node.set_state("unreachable");
    return node;
  }
  node.set_heard_ms_ago(heard->ago_ms);
  *node.mutable_report() = heard->report;
  node.set_state(heard->ago_ms > Roster::kSilenceMs ? "unreachable"
                 : heard->report.height() == 0      ? "joining"
                                                    : "up");
  if (heard->skew) {
    node.set_skew_ms(heard->skew->offset_ms);
    node.set_rtt_us(heard->skew->round_trip_ms * 1000);
  }
  return node;
}

Outcome<v1::SwarmView> SwarmHost::swarm(const v1::GetSwarmRequest& request) {
  const Held held(membership_);
  v1::SwarmView view;
  if (!member_) {
    if (!trouble_.empty()) return std::unexpected(require_member().error());
    return view;
  }
  if (request.linearizable()) {
    std::promise<std::expected<void, std::string>> done;
    member_->reactor().post([&] {
      member_->core().fresh().read([&](std::expected<void, std::string> result) { done.set_value(result); });
    });
    if (const auto read = done.get_future().get(); !read)
      return std::unexpected(Refusal{Refusal::Kind::kUnavailable, read.error()});
  }
  member_->run([&] {
    MemberCore& core = member_->core();
    const StateView state = core.chain().state();
    const LogStatus log = core.log_status();
    const v1::NodeIdentity& identity = member_->identity().record;
    view.set_member(true);
    view.set_name(identity.swarm_name());
    view.set_swarm_id(identity.swarm_id());
    view.set_incarnation(identity.incarnation());
    view.set_self(core.self());
    view.set_phase(to_text(life_.phase()));
    const bool in_log = std::ranges::find(log.members, core.self(), &LogMember::id) != log.members.end();
    view.set_log_state(state_text(log, in_log));
    view.set_leader(log.leader);
    view.set_term(log.term);
    view.set_height(core.chain().height());
    if (const auto& tip = core.chain().tip()) view.set_block_time_ms(tip->time_ms);
    view.set_checkpoint_height(core.cosigner().height());
    if (const auto swarm = read<v1::SwarmRecord>(state, keys::kSwarm)) {
      view.set_version(swarm->version());
      view.set_fence_epoch(swarm->fence_epoch());
    }
    if (const auto settings = read<v1::SwarmSettings>(state, keys::kSettings))
      *view.mutable_settings() = *settings;
    for (const v1::MemberRecord& record : live_members(state)) *view.add_nodes() = node_view(record, log);
    if (!log.trouble.empty()) view.add_troubles(log.trouble);
    if (const std::string trouble = core.healer().trouble(); !trouble.empty()) view.add_troubles(trouble);
    for (const std::string& trouble : member_->link().troubles()) view.add_troubles(trouble);
    if (const auto path = root_key_left(IdentityFiles(config_().node().state_dir()), identity)) {
      view.add_troubles("the root key of the recovery was not handed over: it lies in " + *path +
                        "; take it off this node");
    }
    if (!member_->certificates().trouble().empty()) view.add_troubles(member_->certificates().trouble());
    if (!member_->retention().trouble().empty()) view.add_troubles(member_->retention().trouble());
    for (const std::string& trouble : member_->caches().troubles()) view.add_troubles(trouble);
    const v1::NodeReport own = describe();
    for (const std::string& trouble : own.troubles()) view.add_troubles(trouble);
    view.set_config_height(member_->configs().height());
    if (const auto agreed = read<v1::ConfigRecord>(state, keys::kConfig))
      view.set_config_agreed(agreed->height());
    if (!member_->configs().problem().empty()) {
      view.add_troubles("degraded, keeps its last good configuration: " + member_->configs().problem());
    }
    std::string waiting;
    for (const NodeId id : member_->certificates().not_renewed()) {
      const auto record = controlplane::member(state, id);
      waiting += (waiting.empty() ? "" : ", ") + (record ? record->name() : std::to_string(id));
    }
    const auto rotation = read<v1::CertificateRotation>(state, keys::kCertificates);
    if (rotation && rotation->roots_size() > 1) {
      view.add_troubles("the old root is trusted until every node has a certificate of the new one" +
                        (waiting.empty() ? "" : "; without: " + waiting));
    }
    view.set_certificate_expires_ms(static_cast<std::uint64_t>(member_->certificates().expires()) * 1000);
  });
  return view;
}

}  // namespace swarmdns::controlplane
