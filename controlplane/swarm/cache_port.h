// What the swarm asks of this node's caches: the data plane's and its resolver's. In production the control
// socket (swarm/dataplane_port.h), in tests/sim a small cache of the simulation's own.
//
// Reactor thread; callbacks too, never from within the call. The data plane may be away at any moment.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <vector>

#include "swarmdns/v1/dataplane.pb.h"

namespace swarmdns::controlplane {

struct DeadRange {
  std::uint64_t node = 0;  // a node's number in the swarm
  std::uint64_t first = 0;
  std::uint64_t last = 0;  // inclusive
  bool operator==(const DeadRange&) const = default;
};

class CachePort {
 public:
  template <typename T>
  using Done = std::function<void(std::expected<T, std::string>)>;

  struct Inserted {
    std::uint64_t accepted = 0;
    std::uint64_t kept_own = 0;  // a fresh entry of this node's own stands there
    std::uint64_t refused = 0;
  };
  struct Fenced {
    std::uint64_t removed = 0;
    bool resolver_flushed = false;
    std::string resolver_note;
  };

  virtual ~CachePort() = default;

  // This node's number from now on: origins of its own entries are 0 in the data plane, and this number
  // everywhere else. The port translates.
  virtual void set_node(std::uint64_t node) = 0;

  // Mutations of the data plane's journal, batch by batch, from number `from` on (0: from now). A new data
  // plane, a journal that overflowed: a MUTATION_GAP. After each batch the feed waits for `journal_more`.
  virtual void follow_journal(std::uint64_t from, std::function<void(v1::JournalBatch)> take) = 0;
  virtual void journal_more() = 0;

  // Entries of other nodes; `transit_ms`: measured, taken off their lives.
  virtual void insert(std::vector<v1::CacheEntry> entries, std::uint64_t transit_ms, Done<Inserted> done) = 0;

  // Purges what comes from those ranges, throws away misses in flight, flushes the resolver.
  virtual void fence(const std::vector<DeadRange>& ranges, Done<Fenced> done) = 0;

  // All entries, in pieces: `take` gets one, and calls the function it is given for the next; an empty piece
  // is the end.
  virtual void dump(
      std::function<void(std::expected<v1::DumpEntries, std::string>, std::function<void()> next)> take) = 0;

  // The fences that this node missed have been carried out: what the data plane's restart snapshot holds back
  // comes into its cache, but for other nodes' entries in `private_zones` (wire format, lower case). How many
  // entries the snapshot has brought back in all.
  virtual void restore(std::vector<std::string> private_zones, Done<std::uint64_t> done) = 0;

  // The data plane's life cycle: warming up for at most that long; warm.
  virtual void warming(std::uint64_t at_most_ms, Done<void> done) = 0;
  virtual void warm(Done<void> done) = 0;

  // Newest status of the data plane; `done` with an error when it does not answer.
  virtual void status(Done<v1::DataplaneStatus> done) = 0;
};

}  // namespace swarmdns::controlplane
