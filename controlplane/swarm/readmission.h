// Takes back into this node's cache what was current at the height that a fence goes back to, and was
// replaced or removed since: from segments, for the rest of its own TTL and never longer.
//
// Reactor thread; segments are read off it.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "controlplane/core/reactor.h"
#include "controlplane/swarm/cache_port.h"
#include "controlplane/swarm/fences.h"
#include "controlplane/swarm/segment_store.h"
#include "controlplane/swarm/share_peers.h"
#include "controlplane/swarm/share_rules.h"

namespace swarmdns::controlplane {

// An entry as its maker had it at its Unix time.
struct Readmissible {
  std::uint64_t made_ms = 0;
  v1::CacheEntry entry;  // with its origin
};

// Of one node's chain: entries that stood behind mutation `reached`, were alive by `filter`, and whose key a
// mutation behind it changed. Newest first, at most `most`. Any thread; reads files. `since_ms`: segments
// that ended before it are not looked into.
std::expected<std::vector<Readmissible>, std::string> readmissible(const SegmentStore& store, NodeId node,
                                                                   std::uint64_t reached,
                                                                   const FenceFilter& filter,
                                                                   std::uint64_t since_ms, std::size_t most);

class Readmission {
 public:
  struct Options {
    NodeId self = 0;
    std::shared_ptr<const PrivateZones> private_zones;
    std::uint64_t life_ms = 0;   // the longest TTL that a configuration allows
    std::size_t most = 100'000;  // entries of one node
    std::size_t at_once = 1024;  // in one insert
  };
  // All outlive it, and the store what was offloaded besides.
  Readmission(Reactor& reactor, CachePort& cache, const SegmentStore& store, const SharePeers& peers,
              Options options);

  // The fence has been carried out here; `filter` knows it. `done`: how many entries the data plane has
  // taken.
  void begin(const v1::Fence& fence, const FenceFilter& filter, std::function<void(std::uint64_t)> done);

 private:
  struct Run {
    std::vector<std::pair<NodeId, std::uint64_t>> reached;  // still to be read
    std::shared_ptr<const FenceFilter> filter;
    NodeId node = 0;
    std::vector<Readmissible> entries;
    std::size_t next = 0;
    std::uint64_t taken = 0;
    std::function<void(std::uint64_t)> done;
  };
  void read_next(const std::shared_ptr<Run>& run);
  void insert_next(const std::shared_ptr<Run>& run);

  Reactor& reactor_;
  CachePort& cache_;
  const SegmentStore& store_;
  const SharePeers& peers_;
  const Options options_;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace swarmdns::controlplane
