// Nodes that do nothing but agree on a log, and what must hold whatever happens to them. The whole control
// plane is simulated on top of the same world, network and disks.
//
// Invariants, looked at after every event they concern:
//   no fork          one number, one entry, on all nodes and at all times
//   nothing lost     what was acknowledged is in every log in the end, under the number it was acknowledged
//   with order            a node applies rising numbers, each once per life of its state reads            a
//   read sees every entry that was acknowledged before it began
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "controlplane/consensus/engine.h"
#include "tests/sim/sim_network.h"
#include "tests/sim/sim_raft_io.h"
#include "tests/sim/sim_reactor.h"

namespace swarmdns::sim {

using controlplane::LogFault;
using controlplane::LogMember;
using controlplane::LogRole;

// An entry: who made it, and a number of the maker's.
using EntryHash = std::uint64_t;

class LogWorld;

// A store that takes entries and remembers their hashes. It syncs when it gives a manifest; a crash takes it
// back to somewhere between that and now.
class HashConsumer final : public controlplane::LogConsumer {
 public:
  struct State {
    std::vector<std::pair<std::uint64_t, EntryHash>> entries;  // by rising number
    std::uint64_t last() const { return entries.empty() ? 0 : entries.back().first; }
  };

  HashConsumer(LogWorld& world, NodeId node) : world_(world), node_(node) {}

  std::expected<void, std::string> apply(std::uint64_t index, std::span<const std::byte> entry) override;
  std::expected<std::string, std::string> manifest() override;
  void manifest_kept(bool) override {}
  void install(NodeId from, std::string manifest,
               std::function<void(std::expected<void, std::string>)> done) override;
  void cancel_install() override {
    ++install_ticket_;
    installing_ = false;
  }
  std::expected<void, std::string> restore(std::string_view manifest) override;
  void leadership(bool leader, std::uint64_t term) override;
  void members(std::uint64_t index, const std::vector<LogMember>& members) override;

  // Back to something that may have been durable.
  void crash();

  const State& state() const { return state_; }
  bool leading() const { return leading_; }
  bool installing() const { return installing_; }
  const std::vector<LogMember>& told() const { return told_; }
  bool failing = false;
  int installs = 0;

 private:
  LogWorld& world_;
  const NodeId node_;
  State state_;
  std::uint64_t synced_ = 0;  // number
  std::uint64_t install_ticket_ = 0;
  bool leading_ = false;
  bool installing_ = false;
  std::vector<LogMember> told_;
};

struct LogWorldOptions {
  unsigned voters = 3;
  unsigned extras = 2;  // start as no members, and may become some
  SimNetworkOptions network;
  controlplane::EngineOptions engine;  // but for id and address
};

class LogWorld {
 public:
  struct Node {
    NodeId id = 0;
    std::unique_ptr<SimReactor> reactor;
    SimDisk disk;
    std::unique_ptr<HashConsumer> consumer;
    std::unique_ptr<controlplane::PeerLink> link;  // what follows is there while the node is up
    std::unique_ptr<SimLogStore> store;
    std::unique_ptr<controlplane::Engine> engine;
    bool removed = false;  // from the members, for good

    bool up() const { return engine != nullptr; }
  };

  LogWorld(SimWorld& world, LogWorldOptions options);
  ~LogWorld();

  SimWorld& world() { return world_; }
  SimNetwork& network() { return network_; }
  std::map<NodeId, Node>& nodes() { return nodes_; }
  Node& node(NodeId id) { return nodes_.at(id); }
  std::vector<NodeId> ids() const;

  void start(NodeId id);
  // At this moment; what was not on the disk is lost.
  void crash(NodeId id);
  // One that is up and leads and was told so; 0 = none.
  NodeId leader() const;

  // An entry of its own to that node; acknowledgements are remembered.
  void propose(NodeId id);
  // A read there, checked when it is answered.
  void read(NodeId id);

  // Everything heals; then all members must come to the same. False: they do not in `seconds`.
  bool settle(std::uint64_t seconds);

  // --- Invariants ---
  // The first that was broken; "" = none.
  const std::string& broken() const { return broken_; }
  void check(bool holds, const std::string& what);
  void applied(NodeId node, std::uint64_t index, EntryHash hash);

  std::uint64_t acknowledged() const { return acknowledged_.size(); }
  std::uint64_t reads_answered() const { return reads_answered_; }
  // States by manifest, as if every node kept what it has given a manifest for.
  std::map<std::string, HashConsumer::State>& depot() { return depot_; }

 private:
  bool settled();

  SimWorld& world_;
  LogWorldOptions options_;
  SimNetwork network_;
  std::map<NodeId, Node> nodes_;
  std::map<std::string, HashConsumer::State> depot_;
  std::map<std::uint64_t, EntryHash> history_;  // by number: what was ever applied anywhere
  std::map<std::uint64_t, EntryHash> acknowledged_;
  std::uint64_t highest_acknowledged_ = 0;
  std::uint64_t next_entry_ = 1;
  std::uint64_t reads_answered_ = 0;
  std::string broken_;
};

}  // namespace swarmdns::sim
