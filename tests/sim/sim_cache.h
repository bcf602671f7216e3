// A data plane that remembers where its answers come from, and the port to it.
//
//   SimDataplane   answers by name, the journal; goes on when the control plane dies, and may die by itself
//   SimCachePort   CachePort to it, for one life of the control plane; calls end after random delays, not in
//                  the order of their making
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "controlplane/core/peer_link.h"
#include "controlplane/swarm/cache_port.h"
#include "tests/sim/sim_reactor.h"

namespace swarmdns::sim {

using controlplane::DeadRange;
using controlplane::NodeId;

// What of the simulated data plane does not work as it should; planted.
struct CacheBugs {
  bool ignores_fences = false;   // says that they are carried out
  bool purges_too_much = false;  // all that is of a node of which anything is dead
  bool keeps_ad = false;         // entries of others are taken as authenticated
};

class SimDataplane {
 public:
  SimDataplane(SimWorld& world, NodeId node) : world_(world), node_(node) {}

  struct Watch {
    // An answer of another node is taken.
    std::function<void(const v1::CacheEntry&)> taken;
    // A fence removes it.
    std::function<void(const v1::CacheEntry&)> purged;
  };
  void set_watch(Watch watch) { watch_ = std::move(watch); }
  CacheBugs bugs;

  // This node resolves a name: a new answer of its own.
  void resolve(const std::string& qname, std::uint64_t wall_ms, std::int64_t ttl_ms);
  // It dies; another one is there at once, with nothing, and counts from a higher number.
  void restart();

  struct Entry {
    v1::CacheEntry entry;
    std::uint64_t dies_ms = 0;  // by the simulation's clock
  };
  const std::map<std::string, Entry>& entries() const { return entries_; }
  // Number of the next mutation.
  std::uint64_t next() const { return next_; }

 private:
  friend class SimCachePort;
  void drop_dead();

  SimWorld& world_;
  const NodeId node_;
  Watch watch_;
  std::map<std::string, Entry> entries_;  // by name
  std::vector<v1::Mutation> journal_;
  std::uint64_t journal_id_ = 1;
  std::uint64_t next_ = 1;
  std::uint32_t epoch_ = 1;  // of fences
  std::function<void()> news_;
};

class SimCachePort final : public controlplane::CachePort {
 public:
  // Both outlive it.
  SimCachePort(SimWorld& world, SimReactor& reactor, SimDataplane& dataplane);
  ~SimCachePort() override;

  void set_node(std::uint64_t) override {}
  void follow_journal(std::uint64_t from, std::function<void(v1::JournalBatch)> take) override;
  void journal_more() override;
  void insert(std::vector<v1::CacheEntry> entries, std::uint64_t transit_ms, Done<Inserted> done) override;
  void fence(const std::vector<DeadRange>& ranges, Done<Fenced> done) override;
  void dump(std::function<void(std::expected<v1::DumpEntries, std::string>, std::function<void()> next)> take)
      override;
  void restore(std::vector<std::string> private_zones, Done<std::uint64_t> done) override;
  void warming(std::uint64_t at_most_ms, Done<void> done) override;
  void warm(Done<void> done) override;
  void status(Done<v1::DataplaneStatus> done) override;

 private:
  void later(std::function<void()> task);
  void feed();

  SimWorld& world_;
  SimReactor& reactor_;
  SimDataplane& dataplane_;
  std::function<void(v1::JournalBatch)> take_;
  std::uint64_t from_ = 0;
  std::uint64_t told_journal_ = 0;
  bool wanted_ = false;
  bool feeding_ = false;
};

// "a.example" in wire format.
std::string wire_name(const std::string& text);

}  // namespace swarmdns::sim
