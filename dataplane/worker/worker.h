// One worker: the thread that polls one queue of every port and answers. Everything it needs is given to it;
// it owns its batch, its queues and its registration as a reader of the cache.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "dataplane/cache/clock.h"
#include "dataplane/cache/reader.h"
#include "dataplane/eal/port.h"
#include "dataplane/exception/kernel_link.h"
#include "dataplane/miss/channel.h"
#include "dataplane/stats/registry.h"
#include "dataplane/stats/tsc_clock.h"
#include "dataplane/sync/doze.h"
#include "dataplane/worker/police.h"
#include "dataplane/worker/policy.h"

namespace swarmdns::worker {

struct WorkerOptions {
  unsigned index = 0;   // its queue on every port
  unsigned burst = 32;  // frames received at once, 8-64
  PoliceRates police;
};

// What a worker is given; all of it outlives the worker. `ports` and `links` are in the order of the ports.
struct WorkerParts {
  std::vector<const eal::Port*> ports;
  std::vector<exception::KernelLink*> links;
  const cache::Table* table = nullptr;
  const cache::Clock* cache_clock = nullptr;
  const PolicySlot* policy = nullptr;
  miss::Channel* misses = nullptr;  // of this worker alone
  sync::Roll* roll = nullptr;       // of all workers: who is awake
  stats::ThreadStats* stats = nullptr;
  stats::TscClock tsc{1};
};

class Worker {
 public:
  Worker(const WorkerOptions& options, WorkerParts parts);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Polls until stop(); for Eal::launch. On the worker's lcore.
  void run();
  // Any thread. run() returns within a millisecond.
  void stop() noexcept { stop_.store(true, std::memory_order_relaxed); }

 private:
  class Loop;
  const WorkerOptions options_;
  const WorkerParts parts_;
  std::atomic<bool> stop_{false};
};

}  // namespace swarmdns::worker
