// The DPDK environment: one for the process, made first and destroyed last on the main thread.
//
// Order of start (main.cc):
//   1. Eal::start          as root, main thread; it is pinned to main_cpu from here on, so every thread made
//   later begins
//                          with sync::begin_slow_thread(..., non_worker_cpus(...)) or inherits that affinity
//   2. Port::open          one after the other, in the order of the configuration
//   3. exception::TapThread::open (TAPs, addresses, routes), kernel sockets of the stream threads: what needs
//   root
//   4. drop root           keep CAP_NET_ADMIN on the main thread: closing an AF_XDP port takes its XDP
//   program off
//   5. cache, policy, slow threads
//   6. Port::start, then Eal::launch for each worker
// Order of stop: Worker::stop, Eal::wait, slow threads, TapThread, Port (destroyed on the main thread with
// CAP_NET_ADMIN in force), Eal.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/eal/error.h"

namespace swarmdns::eal {

struct EalOptions {
  unsigned main_cpu = 0;              // of the main lcore, which never polls; may be shared with a worker
  std::vector<unsigned> worker_cpus;  // one worker lcore each, 1-64, each CPU once
  bool hugepages = false;             // false: --no-huge
  std::uint32_t memory_mib = 256;     // mbufs and rings, 64-65536
  std::string file_prefix = "swarmdns";
  std::vector<std::string> devices;     // of the ports: PCI addresses and vdevs
  std::vector<std::string> extra_args;  // appended
  bool quiet = true;                    // only warnings and errors of DPDK's own log
};

// What the EAL is started with; argv[0] included. For start(), and for tests and `--explain` outputs.
[[nodiscard]] std::expected<std::vector<std::string>, Error> eal_arguments(const EalOptions& options);

// The CPUs this process may use that no worker polls on; when workers take them all, main_cpu alone.
// `allowed`: the CPUs the process was started with.
[[nodiscard]] std::vector<unsigned> non_worker_cpus(const EalOptions& options,
                                                    const std::vector<unsigned>& allowed);

// "0000:01:00.0" or "01:00.0", with or without arguments behind a comma.
[[nodiscard]] bool is_pci_address(const std::string& device) noexcept;
// "0000:0a:00.0" of "0A:00.0,arguments": DPDK's name of the port.
[[nodiscard]] std::string pci_port_name(const std::string& device);

// What an operator can do about rte_eal_init() having failed with `error`.
[[nodiscard]] Error start_error(const EalOptions& options, int error);

class Eal {
 public:
  // Main thread, once a process: DPDK can be initialised but once.
  [[nodiscard]] static std::expected<std::unique_ptr<Eal>, Error> start(const EalOptions& options);
  ~Eal();
  Eal(const Eal&) = delete;
  Eal& operator=(const Eal&) = delete;

  [[nodiscard]] unsigned workers() const noexcept { return static_cast<unsigned>(lcores_.size()); }
  // Affinity for every thread that is not a worker.
  [[nodiscard]] const std::vector<unsigned>& slow_cpus() const noexcept { return slow_cpus_; }

  // Runs `work` on the lcore of worker `index` (0 to workers()-1). Main thread; false when that lcore is
  // busy.
  [[nodiscard]] bool launch(unsigned index, std::function<void()> work);
  // Until all launched work has returned. Main thread.
  void wait() noexcept;

 private:
  Eal() = default;
  std::vector<unsigned> lcores_;  // DPDK's numbers, by worker
  std::vector<unsigned> slow_cpus_;
  std::vector<std::function<void()>> work_;  // by worker; what an lcore runs must outlive its start
};

}  // namespace swarmdns::eal
