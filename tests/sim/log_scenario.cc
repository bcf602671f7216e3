#include "tests/sim/log_scenario.h"

#include <algorithm>
#include <functional>
#include <vector>

#include "tests/sim/log_world.h"

namespace swarmdns::sim {

namespace {

constexpr std::uint64_t kTroubleUs = 60'000'000;
constexpr std::uint64_t kSettleSeconds = 300;

// What happens to the nodes, drawn from the world's numbers.
class Fate {
 public:
  Fate(LogWorld& logs, unsigned voters) : logs_(logs), world_(logs.world()), voters_(voters) {}

  void begin() {
    for (NodeId id = 1; id <= voters_; ++id) logs_.start(id);
    next_blow();
    next_work();
  }
  std::uint64_t elections() const { return elections_; }
  void stop() { stopped_ = true; }

 private:
  void next_work() {
    world_.in(world_.between(500, 20'000), [this] {
      if (stopped_ || !logs_.broken().empty()) return;
      const NodeId leader = logs_.leader();
      if (leader != last_leader_ && leader != 0) {
        ++elections_;
        last_leader_ = leader;
      }
      const std::uint64_t burst = world_.between(1, 6);
      for (std::uint64_t i = 0; i < burst; ++i)
        logs_.propose(leader != 0 && !world_.chance(50) ? leader : anyone());
      if (world_.chance(300)) logs_.read(anyone());
      // Whoever thinks that it leads, above all when another one does.
      for (const auto& [id, node] : logs_.nodes())
        if (node.up() && node.engine->is_leader() && world_.chance(500)) logs_.read(id);
      next_work();
    });
  }

  void next_blow() {
    world_.in(world_.between(20'000, 700'000), [this] {
      if (stopped_ || !logs_.broken().empty()) return;
      blow();
      next_blow();
    });
  }

  NodeId anyone() {
    const std::vector<NodeId> ids = logs_.ids();
    return ids[world_.between(0, ids.size() - 1)];
  }

  void blow() {
    const NodeId id = world_.chance(400) && logs_.leader() != 0 ? logs_.leader() : anyone();
    LogWorld::Node& node = logs_.node(id);
    const std::string name = "node " + std::to_string(id);
    switch (world_.between(0, 17)) {
      case 0:
      case 1:
        logs_.crash(id);
        break;
      case 2:
      case 3:
      case 4:
        if (!node.removed) logs_.start(id);
        break;
      case 5:
        world_.note(name + " is cut off");
        logs_.network().cut_off(id, logs_.ids());
        break;
      case 6: {
        const NodeId other = anyone();
        world_.note(name + " is not heard by node " + std::to_string(other));
        logs_.network().cut(id, other);
        break;
      }
      case 7:
      case 8:
        world_.note("the network heals");
        logs_.network().heal();
        break;
      case 9:
        node.disk.full = !node.disk.full;
        world_.note(name + (node.disk.full ? " has a full disk" : " has room again"));
        if (!node.disk.full && node.store) node.store->resume();
        break;
      case 10:
        node.disk.max_delay_us = world_.chance(500) ? 300'000 : 2000;
        node.disk.max_snapshot_delay_us = world_.chance(500) ? 3'000'000 : 20'000;
        world_.note(name + "'s disk takes up to " + std::to_string(node.disk.max_delay_us) + " us");
        break;
      case 11:
        node.disk.failing = !node.disk.failing && world_.chance(500);
        world_.note(name + (node.disk.failing ? "'s disk fails" : "'s disk works"));
        break;
      case 12:
        node.consumer->failing = !node.consumer->failing && world_.chance(700);
        world_.note(name + (node.consumer->failing ? "'s store fails" : "'s store works"));
        break;
      case 13:
        logs_.network().options().loss_permille =
            world_.chance(500) ? static_cast<unsigned>(world_.between(1, 200)) : 0;
        world_.note("loss " + std::to_string(logs_.network().options().loss_permille));
        break;
      case 14:
        node.reactor->set_skew_ms(static_cast<std::int64_t>(world_.between(0, 600'000)) - 300'000);
        break;
      default:
        change_members();
        break;
    }
  }

  void change_members() {
    const NodeId leader = logs_.leader();
    if (leader == 0) return;
    controlplane::Engine& engine = *logs_.node(leader).engine;
    const NodeId id = anyone();
    LogWorld::Node& node = logs_.node(id);
    const controlplane::LogStatus status = engine.status();
    const auto member = std::ranges::find(status.members, id, &LogMember::id);
    const auto done = [this](const char* what, NodeId who) {
      return [this, what, who](std::expected<void, LogFault> result) {
        world_.note(std::string(what) + " node " + std::to_string(who) + ": " +
                    (result ? "done" : controlplane::to_text(result.error())));
      };
    };
    if (member == status.members.end()) {
      if (node.removed) return;
      logs_.start(id);
      engine.add(id, "node" + std::to_string(id) + ":8453", done("add", id));
      return;
    }
    if (world_.chance(250)) {
      engine.transfer(world_.chance(500) ? id : 0, done("transfer to", id));
      if (world_.chance(300)) {
        // It does not hear of the election that it has ordered, and goes on leading for a while.
        world_.note("node " + std::to_string(leader) + " hears nobody");
        for (const NodeId other : logs_.ids())
          if (other != leader) logs_.network().cut(other, leader);
      }
      return;
    }
    std::size_t voters = 0;
    for (const LogMember& one : status.members) voters += one.role == LogRole::kVoter ? 1 : 0;
    if (world_.chance(100) && (member->role != LogRole::kVoter || voters > 2)) {
      // A number is never given twice: whoever was removed stays away.
      engine.remove(id, [note = done("remove", id), &node](std::expected<void, LogFault> result) {
        note(result);
        node.removed = node.removed || result.has_value();
      });
      return;
    }
    const auto role = static_cast<LogRole>(world_.between(0, 2));
    if (member->role == LogRole::kVoter && role != LogRole::kVoter && voters <= 1) return;
    engine.assign(id, role, done("assign", id));
  }

  LogWorld& logs_;
  SimWorld& world_;
  const unsigned voters_;
  NodeId last_leader_ = 0;
  std::uint64_t elections_ = 0;
  bool stopped_ = false;
};

LogWorldOptions draw_options(SimWorld& world) {
  LogWorldOptions options;
  options.voters = static_cast<unsigned>(world.between(1, 5));
  options.extras = static_cast<unsigned>(world.between(0, 3));
  options.network.max_delay_us = world.chance(200) ? 60'000 : 3000;
  options.engine.profile =
      world.chance(300) ? controlplane::LogProfile::kWan : controlplane::LogProfile::kLan;
  options.engine.snapshot_entries = world.between(20, 400);
  options.engine.trailing_entries = static_cast<unsigned>(world.between(1, 60));
  options.engine.retry_ms = 500;
  options.engine.max_backlog_bytes = world.chance(300) ? 2000 : 1'000'000;
  return options;
}

// In quiet, everybody applies an entry about when the leader does, not with a heartbeat after. The first one
// may wait for one: after a silence C-raft sends nothing else.
void check_promptness(LogWorld& logs, SimWorld& world) {
  constexpr std::uint64_t kFirstUs = 1'000'000;
  constexpr std::uint64_t kPromptUs =
      25'000;  // three ways over the network and two writes; heartbeats come each 30
  const NodeId leader = logs.leader();
  if (leader == 0 || logs.network().options().max_delay_us > 3000) return;
  const auto last = [&](NodeId id) { return logs.node(id).consumer->state().last(); };
  bool prompt = false;
  for (const std::uint64_t wait_us : {kFirstUs, kPromptUs}) {
    const std::uint64_t before = last(leader);
    logs.propose(leader);
    world.run_until(world.now_us() + wait_us, [&] {
      prompt = std::ranges::all_of(logs.node(leader).engine->status().members, [&](const LogMember& each) {
        return each.role == LogRole::kSpare || last(each.id) > before;
      });
      return prompt;
    });
  }
  logs.check(prompt, "an entry that was committed in quiet is applied everywhere at once");
}

}  // namespace

Outcome run_log_scenario(std::uint64_t seed, bool print_trace) {
  SimWorld world(seed, print_trace);
  LogWorldOptions options = draw_options(world);
  const unsigned voters = options.voters;
  LogWorld logs(world, std::move(options));
  Fate fate(logs, voters);
  fate.begin();
  world.run_until(world.now_us() + kTroubleUs, [&] { return !logs.broken().empty(); });
  fate.stop();
  if (logs.settle(kSettleSeconds)) check_promptness(logs, world);
  Outcome outcome;
  outcome.broken = logs.broken();
  outcome.trace_hash = world.trace_hash();
  outcome.acknowledged = logs.acknowledged();
  outcome.reads = logs.reads_answered();
  outcome.elections = fate.elections();
  for (const auto& [id, node] : logs.nodes())
    outcome.installs += static_cast<std::uint64_t>(node.consumer->installs);
  return outcome;
}

}  // namespace swarmdns::sim
