// A simulated disk for a log, as C-raft's io. Writes end after a random delay, in order; what has ended
// survives a crash, of the rest a random part does. It can be full, slow, or fail.
//
//   SimDisk       what is durable of one node's log, and the switches for faults; outlives the node
//   SimLogStore   LogStore on it, for one life of the node
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/consensus/log_store.h"
#include "controlplane/consensus/replicated_log.h"
#include "tests/sim/sim_reactor.h"

namespace swarmdns::sim {

struct SimDisk {
  // As bootstrap_log() of the real store.
  void bootstrap(const std::vector<controlplane::LogMember>& members);
  bool empty() const { return term == 0; }

  // --- Faults; from the next write on ---
  bool full = false;     // writes of entries and snapshots wait
  bool failing = false;  // writes end with an error
  std::uint64_t min_delay_us = 50;
  std::uint64_t max_delay_us = 2000;
  // Of a snapshot, whose files are written beside the entries.
  std::uint64_t max_snapshot_delay_us = 20'000;

  // --- Planted ---
  bool acks_early = false;  // entries are reported as written long before they are

  // --- Durable ---
  struct Entry {
    std::uint64_t term = 0;
    int type = 0;
    std::string data;
  };
  struct Snapshot {
    std::uint64_t index = 0;
    std::uint64_t term = 0;
    std::uint64_t members_index = 0;
    std::string members;  // as C-raft encodes them
    std::string data;
  };
  std::uint64_t term = 0;
  std::uint64_t vote = 0;
  std::uint64_t first = 1;  // number of entries[0]
  std::vector<Entry> entries;
  std::optional<Snapshot> snapshot;
};

class SimLogStore final : public controlplane::LogStore {
 public:
  // The disk outlives it.
  SimLogStore(SimWorld& world, SimDisk& disk);
  ~SimLogStore() override;
  SimLogStore(const SimLogStore&) = delete;
  SimLogStore& operator=(const SimLogStore&) = delete;

  std::expected<struct raft_io*, std::string> open(std::function<void(std::string)> failed) override;
  void closed() override;
  std::string explain(const std::string& error) const override { return "the simulated log: " + error; }
  std::string why_stuck() override { return disk_.full ? "the simulated disk is full" : ""; }

  // The disk is full no more, or fails no more: what waits goes on.
  void resume();

 private:
  class Io;

  SimWorld& world_;
  SimDisk& disk_;
  std::unique_ptr<Io> io_;
};

}  // namespace swarmdns::sim
