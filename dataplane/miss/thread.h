// The miss thread: runs the engine until it is stopped. Between rounds without work it sleeps, a little
// longer each time, but wakes when an upstream answers; busy workers never wake it by a system call.
#pragma once

#include <memory>
#include <thread>
#include <vector>

#include "dataplane/cache/clock.h"
#include "dataplane/cache/writer.h"
#include "dataplane/miss/cache_store.h"
#include "dataplane/miss/engine.h"
#include "dataplane/sync/doze.h"

namespace swarmdns::miss {

class Thread {
 public:
  // All references must outlive it. `bell`: rung by askers that fill their ring while it dozes. `cpus`: where
  // it may run; empty: as the caller of start(). Throws std::system_error when the kernel gives no epoll
  // descriptor.
  Thread(const Limits& limits, const OptionsSlot& options, cache::Writer& writer, const cache::Clock& clock,
         sync::Doorbell& bell, stats::Block& counters, std::vector<unsigned> cpus);
  ~Thread();  // stops

  // Before start(): a channel for each asker; it must outlive the thread.
  void attach(Channel& channel) { engine_.attach(channel); }
  void start();
  // Questions under way are given up: nobody is replied to after this. Idempotent.
  void stop();

  // Any thread.
  [[nodiscard]] std::vector<ServerStatus> upstreams() const { return engine_.upstreams(); }

 private:
  void run(const std::stop_token& stop);

  CacheStore store_;
  Engine engine_;
  const cache::Clock& clock_;
  sync::Doorbell& bell_;
  const std::vector<unsigned> cpus_;
  std::jthread thread_;
};

}  // namespace swarmdns::miss
