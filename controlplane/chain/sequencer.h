// On the leader: bundles of all nodes, in the order of their coming, become entries of the log. While the log
// is busy with some, what comes meanwhile waits and goes together: the busier, the larger the entries.
// Reactor thread.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "controlplane/consensus/replicated_log.h"
#include "controlplane/core/reactor.h"
#include "swarmdns/v1/ledger.pb.h"

namespace swarmdns::controlplane {

class Sequencer {
 public:
  struct Limits {
    std::size_t entry_bytes = std::size_t{1} << 20;     // of one entry, unless a single bundle is larger
    std::size_t waiting_bytes = std::size_t{16} << 20;  // beyond: busy
    std::size_t bundle_bytes = std::size_t{2} << 20;    // a larger one is refused
    int in_flight = 4;                                  // entries proposed and not applied yet
  };
  struct Counters {
    std::uint64_t bundles = 0;
    std::uint64_t entries = 0;
    std::uint64_t busy = 0;
    std::uint64_t failed_entries = 0;
  };

  Sequencer(Reactor& reactor, ReplicatedLog& log, Limits limits);

  // Takes it, or says why not; what becomes of it shows when it is applied, or does not.
  v1::ForwardResponse take(v1::Bundle bundle);
  // Leadership came or went: what waits is dropped, its makers ask again.
  void reset();

  const Counters& counters() const { return counters_; }
  std::size_t waiting_bytes() const { return waiting_bytes_; }

 private:
  void propose_some();

  Reactor& reactor_;
  ReplicatedLog& log_;
  const Limits limits_;
  Counters counters_;
  struct Waiting {
    v1::Bundle bundle;
    std::size_t bytes = 0;
  };
  std::deque<Waiting> waiting_;
  std::size_t waiting_bytes_ = 0;
  int in_flight_ = 0;
  std::uint64_t reign_ = 0;  // answers of earlier ones are not counted
  Timer pause_;              // after the log said that it is busy
};

}  // namespace swarmdns::controlplane
