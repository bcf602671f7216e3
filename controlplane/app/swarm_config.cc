// The configuration that all nodes agree on: asked for, ordered, followed; its history; going back.
#include <algorithm>
#include <chrono>
#include <future>
#include <thread>

#include "controlplane/app/swarm_host.h"
#include "controlplane/config/swarm_document.h"
#include "controlplane/membership/directory.h"
#include "controlplane/state/keys.h"

namespace swarmdns::controlplane {
namespace {

constexpr std::size_t kVersionsMost = 1000;
constexpr auto kOutcomePatience = std::chrono::seconds(20);
constexpr auto kOutcomeLook = std::chrono::milliseconds(50);

std::unexpected<Refusal> refused(Refusal::Kind kind, std::string why) {
  return std::unexpected(Refusal{kind, std::move(why)});
}

const char* verdict_text(ConfigVerdict::Kind kind) {
  switch (kind) {
    case ConfigVerdict::Kind::kAccepts:
      return "accepts";
    case ConfigVerdict::Kind::kRefuses:
      return "refuses";
    case ConfigVerdict::Kind::kSilent:
      break;
  }
  return "silent";
}

v1::SwarmConfigVersion version_of(const v1::ConfigRecord& record) {
  v1::SwarmConfigVersion version;
  version.set_height(record.height());
  version.set_time_ms(record.time_ms());
  version.set_principal(record.principal());
  version.set_reason(record.reason());
  version.set_document(record.document());
  version.set_restores_height(record.restores_height());
  return version;
}

// Parts that are for nobody who is there.
std::string unmet_parts(const SwarmDocument& document, const std::vector<v1::MemberRecord>& members) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  for (const auto& [region, layer] : document.regions) {
    if (std::ranges::find(members, region, &v1::MemberRecord::region) == members.end())
      add("regions." + region);
  }
  for (const auto& [name, layer] : document.nodes) {
    if (std::ranges::find(members, name, &v1::MemberRecord::name) == members.end()) add("nodes." + name);
  }
  return text.empty() ? "" : "no member is meant by " + text + "; it waits for one of that name";
}

}  // namespace

// The ConfigChanged of a block; nothing: it has none that can be read any more.
std::optional<HeldConfig> SwarmHost::config_in_block(std::uint64_t height) const {
  const LedgerStore& store = member_->store();
  const auto header = store.header(height);
  if (!header) return std::nullopt;
  for (std::uint64_t leaf = header->first_leaf; leaf < header->first_leaf + header->leaf_count; ++leaf) {
    const auto body = store.leaf(leaf);
    v1::Transaction transaction;
    if (!body || !*body || !transaction.ParseFromString((*body)->transaction()) ||
        !transaction.has_config_changed())
      continue;
    HeldConfig held;
    held.follows = transaction.config_changed().follows();
    held.version.set_height(height);
    held.version.set_time_ms(header->time_ms);
    held.version.set_principal(transaction.principal());
    held.version.set_reason(transaction.reason());
    held.version.set_document(transaction.config_changed().document());
    held.version.set_restores_height(transaction.config_changed().restores_height());
    return held;
  }
  return std::nullopt;
}

// Newest first, as far as the blocks are kept.
SwarmHost::ConfigHistory SwarmHost::config_history(std::size_t limit) {
  ConfigHistory history;
  std::uint64_t next = 0;
  member_->run([&] {
    const auto newest = read<v1::ConfigRecord>(member_->core().chain().state(), keys::kConfig);
    if (!newest) return;
    history.newest = newest->height();
    history.versions.push_back(version_of(*newest));
    next = newest->follows();
  });
  // A block each turn: the reactor has others to serve.
  // The one before stands below, or it is of an earlier incarnation.
  while (next != 0 && next < history.versions.back().height() && history.versions.size() < limit) {
    std::optional<HeldConfig> held;
    member_->run([&] { held = config_in_block(next); });
    if (!held) break;  // pruned, or erased
    next = held->follows;
    history.versions.push_back(std::move(held->version));
  }
  history.complete = next == 0;
  return history;
}

std::vector<ConfigVerdict> SwarmHost::ask_about(const std::string& document, const std::string& file) {
  std::promise<std::vector<ConfigVerdict>> answered;
  member_->reactor().post([&] {
    member_->configs().check(document, file, [&](std::vector<ConfigVerdict> verdicts) {
      answered.set_value(std::move(verdicts));
    });
  });
  return answered.get_future().get();
}

// Asks all; where that is wished and a majority accepts, has it ordered and follows what becomes of it.
Outcome<v1::ApplySwarmConfigResponse> SwarmHost::agree_on(v1::ConfigChanged change, const std::string& file,
                                                          bool only_ask, const v1::Caller& caller) {
  v1::ApplySwarmConfigResponse response;
  const std::vector<ConfigVerdict> verdicts = ask_about(change.document(), file);
  std::vector<NodeId> voters;
  std::vector<v1::MemberRecord> members;
  member_->run([&] {
    const StateView state = member_->core().chain().state();
    members = live_members(state);
    if (const auto log = read<v1::LogMembers>(state, keys::kLogMembers))
      voters.assign(log->voters().begin(), log->voters().end());
  });
  for (const ConfigVerdict& verdict : verdicts) {
    v1::NodeVerdict& node = *response.add_nodes();
    const auto record = std::ranges::find(members, verdict.node, &v1::MemberRecord::id);
    node.set_node(record == members.end() ? std::to_string(verdict.node) : record->name());
    node.set_verdict(verdict_text(verdict.kind));
    for (const std::string& problem : verdict.problems) node.add_problems(problem);
  }
  if (const std::string missing = missing_majority(verdicts, voters); !missing.empty()) {
    response.add_problems(missing);
    return response;
  }
  response.set_accepted(true);
  if (only_ask) return response;

  v1::Transaction transaction;
  *transaction.mutable_config_changed() = std::move(change);
  const auto committed = commit(std::move(transaction), caller);
  if (!committed) return std::unexpected(committed.error());
  *response.mutable_committed() = *committed;
  follow_config(response);
  return response;
}

// Each node's word in the ledger, until all have spoken or patience is over. Who is silent does it when it is
// back.
void SwarmHost::follow_config(v1::ApplySwarmConfigResponse& response) {
  const std::uint64_t height = response.committed().height();
  const auto deadline = std::chrono::steady_clock::now() + kOutcomePatience;
  for (;;) {
    response.clear_nodes();
    bool complete = true;
    member_->run([&] {
      const StateView state = member_->core().chain().state();
      const auto newest = read<v1::ConfigRecord>(state, keys::kConfig);
      const bool replaced = !newest || newest->height() != height;
      for (const v1::MemberRecord& record : live_members(state)) {
        v1::NodeVerdict& node = *response.add_nodes();
        node.set_node(record.name());
        const auto outcome = read<v1::ConfigOutcome>(state, keys::of(keys::kOutcomes, record.id()));
        if (!outcome || outcome->height() != height) {
          node.set_verdict("silent");
          const auto heard = member_->core().roster().heard(record.id());
          const bool there =
              record.id() == member_->core().self() || (heard && heard->ago_ms <= Roster::kSilenceMs);
          complete = complete && (replaced || !there);
          continue;
        }
        node.set_verdict(outcome->degraded() ? "degraded" : "in force");
        if (outcome->degraded()) node.add_problems(outcome->problem());
      }
    });
    if (complete || std::chrono::steady_clock::now() >= deadline) return;
    std::this_thread::sleep_for(kOutcomeLook);
  }
}

Outcome<v1::ApplySwarmConfigResponse> SwarmHost::apply_swarm_config(
    const v1::ApplySwarmConfigRequest& request) {
  const Held held(membership_);
  if (auto is = require_member(); !is) return std::unexpected(is.error());
  const auto document = parse_swarm_document(request.document(), request.file());
  if (!document) {
    v1::ApplySwarmConfigResponse response;
    for (const ConfigProblem& problem : document.error()) response.add_problems(to_string(problem));
    return response;
  }
  v1::ConfigChanged change;
  change.set_document(request.document());
  std::string unmet;
  member_->run([&] {
    const StateView state = member_->core().chain().state();
    if (const auto newest = read<v1::ConfigRecord>(state, keys::kConfig))
      change.set_follows(newest->height());
    unmet = unmet_parts(*document, live_members(state));
  });
  auto response = agree_on(std::move(change), request.file(), request.check_only(), request.caller());
  if (response && !unmet.empty()) response->mutable_committed()->set_note(unmet);
  return response;
}

Outcome<v1::ListSwarmConfigsResponse> SwarmHost::swarm_configs(const v1::ListSwarmConfigsRequest& request) {
  const Held held(membership_);
  if (auto is = require_member(); !is) return std::unexpected(is.error());
  v1::ListSwarmConfigsResponse response;
  const std::size_t limit = request.limit() == 0 ? kVersionsMost : request.limit();
  for (v1::SwarmConfigVersion& version : config_history(std::min(limit, kVersionsMost)).versions)
    *response.add_versions() = std::move(version);
  return response;
}

Outcome<v1::ApplySwarmConfigResponse> SwarmHost::rollback_swarm_config(
    const v1::RollbackSwarmConfigRequest& request) {
  const Held held(membership_);
  if (auto is = require_member(); !is) return std::unexpected(is.error());
  std::uint64_t target = request.to_height();
  std::uint64_t newest = 0;
  std::string problem;
  member_->run([&] {
    newest = member_->core().chain().height();
    if (target != 0) return;
    const auto at = member_->store().height_at(request.to_ms());
    if (!at) {
      problem = at.error();
    } else if (*at) {
      target = **at;
    }
  });
  if (!problem.empty()) return refused(Refusal::Kind::kFailed, problem);
  if (target == 0) return refused(Refusal::Kind::kNotFound, "--to: no block is as old as that");
  if (target > newest) {
    return refused(Refusal::Kind::kInvalid, "--to: block " + std::to_string(target) +
                                                " is not there yet; the newest is " + std::to_string(newest));
  }
  const ConfigHistory history = config_history(SIZE_MAX);
  if (history.newest <= target) {
    return refused(Refusal::Kind::kInvalid,
                   "--to: nothing to go back from: the configuration has not changed since block " +
                       std::to_string(target));
  }
  const auto then =
      std::ranges::find_if(history.versions, [&](const auto& version) { return version.height() <= target; });
  if (then == history.versions.end() && !history.complete) {
    return refused(Refusal::Kind::kNotFound,
                   "--to: the configuration of block " + std::to_string(target) +
                       " is not kept any more; swarmctl config history lists those that are");
  }
  v1::ConfigChanged change;
  change.set_follows(history.newest);
  // Before the first there was none: every node goes back to its own file.
  change.set_restores_height(then == history.versions.end() ? target : then->height());
  if (then != history.versions.end()) change.set_document(then->document());
  return agree_on(std::move(change), "the configuration of block " + std::to_string(change.restores_height()),
                  request.dry_run(), request.caller());
}

}  // namespace swarmdns::controlplane
