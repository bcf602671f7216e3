// Fences: what they declare dead, and carrying them out on this node (DESIGN.md, "Rollback never rewrites").
//
// A fence names, of each node, ranges of mutations. One that is open (last = 0) reaches from a number to
// wherever that node was when it carried the fence out itself: its receipt says so, and its segments, by
// their fence epoch. Until that is known all of the node's mutations behind the range's beginning are dead.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "controlplane/core/peer_link.h"
#include "controlplane/core/reactor.h"
#include "controlplane/swarm/cache_port.h"
#include "swarmdns/v1/ledger.pb.h"

namespace swarmdns::controlplane {

// How far a node's chain had come at the height that a fence goes back to.
struct ReachedThen {
  NodeId node = 0;
  std::uint64_t last_mutation = 0;  // of its newest ordered head at that height; 0: it had none
};
// What such a fence declares dead: of each node everything behind, and the ranges asked for besides. Sorted
// by node and number, without overlaps. Pure.
std::vector<v1::MutationRange> dead_ranges(std::span<const ReachedThen> reached,
                                           std::span<const v1::MutationRange> besides);

// Which mutations the fences leave alive. No I/O; its owner's thread.
class FenceFilter {
 public:
  // Epochs in any order, each once.
  void add(const v1::Fence& fence);
  void remove(std::uint64_t epoch);
  // `node` had carried out fence `epoch`, and those before, when it made mutation `first`.
  void alive_from(NodeId node, std::uint64_t epoch, std::uint64_t first);

  bool alive(NodeId node, std::uint64_t mutation) const;
  bool empty() const { return ranges_.empty(); }
  // Of one fence, as far as its ends are known by now; UINT64_MAX where one is not.
  std::vector<DeadRange> dead(std::uint64_t epoch) const;

 private:
  struct Range {
    std::uint64_t epoch = 0;
    std::uint64_t first = 0;
    std::uint64_t last = 0;  // UINT64_MAX: not known yet; first - 1: nothing
    bool open = false;
  };
  void close(NodeId node, Range& range) const;

  std::map<NodeId, std::vector<Range>> ranges_;
  // By node and epoch: the least `first` of alive_from(). What is alive under a fence is so under those
  // before, too.
  std::map<NodeId, std::map<std::uint64_t, std::uint64_t>> alive_from_;
};

// Reactor thread.
class Fences {
 public:
  struct Events {
    // Orders the receipt; `done(false)`: it was not, or nobody knows.
    std::function<void(v1::FenceDone, std::function<void(bool)> done)> propose;
    // This node's mutations from `next` on are made under the fence: to the segment writer.
    std::function<void(std::uint64_t epoch, std::uint64_t next_mutation)> carried_out;
    // A fence that readmits has been carried out: what was current comes back. `done`: how many entries. May
    // be empty.
    std::function<void(const v1::Fence& fence, std::function<void(std::uint64_t)> done)> readmit;
    // may_insert() has become true.
    std::function<void()> clear;
  };
  // `life_ms`: what the longest TTL and the longest staleness allow; fences older than that have nothing left
  // to purge.
  Fences(Reactor& reactor, CachePort& cache, NodeId self, std::uint64_t life_ms, Events events);

  // A fence of the ledger, in the order of epochs; also at the start, all that the state has. `receipt`: this
  // node's own, if it is ordered already.
  void committed(const v1::Fence& fence, std::uint64_t block_time_ms, const v1::FenceDone* receipt);
  // Another node's ordered receipt.
  void receipt(NodeId node, const v1::FenceDone& receipt);
  // The signed header of a segment: its maker had carried out `epoch` when it made `first_mutation`.
  void seen(NodeId node, std::uint64_t epoch, std::uint64_t first_mutation);
  // A report of a peer: it has carried out fences that this node may not have heard of yet.
  void elsewhere(NodeId node, std::uint64_t epoch);

  // The data plane is a new one, or entries were loaded into it past this class: all fences again.
  void dataplane_started();

  // Every fence that anybody is known to have carried out has been carried out here. Until then nothing that
  // is shared may go into the cache.
  bool may_insert() const;
  const FenceFilter& filter() const { return filter_; }
  std::uint64_t epoch() const { return carried_out_; }  // the newest that was carried out here
  std::vector<std::string> troubles() const;

 private:
  struct Known {
    v1::Fence fence;
    std::uint64_t time_ms = 0;
    bool ordered = false;  // its receipt
  };
  void forget_old();
  void advance();
  void carry_out(std::vector<DeadRange> ranges, std::uint64_t epoch);
  void retry(const std::string& why);
  void done(std::uint64_t epoch, const CachePort::Fenced& fenced, std::uint64_t next_mutation);
  void finish(v1::FenceDone receipt);
  void send_receipt();

  Reactor& reactor_;
  CachePort& cache_;
  const NodeId self_;
  const std::uint64_t life_ms_;
  const Events events_;
  std::map<std::uint64_t, Known> fences_;  // by epoch
  FenceFilter filter_;
  std::uint64_t committed_ = 0;    // newest epoch
  std::uint64_t carried_out_ = 0;  // by this data plane
  std::uint64_t elsewhere_ = 0;
  NodeId elsewhere_node_ = 0;
  bool replay_ = true;  // a data plane that has not been told of the fences of the past
  bool busy_ = false;
  bool was_clear_ = false;
  std::uint64_t generation_ = 0;  // of the data plane
  std::string problem_;
  std::deque<v1::FenceDone> receipts_;
  bool proposing_ = false;
  Timer again_;
  Timer propose_again_;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace swarmdns::controlplane
