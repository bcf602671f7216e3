// The caches' part of a member: its chain of mutation segments, the sharing of what is in them, fences,
// warming up; wired to the core and to this node's data plane. Reactor thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "controlplane/member/core.h"
#include "controlplane/swarm/cache_port.h"
#include "controlplane/swarm/erasures.h"
#include "controlplane/swarm/fences.h"
#include "controlplane/swarm/name_queries.h"
#include "controlplane/swarm/readmission.h"
#include "controlplane/swarm/segment_store.h"
#include "controlplane/swarm/segment_writer.h"
#include "controlplane/swarm/share_peers.h"
#include "controlplane/swarm/sharing.h"
#include "controlplane/swarm/warm_up.h"

namespace swarmdns::controlplane {

class SharedCache {
 public:
  struct Options {
    NodeId self = 0;
    SecretKey key{};
    std::vector<std::string> private_zones;  // wire format, lower case
    std::uint64_t bytes_per_second = 0;      // sent to peers
    std::function<void(const std::string&)> say;
    Erasures::Ledger ledger;
  };
  // All outlive it.
  SharedCache(Reactor& reactor, PeerLink& link, MemberCore& core, CachePort& cache, SegmentStore& store,
              Options options);

  // Begins as soon as the ledger knows this node.
  void start();
  // An operator has loaded a dump into the data plane, past the fences.
  void loaded() { fences_.dataplane_started(); }
  // The ledger was replaced by a newer one.
  void state_replaced();

  // Of the caches' business; false: of another's.
  bool receive(NodeId from, v1::PeerMessage& message);
  void report(NodeId from, const v1::NodeReport& report);
  // Adds what peers are to know.
  void describe(v1::NodeReport& report) const;

  const WarmUp::State& warm_up() const { return warm_up_.state(); }
  const Sharing::Stats& sharing() const { return sharing_.stats(); }
  SegmentStore& store() { return store_; }
  NameQueries& names() { return names_; }
  // Names of private zones are told to no other node.
  const PrivateZones& private_zones() const { return *zones_; }
  std::vector<std::string> troubles() const;

 private:
  void applied(const AppliedBlock& block);
  void begin();
  void look_at_dataplane();
  void follow_members();
  void read_fences();
  void expire();
  void take_fences(std::uint64_t time_ms);
  void take_erasures();
  void take(const v1::Transaction& transaction, NodeId maker, const BlockHeader& header);
  SegmentWriter::Events writer_events();
  Fences::Events fence_events();

  Reactor& reactor_;
  MemberCore& core_;
  CachePort& cache_;
  SegmentStore& store_;
  const Options options_;
  const std::shared_ptr<const PrivateZones> zones_;
  SharePeers peers_;
  Readmission readmission_;
  Fences fences_;
  SegmentWriter writer_;
  Sharing sharing_;
  WarmUp warm_up_;
  WarmUpServer warm_up_server_;
  Erasures erasures_;
  NameQueries names_;
  bool begun_ = false;
  std::uint64_t fence_seen_ = 0;  // newest epoch that was handed on
  Timer expire_;
  Timer look_;
  Poster poster_;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace swarmdns::controlplane
