// This node's chain: the data plane's journal is cut into segments, which are kept, handed on to be shared,
// and whose head is ordered about once a second.
//
// Numbers of mutations rise by one over all segments. What is not there is a gap with a reason: what the
// journal lost, what a data plane that died took with it, what the flood guard held back, what had no room
// while the store could not be written.
//
// Reactor thread; hashing and writing are offloaded, one batch at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/core/reactor.h"
#include "controlplane/swarm/cache_port.h"
#include "controlplane/swarm/flood_guard.h"
#include "controlplane/swarm/segment_store.h"
#include "controlplane/swarm/share_rules.h"

namespace swarmdns::controlplane {

// A segment that is in the store. `to_share`: without bodies that tell of private names; mostly the same.
struct CutSegment {
  v1::SegmentHeader header;
  std::shared_ptr<const v1::SegmentBody> to_share;
};

class SegmentWriter {
 public:
  struct Options {
    NodeId node = 0;
    SecretKey key{};
    std::shared_ptr<const PrivateZones> private_zones;
    FloodGuard::Limits flood;
    std::uint64_t cut_ms = 250;
    std::uint64_t head_ms = 1000;
    std::size_t pending_bytes =
        16 << 20;  // of mutations that are not in the store yet; then the journal waits
  };
  struct Events {
    std::function<void(CutSegment)> cut;
    // Orders the head; `done`: it was, or it was not or nobody knows.
    std::function<void(v1::SegmentHead, std::function<void()> done)> propose;
    // The journal is another data plane's than before.
    std::function<void()> dataplane_started;
  };
  // All outlive it, and the store what was offloaded besides.
  SegmentWriter(Reactor& reactor, CachePort& cache, SegmentStore& store, Options options, Events events);

  // `ordered`: this node's newest head in the ledger's state (segment 0: none). A store that lost segments
  // behind it goes on from there.
  void start(const v1::SegmentHead& ordered);
  // A head of this node was applied.
  void ordered(const v1::SegmentHead& head);
  // Mutations from that number on are made under this fence.
  void carried_out(std::uint64_t epoch, std::uint64_t next_mutation);

  struct Stats {
    std::uint64_t segments = 0;
    std::uint64_t mutations = 0;  // in segments
    std::uint64_t lost = 0;       // in gaps, all kinds
    std::uint64_t held_back = 0;  // of those, by the flood guard
    std::uint64_t bytes = 0;      // of mutations in segments
    std::uint64_t head = 0;       // number of the newest segment
    std::uint64_t pending = 0;    // bytes
  };
  Stats stats() const;
  const std::string& trouble() const { return trouble_; }  // "" = none

 private:
  struct Draft {
    v1::SegmentHeader header;
    std::vector<v1::Mutation> mutations;
    std::size_t bytes = 0;
  };
  struct Built {
    std::vector<CutSegment> cut;
    std::uint64_t bytes = 0;
    SegmentStore::Head head;
    std::string problem;  // "" = all are in the store
  };
  struct Sums {
    std::uint64_t mutations = 0;
    std::uint64_t lost = 0;
  };

  void opened(SegmentStore::Head head, std::map<std::uint64_t, Sums> reached, const v1::SegmentHead& ordered,
              const std::string& problem);
  void take(v1::JournalBatch batch);
  void take_one(v1::Mutation mutation, std::uint64_t journal_id);
  void take_gap(std::uint64_t last, const char* reason, std::uint64_t journal_id, std::uint64_t at_ms);
  Draft& draft_for(std::uint64_t number, std::uint64_t journal_id, std::uint64_t at_ms);
  std::uint64_t epoch_at(std::uint64_t number);
  void cut();
  void write();
  void written(std::vector<Draft> drafts, Built built);
  void want_more();
  void offer_head();
  static Built build(std::vector<Draft>& drafts, SegmentStore::Head head, std::vector<SaltSeed> seeds,
                     const Options& options, SegmentStore& store);

  Reactor& reactor_;
  CachePort& cache_;
  SegmentStore& store_;
  const std::shared_ptr<const Options> options_;  // offloaded work may outlive the writer
  const Events events_;
  FloodGuard flood_;

  std::uint64_t next_ = 0;  // mutation that is expected; 0: whichever comes first
  std::uint64_t journal_id_ = 0;
  std::optional<Draft> open_;
  std::deque<Draft> drafts_;
  std::size_t pending_ = 0;
  bool more_wanted_ = false;
  bool writing_ = false;
  std::map<std::uint64_t, std::uint64_t> epochs_;  // by the mutation from which on they count

  SegmentStore::Head head_;
  v1::SegmentHead ordered_;
  // Up to the end of each segment behind ordered_, all from the same beginning: whichever of them is ordered,
  // also one that an earlier life of this node has offered, the next head goes on from there.
  std::map<std::uint64_t, Sums> reached_;
  Sums told_;  // up to the end of ordered_
  bool offering_ = false;

  Stats stats_;
  std::string trouble_;
  Timer cut_timer_;
  Timer head_timer_;
  Timer again_;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace swarmdns::controlplane
