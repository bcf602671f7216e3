// The one thread that owns the TAPs and carries frames between them and the workers' rings.
#pragma once

#include <atomic>
#include <thread>
#include <vector>

#include "dataplane/exception/kernel_link.h"
#include "dataplane/exception/tap.h"
#include "dataplane/stats/registry.h"
#include "dataplane/sync/doze.h"

namespace swarmdns::exception {

class TapThread {
 public:
  // `links[i]` belongs to `taps[i]`; both in the order of the ports. `cpus`: those that are no worker's.
  // Links, bell and stats outlive it.
  TapThread(std::vector<Tap> taps, std::vector<KernelLink*> links, std::vector<unsigned> cpus,
            sync::Doorbell& bell, stats::ThreadStats& stats);
  // Stops; the TAPs vanish.
  ~TapThread();
  TapThread(const TapThread&) = delete;
  TapThread& operator=(const TapThread&) = delete;

  // Main thread.
  void start();
  void stop();

 private:
  void run();
  // Frames moved, either way.
  std::size_t round() noexcept;
  // Frames moved.
  std::size_t to_kernel(std::size_t port) noexcept;
  std::size_t from_kernel(std::size_t port) noexcept;

  const std::vector<Tap> taps_;
  const std::vector<KernelLink*> links_;
  const std::vector<unsigned> cpus_;
  sync::Doorbell& bell_;
  stats::ThreadStats& stats_;
  std::atomic<bool> stop_{false};
  bool worker_behind_ = false;  // the thread's own: a ring from the kernel was full in this round
  std::thread thread_;
};

}  // namespace swarmdns::exception
