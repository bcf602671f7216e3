// A swarm of whole members: real engine, chain, sequencer, submitter, cosigner, roster, log keeper, ledger
// and segment stores (RocksDB), segments, sharing, fences and warm-up; over a simulated reactor, network, log
// disk, file system and data plane.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/consensus/engine.h"
#include "controlplane/ledger/store.h"
#include "controlplane/member/core.h"
#include "controlplane/member/shared_cache.h"
#include "controlplane/swarm/segment_db.h"
#include "tests/sim/core_checks.h"
#include "tests/sim/core_parts.h"
#include "tests/sim/planted_bugs.h"
#include "tests/sim/sim_cache.h"
#include "tests/sim/sim_files.h"
#include "tests/sim/sim_network.h"
#include "tests/sim/sim_raft_io.h"

namespace swarmdns::sim {

struct CoreWorldOptions {
  SimNetworkOptions network;
  controlplane::EngineOptions engine;  // but for id and address
  unsigned regions = 2;
  v1::SwarmSettings settings;
  Bug bug = Bug::kNone;
};

class CoreWorld {
 public:
  struct Node {
    NodeId id = 0;
    std::string region;
    controlplane::KeyPair keys;
    std::unique_ptr<SimReactor> reactor;
    SimDisk disk;
    SimFiles files;
    std::unique_ptr<SimDataplane> dataplane;
    bool leaving = false;                                // removed from the swarm, but still in the log
    bool removed = false;                                // for good
    std::uint64_t down_since = 0;                        // of the world's clock, us
    std::vector<controlplane::PeerAddress> first_peers;  // as they are kept for when the ledger is lost
    std::uint64_t first_peers_height = 0;
    // What follows is there while the node is up; in the order of making.
    std::unique_ptr<controlplane::PeerLink> link;
    std::unique_ptr<controlplane::LedgerStore> store;
    std::unique_ptr<controlplane::SegmentDb> segment_db;
    std::unique_ptr<controlplane::SegmentStore> segments;
    std::unique_ptr<SimChainStore> chain_store;
    std::unique_ptr<SimInstaller> installer;
    std::unique_ptr<controlplane::MemberCore> core;
    std::unique_ptr<SimConsumer> consumer;
    std::unique_ptr<SimLogStore> log_store;
    std::unique_ptr<controlplane::Engine> engine;
    std::unique_ptr<SimLog> log;
    std::unique_ptr<SimCachePort> port;
    std::unique_ptr<controlplane::SharedCache> caches;

    bool up() const { return caches != nullptr; }
  };

  CoreWorld(SimWorld& world, CoreWorldOptions options);
  ~CoreWorld();
  CoreWorld(const CoreWorld&) = delete;
  CoreWorld& operator=(const CoreWorld&) = delete;

  SimWorld& world() { return world_; }
  SimNetwork& network() { return network_; }
  CoreChecks& checks() { return checks_; }
  std::map<NodeId, std::unique_ptr<Node>>& nodes() { return nodes_; }
  Node& node(NodeId id) { return *nodes_.at(id); }
  std::vector<NodeId> ids() const;
  std::vector<NodeId> live() const;  // not removed
  bool up(NodeId id) const;
  const std::string& broken() const { return checks_.broken(); }

  void start(NodeId id);
  // `power`: what was not synced is lost; else the process alone died.
  void crash(NodeId id, bool power);
  // An octet of the ledger of one that is down is altered; of one member in a run, as what all have lost is
  // lost.
  void alter(NodeId id);
  // One that is up and leads; 0 = none.
  NodeId leader() const;

  // --- The swarm ---
  // Lets one more in: a token, then the member; it starts when the ledger has it. By whoever leads, again and
  // again until it is done. One at a time.
  void join();
  bool joining() const { return joining_.has_value(); }
  // One at a time: two that the log has not followed yet can cost the quorum.
  void remove(NodeId id);

  // --- Clients ---
  void submit(NodeId at, v1::Transaction transaction, controlplane::Submitter::Done done);
  void mark(NodeId at);     // a note with a text of its own
  void write(NodeId at);    // the register: the swarm's configuration
  void read(NodeId at);     // the same
  void resolve(NodeId at);  // a name
  void roll_back(NodeId at);

  // Runs, and lets RocksDB's threads end what they do after each event.
  void run_for(std::uint64_t us, const std::function<bool()>& done = {});
  // Everything heals; then all members must come to the same. False: they do not in `seconds`.
  bool settle(std::uint64_t seconds);
  std::uint64_t installs() const { return installs_; }
  std::uint64_t healed() const { return healed_; }

 private:
  friend class SimInstaller;
  Node& add(NodeId id, const std::string& region);
  void look_at_join();
  void look_at_caches();
  void look_at_leaving();
  void hand_over();
  bool deaf(const Node& node, NodeId leader) const;
  bool on_message(NodeId from, NodeId to, v1::PeerMessage& message);
  std::string unsettled() const;
  std::string address_of(NodeId id) const { return "node" + std::to_string(id) + ":8453"; }
  v1::Transaction genesis() const;

  struct Joining {
    controlplane::KeyPair keys;
    std::string region;
    std::string token;
    std::uint64_t asked_us = 0;
  };

  SimWorld& world_;
  const CoreWorldOptions options_;
  SimNetwork network_;
  CoreChecks checks_;
  std::string swarm_id_;
  std::map<NodeId, std::unique_ptr<Node>> nodes_;
  std::optional<Joining> joining_;
  std::uint64_t next_mark_ = 1;
  std::uint64_t installs_ = 0;
  bool altered_ = false;
  std::uint64_t healed_ = 0;  // ledgers that were found damaged, and replaced
  bool ended_ = false;
};

}  // namespace swarmdns::sim
