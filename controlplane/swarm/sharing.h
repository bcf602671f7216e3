// One warm cache: each segment goes to the peers of the scope as soon as it is cut, and what peers' segments
// hold goes into this node's cache.
//
// Everything is bounded. Sending has a byte budget; a segment that does not fit is left out for that peer,
// which sees the hole in the chain and asks for it later, at low priority and for its history only. Receiving
// has a queue of bodies and one of entries for each peer, with one job and one insert under way; what has no
// room is dropped and counted.
//
// Reactor thread; checking and storing are offloaded.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/core/peer_link.h"
#include "controlplane/core/reactor.h"
#include "controlplane/swarm/cache_port.h"
#include "controlplane/swarm/fences.h"
#include "controlplane/swarm/segment_store.h"
#include "controlplane/swarm/segment_writer.h"
#include "controlplane/swarm/share_peers.h"
#include "controlplane/swarm/share_rules.h"

namespace swarmdns::controlplane {

class Sharing {
 public:
  struct Options {
    NodeId node = 0;
    std::shared_ptr<const PrivateZones> private_zones;
    std::uint64_t bytes_per_second = 128 << 20;  // sent, to all peers together; 4 MiB may come at once
    std::size_t queued_bytes = 32 << 20;    // waiting to be sent to one peer; beyond, segments are left out
    std::size_t incoming_bytes = 32 << 20;  // bodies of one peer that wait to be checked
    std::size_t waiting_entries = 32'768;   // of one peer that wait to be inserted
    std::size_t insert_entries = 1024;      // at once
    std::uint64_t mend_ms = 1000;           // between two requests to one peer for what is missing
    std::uint32_t mend_bytes = 256 << 10;   // of an answer
  };
  // All outlive it, and the store what was offloaded besides.
  Sharing(Reactor& reactor, PeerLink& link, CachePort& cache, SegmentStore& store, SharePeers& peers,
          Fences& fences, Options options);

  void start();
  // Events of the segment writer and of the fences.
  void cut(const CutSegment& segment);
  void fences_clear();

  // A report of a peer: clocks, how far its chain and its fences are.
  void report(NodeId from, const v1::NodeReport& report);
  // segment, segments_request, segments_response.
  void receive(NodeId from, v1::PeerMessage message);

  struct Stats {
    std::uint64_t sent_segments = 0;
    std::uint64_t sent_bytes = 0;
    std::uint64_t left_out_budget = 0;  // segments that one peer did not get
    std::uint64_t left_out_queue = 0;
    std::uint64_t left_out_skewed = 0;
    std::uint64_t received_segments = 0;  // good and new
    std::uint64_t received_again = 0;
    std::uint64_t received_bad = 0;       // not its sender's, not signed, another root, a fork
    std::uint64_t received_overflow = 0;  // no room in the queue, or not to be stored
    std::uint64_t mended_segments = 0;    // of those received, on request
    std::uint64_t served_segments = 0;    // to requests of others
    std::uint64_t entries_accepted = 0;
    std::uint64_t entries_kept_own = 0;
    std::uint64_t entries_refused = 0;  // by the data plane
    std::uint64_t entries_fenced = 0;   // dead
    std::uint64_t entries_skewed = 0;   // the age cannot be told: clocks apart, or not compared yet
    std::uint64_t entries_overflow = 0;
    std::uint64_t inserts_failed = 0;  // batches; the data plane was away
  };
  const Stats& stats() const { return stats_; }
  std::vector<std::string> troubles() const;

 private:
  // A segment's entries, all of one age.
  struct Fresh {
    std::uint64_t first_ms = 0;  // by the peer's clock
    std::vector<v1::CacheEntry> entries;
    std::size_t next = 0;
  };
  struct Incoming {
    v1::SegmentBody body;
    std::size_t bytes = 0;
    bool live = false;
  };
  struct Checked {
    std::string bad;      // what is wrong with it
    std::string failure;  // it could not be stored
    SegmentStore::Placement placement;
    v1::SegmentHeader header;
    std::vector<v1::CacheEntry> entries;
  };
  struct Flow {  // from one peer
    std::deque<Incoming> incoming;
    std::size_t incoming_bytes = 0;
    bool checking = false;
    std::deque<Fresh> fresh;
    std::size_t waiting = 0;  // entries
    bool inserting = false;
    std::uint64_t highest = 0;    // number of its segments that was seen
    std::uint64_t reported = 0;   // its head in the report of the last round
    std::uint64_t mended_to = 0;  // nothing is missing below
    std::uint64_t request = 0;    // under way
    std::uint64_t request_at_ms = 0;
    bool serving = false;
    std::string fork;  // "" = none. Nothing of it is taken any more
    std::string bad;   // newest complaint
  };

  bool take_tokens(std::size_t bytes, std::uint64_t reserve);
  void refill();
  void enqueue(NodeId from, v1::SegmentBody body, bool live);
  void check_next(NodeId from);
  static Checked check(const v1::SegmentBody& body, NodeId from, const PublicKey& key,
                       const PrivateZones& zones, SegmentStore& store);
  void checked(NodeId from, bool live, Checked checked);
  void insert_next(NodeId from);
  void mend();
  void ask(NodeId from, std::uint64_t number);
  void serve(NodeId from, std::uint64_t request, const v1::SegmentsRequest& asked);
  void served(NodeId from, std::uint64_t request, v1::SegmentsResponse response);

  Reactor& reactor_;
  PeerLink& link_;
  CachePort& cache_;
  SegmentStore& store_;
  SharePeers& peers_;
  Fences& fences_;
  const Options options_;
  std::map<NodeId, Flow> flows_;
  const std::uint64_t burst_;  // bytes that may be saved up
  std::uint64_t tokens_;       // bytes that may be sent now
  std::uint64_t refilled_ms_ = 0;
  std::size_t turn_ = 0;  // who is first when the budget is short
  std::uint64_t next_request_ = 1;
  Stats stats_;
  std::string store_trouble_;
  Timer mend_timer_;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace swarmdns::controlplane
