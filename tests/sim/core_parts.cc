#include "tests/sim/core_parts.h"

#include <algorithm>

#include "controlplane/member/damaged_ledger.h"
#include "controlplane/member/state_check.h"
#include "controlplane/state/keys.h"
#include "tests/sim/core_world.h"

namespace swarmdns::sim {

namespace {

constexpr NodeId kPlantedIn = 2;
constexpr const char* kCopy = "/copy";
constexpr const char* kIncoming = "/incoming";

std::string who(NodeId id) {
  return "node " + std::to_string(id);
}

}  // namespace

// --- SimChainStore ---

std::expected<void, std::string> SimChainStore::write(const controlplane::BlockWrite& block) {
  written_ = true;
  if (bug_ != Bug::kTilesLost || block.tiles.empty() || !world_.chance(20)) return store_.write(block);
  controlplane::BlockWrite less = block;
  less.tiles.erase(less.tiles.begin());
  return store_.write(less);
}

std::expected<void, std::string> SimChainStore::sync() {
  auto done = store_.sync();
  if (done && synced) synced();
  return done;
}

std::expected<std::optional<std::string>, std::string> SimChainStore::get(std::string_view key) const {
  if (bug_ == Bug::kBundlesForgotten && key.starts_with(controlplane::keys::kBundles)) return std::nullopt;
  return store_.get(key);
}

std::expected<void, std::string> SimChainStore::scan(
    std::string_view prefix,
    const std::function<bool(std::string_view key, std::string_view value)>& visit) const {
  if (bug_ != Bug::kOtherRegion || prefix != controlplane::keys::kMembers) return store_.scan(prefix, visit);
  return store_.scan(prefix, [&](std::string_view key, std::string_view value) {
    v1::MemberRecord record;
    record.ParseFromString(std::string(value));
    record.set_region("everywhere");
    return visit(key, record.SerializeAsString());
  });
}

// --- SimConsumer ---

std::expected<void, std::string> SimConsumer::apply(std::uint64_t index, std::span<const std::byte> entry) {
  world_.checks().check(
      index > applied_, "store",
      who(node_) + " is given entry " + std::to_string(index) + " after entry " + std::to_string(applied_));
  const bool planted =
      node_ == kPlantedIn && index > core_.chain().applied_index() && core_.chain().height() > 0;
  std::string text(reinterpret_cast<const char*>(entry.data()), entry.size());
  if (planted && bug_ == Bug::kEntrySkipped && world_.world().chance(10)) return {};
  if (planted && bug_ == Bug::kEntriesSwapped) {
    if (!held_ && world_.world().chance(20)) {
      held_ = std::move(text);
      return {};
    }
    if (held_) {
      const std::string held = *std::exchange(held_, std::nullopt);
      auto done = core_.apply(index, entry);
      if (done) done = core_.apply(index + 1, std::as_bytes(std::span(held)));
      return done;
    }
  }
  if (planted && bug_ == Bug::kEntryAltered && world_.world().chance(10)) {
    v1::Proposal proposal;
    proposal.ParseFromString(text);
    proposal.set_leader_wall_ms(proposal.leader_wall_ms() + 3'600'000);
    text = proposal.SerializeAsString();
  }
  auto done = core_.apply(index, std::as_bytes(std::span(text)));
  if (done) applied_ = index;
  return done;
}

std::expected<void, std::string> SimConsumer::restore(std::string_view manifest) {
  auto done = core_.restore(manifest);
  // Behind its log is only one whose disk has lost what was synced.
  world_.checks().check(done || world_.checks().has_lost(node_), "store",
                        who(node_) + ": " + (done ? "" : done.error()));
  return done;
}

void SimConsumer::leadership(bool leader, std::uint64_t term) {
  world_.world().note(who(node_) + (leader ? " leads in term " : " leads no more in term ") +
                      std::to_string(term));
  core_.leadership(leader, term);
}

void SimConsumer::members(std::uint64_t index, const std::vector<LogMember>& members) {
  world_.checks().members(node_, index, members);
  core_.members(index, members);
}

// --- SimLog ---

void SimLog::read(LogDone<std::uint64_t> done) {
  if (bug_ != Bug::kReadWithoutRound) return log_.read(std::move(done));
  world_.node(node_).reactor->post(
      [done = std::move(done), index = log_.status().applied_index] { done(index); });
}

void SimLog::look(const std::vector<LogMember>& after) {
  world_.checks().changes(node_, after, [this](NodeId id) { return world_.up(id); });
}

void SimLog::assign(NodeId id, LogRole role, LogDone<void> done) {
  std::vector<LogMember> after = log_.status().members;
  const auto member = std::ranges::find(after, id, &LogMember::id);
  if (member != after.end()) {
    member->role = role;
    look(after);
  }
  log_.assign(id, role, std::move(done));
}

void SimLog::remove(NodeId id, LogDone<void> done) {
  std::vector<LogMember> after = log_.status().members;
  std::erase_if(after, [id](const LogMember& member) { return member.id == id; });
  look(after);
  log_.remove(id, std::move(done));
}

// --- SimInstaller ---

void SimInstaller::install(NodeId from, const v1::Manifest& manifest, Done done) {
  SimWorld& world = world_.world();
  const std::uint64_t takes = world.between(5, world.chance(200) ? 5000 : 300);
  world.note(who(node_) + " installs the ledger of " + who(from) + " up to block " +
             std::to_string(manifest.height()));
  world_.node(node_).reactor->after(
      takes, [this, ticket = ++ticket_, from, manifest, done = std::move(done)] {
        if (ticket != ticket_) return;
        auto fetched = fetch(from, manifest);
        world_.world().note(who(node_) + (fetched ? " has it" : " has it not: " + fetched.error()));
        done(std::move(fetched));
      });
}

std::expected<void, std::string> SimInstaller::fetch(NodeId from, const v1::Manifest& manifest) {
  const auto source = world_.nodes().find(from);
  if (source == world_.nodes().end() || !source->second->up() || !world_.node(node_).link->connected(from))
    return std::unexpected(who(from) + " went away");
  CoreWorld::Node& own = world_.node(node_);
  if (!source->second->store->damage().empty()) return std::unexpected("its own ledger is damaged");
  SimFiles& theirs = source->second->files;
  if (bug_ != Bug::kCopyUnchecked || !theirs.FileExists(kCopy).ok()) {
    theirs.remove_folder(kCopy);
    if (auto copied = source->second->store->copy_to(kCopy); !copied) return copied;
  }
  theirs.quiesce();
  theirs.copy_folder(kCopy, own.files, kIncoming);
  if (bug_ != Bug::kCopyUnchecked) {
    controlplane::OwnView view;
    view.swarm = *controlplane::array_from<std::tuple_size_v<controlplane::SwarmId>>(world_.swarm_id_);
    view.incarnation = 1;
    view.height = own.core->chain().height();
    view.block = own.core->chain().tip_hash();
    const auto good = controlplane::check_copy(kIncoming, manifest, view, &own.files);
    own.files.quiesce();
    if (!good) return good;
  }
  const bool damaged = !own.store->damage().empty();
  auto adopted = controlplane::replace_ledger(*own.store, kIncoming, world_.world().now_us() / 1'000'000);
  own.files.quiesce();
  if (adopted) ++world_.installs_;
  if (adopted && damaged) ++world_.healed_;
  return adopted;
}

}  // namespace swarmdns::sim
