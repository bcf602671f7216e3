// What must hold of a swarm of whole members, whatever happens to it; and what is true of the swarm, gathered
// from all of them, to judge each of them by.
//
//   fork          one height, one block, with one state root, on all nodes and at all times
//   lost          what was acknowledged is in every ledger in the end, where it was said to be
//   twice         a bundle, and a transaction, is in one place of the ledger
//   checkpoint    what a voter cosigns, and what counts as cosigned, is the chain; each leads to the later
//   ones segment       a node's segment has one header, whoever sees it fence         nothing dead stays in a
//   cache whose node says that the fence is carried out; a fence removes
//                 nothing else
//   sharing       from peers of the region alone, without AD, no private names
//   quorum        no change of the log's members after which those that are up are no majority; one at a time
//   store         what a node opens again is at least what it had synced, and knows what was applied
//   stale read    reads of a register are linearizable
//   progress      when all is healed the members come to the same, with nothing left to do
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "controlplane/chain/chain.h"
#include "controlplane/consensus/replicated_log.h"
#include "controlplane/ledger/checkpoint.h"
#include "controlplane/ledger/store.h"
#include "controlplane/swarm/fences.h"
#include "tests/sim/register_history.h"
#include "tests/sim/sim_cache.h"
#include "tests/sim/sim_reactor.h"

namespace swarmdns::sim {

using controlplane::LogMember;
using controlplane::LogRole;

class CoreChecks {
 public:
  explicit CoreChecks(SimWorld& world) : world_(world) {}

  // The first that was broken; "" = none.
  const std::string& broken() const { return broken_; }
  const std::string& rule() const { return rule_; }
  void check(bool holds, const char* rule, const std::string& what);

  // --- Who there is ---
  void knows(NodeId node, const std::string& region, controlplane::VerifierKey key);
  // Of each data plane, the mutations that it has made.
  void set_reach(std::function<std::uint64_t(NodeId)> reach) { reach_ = std::move(reach); }

  // --- What happens ---
  void applied(NodeId node, const controlplane::AppliedBlock& block);
  // A node comes up on a store.
  void opened(NodeId node, const controlplane::Chain& chain);
  void synced(NodeId node, const controlplane::Chain& chain);
  // Its disk has altered what it had synced.
  void lost(NodeId node) {
    synced_[node] = 0;
    lost_.insert(node);
  }
  bool has_lost(NodeId node) const { return lost_.contains(node); }
  void checkpoint(NodeId node, std::uint64_t height, const std::string& note);
  void sent(NodeId from, const v1::PeerMessage& message);
  void members(NodeId node, std::uint64_t index, const std::vector<LogMember>& members);
  // A node is about to change the log's members to these; `up`: whether one is, or was a moment ago.
  void changes(NodeId node, const std::vector<LogMember>& after, const std::function<bool(NodeId)>& up);
  void taken(NodeId node, const v1::CacheEntry& entry);
  void purged(NodeId node, const v1::CacheEntry& entry);
  // A node says that it has carried out the fences up to `epoch`.
  void cache(NodeId node, std::uint64_t epoch, const SimDataplane& dataplane);

  // --- Clients ---
  void acknowledged(const std::string& mark, std::uint64_t leaf);
  // Number of the next event at the register.
  std::uint64_t stamp() { return ++stamp_; }
  RegisterHistory& history() { return history_; }

  // --- In the end ---
  void store(NodeId node, const controlplane::LedgerStore& store);
  void finish();

  // How far each node's chain had come at a height, as the ledger has it.
  std::vector<controlplane::ReachedThen> reached(std::uint64_t height) const;
  std::uint64_t height() const { return blocks_.empty() ? 0 : blocks_.rbegin()->first; }
  std::uint64_t fences() const { return fences_.size(); }
  std::uint64_t acknowledgements() const { return acknowledged_.size(); }

 private:
  struct Block {
    controlplane::BlockHeader header;
    controlplane::Hash hash{};
  };
  struct Fence {
    v1::Fence body;
    std::map<NodeId, std::uint64_t> reach;  // mutations made before it was in any ledger
  };
  void first_seen(const controlplane::AppliedBlock& block);
  void fence(const v1::Fence& body);
  static std::string tail(const controlplane::Hash& hash);

  SimWorld& world_;
  std::string broken_;
  std::string rule_;
  std::function<std::uint64_t(NodeId)> reach_;
  std::map<NodeId, std::string> regions_;
  std::map<NodeId, controlplane::VerifierKey> keys_;
  std::map<std::uint64_t, Block> blocks_;
  std::map<std::pair<NodeId, std::uint64_t>, std::uint64_t> bundles_;  // node, number: height
  std::map<std::string, std::uint64_t> marks_;                         // leaf
  std::map<std::string, std::uint64_t> acknowledged_;                  // leaf
  std::map<std::uint64_t, std::vector<NodeId>> voters_;                // from that height on
  std::map<NodeId, std::map<std::uint64_t, std::uint64_t>> heads_;     // height: last mutation
  std::map<NodeId, std::uint64_t> synced_;                             // height
  std::set<NodeId> lost_;
  std::map<std::uint64_t, std::string> notes_;                      // by height
  std::map<std::pair<NodeId, std::uint64_t>, std::string> signed_;  // node, height: text
  std::map<std::pair<NodeId, std::uint64_t>, controlplane::Hash> segments_;
  std::vector<Fence> fences_;  // epoch - 1
  std::map<std::uint64_t, std::vector<LogMember>> log_members_;
  RegisterHistory history_;
  std::uint64_t stamp_ = 0;
};

}  // namespace swarmdns::sim
