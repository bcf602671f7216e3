// A stream thread: serves its kernel sockets from the same cache as the workers, with its own line to the
// miss thread. It sleeps in epoll; while answers of the miss thread are due it looks for them every fraction
// of a millisecond.
#pragma once

#include <memory>
#include <thread>
#include <vector>

#include "dataplane/cache/clock.h"
#include "dataplane/cache/table.h"
#include "dataplane/miss/channel.h"
#include "dataplane/stats/registry.h"
#include "dataplane/stream/client_limits.h"
#include "dataplane/stream/options.h"
#include "dataplane/stream/sockets.h"
#include "dataplane/sync/doze.h"
#include "dataplane/worker/policy.h"

namespace swarmdns::stream {

// What a stream thread is given; all of it outlives the thread.
struct ThreadParts {
  const cache::Table* table = nullptr;
  const cache::Clock* clock = nullptr;
  const worker::PolicySlot* policy = nullptr;  // set before start()
  const OptionsSlot* options = nullptr;
  ClientLimits* limits = nullptr;   // shared by all stream threads
  miss::Channel* misses = nullptr;  // of this thread alone
  sync::Doorbell* bell = nullptr;   // the miss thread's
  stats::ThreadStats* stats = nullptr;
  std::vector<unsigned> cpus;            // where it may run; empty: as the caller of start()
  std::size_t max_connections = 65'536;  // places, whatever the options say later
};

class Thread {
 public:
  Thread(ThreadSockets sockets, ThreadParts parts);
  ~Thread();  // stops
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;

  void start();
  // Closes all connections. Within about 20 ms. Idempotent.
  void stop();

 private:
  void run(const std::stop_token& stop);

  const ThreadSockets sockets_;
  const ThreadParts parts_;
  std::jthread thread_;
};

}  // namespace swarmdns::stream
