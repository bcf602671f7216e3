#include "tests/sim/log_world.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace swarmdns::sim {

namespace {

std::string address_of(NodeId id) {
  return "node" + std::to_string(id) + ":8453";
}

EntryHash hash_of(std::span<const std::byte> entry) {
  EntryHash hash = 14695981039346656037ULL;
  for (const std::byte octet : entry)
    hash = (hash ^ std::to_integer<std::uint64_t>(octet)) * 1099511628211ULL;
  return hash;
}

std::string who(NodeId id) {
  return "node " + std::to_string(id);
}

}  // namespace

// --- HashConsumer ---

std::expected<void, std::string> HashConsumer::apply(std::uint64_t index, std::span<const std::byte> entry) {
  if (failing) return std::unexpected("the simulated store fails");
  world_.check(!installing_, who(node_) + " was given an entry during an installation");
  const EntryHash hash = hash_of(entry);
  if (index <= state_.last()) {
    // Again, after a restart or an installation: it must be the same.
    const auto known =
        std::ranges::lower_bound(state_.entries, index, {}, [](const auto& item) { return item.first; });
    world_.check(known->first == index && known->second == hash,
                 who(node_) + " is given another entry " + std::to_string(index) + " than before");
    return {};
  }
  state_.entries.emplace_back(index, hash);
  world_.applied(node_, index, hash);
  return {};
}

std::expected<std::string, std::string> HashConsumer::manifest() {
  const std::string name = "up to " + std::to_string(state_.last());
  world_.depot()[name] = state_;
  synced_ = state_.last();
  return name;
}

void HashConsumer::install(NodeId from, std::string manifest,
                           std::function<void(std::expected<void, std::string>)> done) {
  world_.world().note(who(node_) + " installs '" + manifest + "' of " + who(from));
  installing_ = true;
  ++installs;
  auto& reactor = *world_.node(node_).reactor;
  const std::uint64_t takes = world_.world().between(5, world_.world().chance(200) ? 20'000 : 500);
  reactor.after(takes, [this, ticket = ++install_ticket_, from, manifest, done = std::move(done)] {
    if (ticket != install_ticket_) return;
    installing_ = false;
    const auto& source = world_.node(from);
    if (!source.up() || world_.world().chance(100)) {
      done(std::unexpected(who(from) + " went away"));
      return;
    }
    if (const State& state = world_.depot().at(manifest); state.last() > state_.last()) {
      state_ = state;
      synced_ = state_.last();
    }
    done({});
  });
}

std::expected<void, std::string> HashConsumer::restore(std::string_view manifest) {
  const State& named = world_.depot().at(std::string(manifest));
  world_.check(state_.last() >= named.last(), who(node_) + " is behind its manifest");
  return {};
}

void HashConsumer::leadership(bool leader, std::uint64_t term) {
  world_.world().note(who(node_) + (leader ? " leads in term " : " leads no more in term ") +
                      std::to_string(term));
  world_.check(leader != leading_, who(node_) + " is told twice");
  leading_ = leader;
}

void HashConsumer::members(std::uint64_t index, const std::vector<LogMember>& members) {
  std::string text = who(node_) + " has members of " + std::to_string(index) + ":";
  for (const LogMember& member : members)
    text += " " + std::to_string(member.id) + "vbs"[static_cast<std::size_t>(member.role)];
  world_.world().note(text);
  told_ = members;
}

void HashConsumer::crash() {
  ++install_ticket_;
  installing_ = false;
  leading_ = false;
  const std::uint64_t last = state_.last();
  const std::uint64_t kept = last > synced_ ? world_.world().between(synced_, last) : last;
  while (state_.last() > kept) state_.entries.pop_back();
}

// --- LogWorld ---

LogWorld::LogWorld(SimWorld& world, LogWorldOptions options)
    : world_(world), options_(std::move(options)), network_(world, options_.network) {
  std::vector<LogMember> members;
  for (NodeId id = 1; id <= options_.voters; ++id) members.push_back({id, address_of(id), LogRole::kVoter});
  for (NodeId id = 1; id <= options_.voters + options_.extras; ++id) {
    Node& node = nodes_[id];
    node.id = id;
    node.reactor = std::make_unique<SimReactor>(world_);
    node.consumer = std::make_unique<HashConsumer>(*this, id);
    if (id <= options_.voters) node.disk.bootstrap(members);
  }
}

LogWorld::~LogWorld() {
  for (auto& [id, node] : nodes_)
    if (node.up()) crash(id);
}

std::vector<NodeId> LogWorld::ids() const {
  std::vector<NodeId> ids;
  for (const auto& [id, node] : nodes_) ids.push_back(id);
  return ids;
}

void LogWorld::start(NodeId id) {
  Node& node = nodes_.at(id);
  if (node.up()) return;
  world_.note(who(id) + " starts");
  node.link = network_.connect(id);
  node.store = std::make_unique<SimLogStore>(world_, node.disk);
  controlplane::EngineOptions options = options_.engine;
  options.id = id;
  options.address = address_of(id);
  node.engine =
      std::make_unique<controlplane::Engine>(*node.reactor, *node.link, *node.store, *node.consumer, options);
  // As a loop's events: each message in a turn of its own.
  node.link->on_message([&node](NodeId from, Channel, v1::PeerMessage message) {
    if (node.engine) node.engine->receive(from, std::move(message));
  });
  node.engine->start();
}

void LogWorld::crash(NodeId id) {
  Node& node = nodes_.at(id);
  if (!node.up()) return;
  world_.note(who(id) + " crashes");
  node.link->on_message({});
  node.engine->stop([] {});
  node.reactor->drop_all();
  node.engine.reset();
  node.store.reset();
  node.link.reset();
  node.consumer->crash();
}

NodeId LogWorld::leader() const {
  for (const auto& [id, node] : nodes_)
    if (node.up() && node.consumer->leading() && node.engine->is_leader()) return id;
  return 0;
}

void LogWorld::propose(NodeId id) {
  Node& node = nodes_.at(id);
  if (!node.up()) return;
  std::string entry = std::to_string(id) + "/" + std::to_string(next_entry_++);
  entry.resize(entry.size() + world_.between(0, 200), '.');
  const EntryHash hash = hash_of(std::as_bytes(std::span(entry)));
  node.engine->propose(std::move(entry), [this, hash](std::expected<std::uint64_t, LogFault> done) {
    if (!done) return;
    acknowledged_[*done] = hash;
    highest_acknowledged_ = std::max(highest_acknowledged_, *done);
    const auto known = history_.find(*done);
    check(known != history_.end() && known->second == hash,
          "entry " + std::to_string(*done) + " is acknowledged and not the one that was applied");
  });
}

void LogWorld::read(NodeId id) {
  Node& node = nodes_.at(id);
  if (!node.up()) return;
  node.engine->read([this, id, before = highest_acknowledged_](std::expected<std::uint64_t, LogFault> done) {
    if (!done) return;
    ++reads_answered_;
    check(*done >= before && nodes_.at(id).consumer->state().last() >= before,
          "a stale read at " + who(id) + ": " + std::to_string(*done) + " after " + std::to_string(before) +
              " was acknowledged");
  });
}

bool LogWorld::settle(std::uint64_t seconds) {
  world_.note("everything heals");
  network_.heal();
  network_.options().loss_permille = 0;
  for (auto& [id, node] : nodes_) {
    node.disk.full = node.disk.failing = false;
    node.disk.max_delay_us = 2000;
    node.consumer->failing = false;
    if (!node.removed) start(id);
    if (node.store) node.store->resume();
  }
  const std::uint64_t end = world_.now_us() + seconds * 1'000'000;
  while (world_.now_us() < end && broken_.empty()) {
    world_.run_until(world_.now_us() + 1'000'000);
    if (settled()) break;
    if (const NodeId id = leader(); id != 0) {
      propose(id);
      for (const LogMember& member : nodes_.at(id).consumer->told())
        if (nodes_.at(member.id).removed) nodes_.at(id).engine->remove(member.id, {});
    }
  }
  if (!broken_.empty()) return false;
  if (!settled()) {
    for (const auto& [id, node] : nodes_) {
      if (!node.up()) continue;
      const controlplane::LogStatus status = node.engine->status();
      world_.note(who(id) + ": state " + std::to_string(static_cast<int>(status.state)) + " term " +
                  std::to_string(status.term) + " leader " + std::to_string(status.leader) + " last " +
                  std::to_string(status.last_index) + " commit " + std::to_string(status.commit_index) +
                  " applied " + std::to_string(status.applied_index) + " snapshot " +
                  std::to_string(status.snapshot_index) + " store " +
                  std::to_string(node.consumer->state().last()) + " trouble '" + status.trouble +
                  "' refused " + std::to_string(node.engine->refused_messages()) + " '" +
                  node.engine->last_refusal() + "'");
    }
    check(false, "the members do not come to the same");
  }
  for (const auto& [index, hash] : acknowledged_) {
    const auto known = history_.find(index);
    check(known != history_.end() && known->second == hash, "entry " + std::to_string(index) + " is lost");
  }
  return broken_.empty();
}

bool LogWorld::settled() {
  const NodeId id = leader();
  if (id == 0) return false;
  const Node& first = nodes_.at(id);
  if (first.consumer->state().last() < highest_acknowledged_) return false;
  for (const LogMember& member : first.consumer->told()) {
    if (member.role == LogRole::kSpare) continue;
    const Node& node = nodes_.at(member.id);
    if (!node.up() || node.consumer->state().entries != first.consumer->state().entries) return false;
    if (!node.engine->status().trouble.empty()) return false;
  }
  // Everything that was acknowledged is in what all have.
  for (const auto& [index, hash] : acknowledged_) {
    const auto& entries = first.consumer->state().entries;
    const auto found =
        std::ranges::lower_bound(entries, index, {}, [](const auto& item) { return item.first; });
    check(found != entries.end() && found->first == index && found->second == hash,
          "entry " + std::to_string(index) + " was acknowledged and is not in the log");
  }
  return true;
}

void LogWorld::check(bool holds, const std::string& what) {
  if (holds || !broken_.empty()) return;
  broken_ = what;
  world_.note("BROKEN: " + what);
}

void LogWorld::applied(NodeId node, std::uint64_t index, EntryHash hash) {
  world_.note(who(node) + " applies " + std::to_string(index) + " " + std::to_string(hash % 100'000));
  const auto [known, inserted] = history_.emplace(index, hash);
  check(inserted || known->second == hash,
        "a fork: " + who(node) + " applies another entry " + std::to_string(index));
}

}  // namespace swarmdns::sim
