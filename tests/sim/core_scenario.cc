#include "tests/sim/core_scenario.h"

#include "controlplane/state/apply.h"
#include "tests/sim/core_world.h"

namespace swarmdns::sim {

namespace {

constexpr std::uint64_t kGrowUs = 20'000'000;
constexpr std::uint64_t kTroubleUs = 25'000'000;
constexpr std::uint64_t kSettleSeconds = 180;
constexpr std::size_t kMembersMost = 6;

// What happens to the members, drawn from the world's numbers.
class CoreFate {
 public:
  explicit CoreFate(CoreWorld& swarm) : swarm_(swarm), world_(swarm.world()) {}

  void work() {
    world_.in(world_.between(5'000, 120'000), [this] {
      if (stopped_ || !swarm_.broken().empty()) return;
      const std::uint64_t burst = world_.between(1, 4);
      for (std::uint64_t i = 0; i < burst; ++i) some_work(anyone());
      work();
    });
  }
  void blows() {
    world_.in(world_.between(50'000, 1'200'000), [this] {
      if (stopped_ || !swarm_.broken().empty()) return;
      blow();
      blows();
    });
  }
  void stop() { stopped_ = true; }

 private:
  NodeId anyone() {
    const std::vector<NodeId> ids = swarm_.live();
    return ids[world_.between(0, ids.size() - 1)];
  }

  void some_work(NodeId id) {
    switch (world_.between(0, 9)) {
      case 0:
      case 1:
      case 2:
        swarm_.mark(id);
        break;
      case 3:
        swarm_.write(id);
        break;
      case 4:
      case 5:
        swarm_.read(id);
        break;
      default:
        swarm_.resolve(id);
        break;
    }
  }

  void blow() {
    const NodeId leader = swarm_.leader();
    const NodeId id = world_.chance(400) && leader != 0 ? leader : anyone();
    CoreWorld::Node& node = swarm_.node(id);
    const std::string name = "node " + std::to_string(id);
    switch (world_.between(0, 23)) {
      case 0:
      case 1:
        swarm_.crash(id, true);
        break;
      case 2:
        swarm_.crash(id, false);
        break;
      case 3:
      case 4:
      case 5:
        for (const NodeId each : swarm_.live()) swarm_.start(each);
        break;
      case 6:
        world_.note(name + " is cut off");
        swarm_.network().cut_off(id, swarm_.ids());
        break;
      case 7: {
        const NodeId other = anyone();
        world_.note(name + " is not heard by node " + std::to_string(other));
        swarm_.network().cut(id, other);
        break;
      }
      case 8:
      case 9:
        world_.note("the network heals");
        swarm_.network().heal();
        break;
      case 10: {
        const bool full = !node.disk.full;
        node.disk.full = full;
        node.files.set_full(full);
        world_.note(name + (full ? " has a full disk" : " has room again"));
        if (!full && node.log_store) node.log_store->resume();
        break;
      }
      case 11:
        node.disk.max_delay_us = world_.chance(500) ? 300'000 : 2000;
        world_.note(name + "'s disk takes up to " + std::to_string(node.disk.max_delay_us) + " us");
        break;
      case 12:
        node.files.set_failing(!node.files.failing());
        world_.note(name + (node.files.failing() ? "'s files fail" : "'s files work"));
        break;
      case 13:
        swarm_.network().options().loss_permille =
            world_.chance(500) ? static_cast<unsigned>(world_.between(1, 150)) : 0;
        world_.note("loss " + std::to_string(swarm_.network().options().loss_permille));
        break;
      case 14: {
        const std::uint64_t most = world_.chance(500) ? 1'500 : 300'000;
        const auto skew =
            static_cast<std::int64_t>(world_.between(0, 2 * most)) - static_cast<std::int64_t>(most);
        node.reactor->set_skew_ms(skew);
        world_.note(name + "'s clock is " + std::to_string(skew) + " ms off");
        break;
      }
      case 15:
        world_.note(name + "'s data plane dies");
        node.dataplane->restart();
        break;
      case 16:
      case 17:
        swarm_.roll_back(id);
        break;
      case 18:
        if (leader != 0) {
          world_.note("node " + std::to_string(leader) + " is to hand over");
          swarm_.node(leader).engine->transfer(world_.chance(500) ? id : 0, {});
        }
        break;
      case 19:
        if (swarm_.live().size() < kMembersMost) swarm_.join();
        break;
      case 20:
      case 21:
        // One that is asleep, or sleeps now and wakes to it.
        swarm_.crash(id, world_.chance(500));
        swarm_.alter(id);
        break;
      case 22:
        if (swarm_.live().size() > 3 && !swarm_.joining()) swarm_.remove(id);
        break;
      default:
        change_member(id);
        break;
    }
  }

  void change_member(NodeId id) {
    const NodeId at = swarm_.leader();
    if (at == 0) return;
    v1::Transaction transaction;
    if (world_.chance(300)) {
      v1::SwarmSettings settings = swarm_settings(world_);
      *transaction.mutable_settings_changed()->mutable_settings() = settings;
    } else {
      transaction.mutable_member_changed()->set_id(id);
      transaction.mutable_member_changed()->set_backup(world_.chance(500));
    }
    swarm_.submit(at, transaction, [](const auto&) {});
  }

 public:
  static v1::SwarmSettings swarm_settings(SimWorld& world) {
    v1::SwarmSettings settings = controlplane::with_defaults({});
    settings.set_max_voters(world.chance(500) ? 3 : 5);
    settings.set_promote_after_ms(1000);
    settings.set_demote_after_ms(3000);
    return settings;
  }

 private:
  CoreWorld& swarm_;
  SimWorld& world_;
  bool stopped_ = false;
};

CoreWorldOptions draw_options(SimWorld& world, Bug bug) {
  CoreWorldOptions options;
  options.regions = static_cast<unsigned>(world.between(1, 2));
  if (bug == Bug::kOtherRegion) options.regions = 2;
  options.network.max_delay_us = world.chance(200) ? 40'000 : 3000;
  options.engine.snapshot_entries = world.between(10, 200);
  options.engine.trailing_entries = static_cast<unsigned>(world.between(1, 40));
  options.engine.retry_ms = 500;
  options.settings = CoreFate::swarm_settings(world);
  options.bug = bug;
  return options;
}

}  // namespace

CoreOutcome run_core_scenario(std::uint64_t seed, bool print_trace, Bug bug) {
  SimWorld world(seed, print_trace);
  CoreWorld swarm(world, draw_options(world, bug));
  CoreFate fate(swarm);
  // It grows to its first size undisturbed; then it is at work, then in trouble as well.
  const std::size_t members = world.between(3, 5);
  swarm.start(1);
  swarm.run_for(kGrowUs, [&] {
    if (swarm.leader() != 0 && swarm.nodes().size() < members && !swarm.joining()) swarm.join();
    return swarm.nodes().size() == members;
  });
  fate.work();
  swarm.run_for(3'000'000);
  fate.blows();
  swarm.run_for(kTroubleUs);
  fate.stop();
  swarm.settle(kSettleSeconds);
  CoreOutcome outcome;
  outcome.broken = swarm.broken();
  outcome.rule = swarm.checks().rule();
  outcome.trace_hash = world.trace_hash();
  outcome.blocks = swarm.checks().height();
  outcome.acknowledged = swarm.checks().acknowledgements();
  outcome.reads = swarm.checks().history().reads();
  outcome.fences = swarm.checks().fences();
  outcome.installs = swarm.installs();
  outcome.healed = swarm.healed();
  return outcome;
}

}  // namespace swarmdns::sim
