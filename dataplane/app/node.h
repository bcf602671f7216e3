// One node's data plane: its objects in the order in which they are made, and taken down in reverse. All
// functions on the main thread.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/app/live_swap.h"
#include "dataplane/app/node_machine.h"
#include "dataplane/app/pidfile.h"
#include "dataplane/cache/cache.h"
#include "dataplane/cache/clock.h"
#include "dataplane/cache/writer.h"
#include "dataplane/control/cache_calls.h"
#include "dataplane/control/configurator.h"
#include "dataplane/control/journal_numbers.h"
#include "dataplane/control/log.h"
#include "dataplane/control/readiness.h"
#include "dataplane/control/service.h"
#include "dataplane/eal/eal.h"
#include "dataplane/eal/port.h"
#include "dataplane/exception/kernel_link.h"
#include "dataplane/exception/tap_thread.h"
#include "dataplane/miss/channel.h"
#include "dataplane/miss/thread.h"
#include "dataplane/restart/snapshot.h"
#include "dataplane/stats/registry.h"
#include "dataplane/stream/thread.h"
#include "dataplane/sync/doze.h"
#include "dataplane/worker/worker.h"
#include "proto/rpc/unix_server.h"

namespace swarmdns::app {

class Node {
 public:
  // `config`: as it came out of control::checked(). Answers when it returns; on an error (a sentence for the
  // operator) everything that had been opened is closed again. `stop_fd`: an eventfd that is written to when
  // the control socket asks for an end. `log` outlives the node.
  [[nodiscard]] static std::expected<std::unique_ptr<Node>, std::string> start(
      const v1::DataplaneConfig& config, int stop_fd, const control::Logger& log);
  // Stops in good order; no XDP program, TAP, socket or pid file stays.
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // At least once a second, and when wait_ms() is over.
  void tick();
  [[nodiscard]] int wait_ms() const;  // to the next tick, at most 1000

 private:
  using Step = std::expected<void, std::string>;
  Node(const v1::DataplaneConfig& config, int stop_fd, const control::Logger& log)
      : config_(config), stop_fd_(stop_fd), log_(log) {}

  [[nodiscard]] Step claim_directories();
  [[nodiscard]] Step open_ports();
  [[nodiscard]] Step open_kernel_side();
  [[nodiscard]] Step make_counters();
  [[nodiscard]] Step make_cache();
  [[nodiscard]] Step decide();
  [[nodiscard]] Step start_threads();
  [[nodiscard]] Step start_workers();
  [[nodiscard]] Step start_control();
  void start_snapshot();
  void keep_numbers(std::int64_t now);

  const v1::DataplaneConfig config_;
  const int stop_fd_;
  const control::Logger& log_;

  // Made in this order, unmade in reverse.
  std::optional<Pidfile> pidfile_;
  std::optional<control::Readiness> readiness_;
  std::unique_ptr<eal::Eal> eal_;
  std::vector<std::unique_ptr<eal::Port>> ports_;
  std::unique_ptr<stats::Registry> registry_;
  std::vector<stats::ThreadStats*> worker_stats_;
  std::vector<stats::ThreadStats*> stream_stats_;
  stats::ThreadStats* writer_stats_ = nullptr;
  stats::ThreadStats* miss_stats_ = nullptr;
  stats::ThreadStats* tap_stats_ = nullptr;
  stats::ThreadStats* snapshot_stats_ = nullptr;
  std::vector<exception::Tap> taps_;
  std::vector<stream::ThreadSockets> sockets_;
  std::vector<std::unique_ptr<exception::KernelLink>> links_;
  cache::Clock clock_;
  std::unique_ptr<cache::Cache> cache_;
  std::optional<control::JournalNumbers> numbers_;
  std::unique_ptr<control::Configurator> configurator_;
  std::unique_ptr<LiveSwap> live_;
  std::unique_ptr<cache::Writer> writer_;
  std::vector<std::unique_ptr<miss::Channel>> channels_;  // workers, then stream threads
  sync::Roll roll_;
  std::unique_ptr<miss::Thread> miss_;
  std::unique_ptr<exception::TapThread> tap_thread_;
  std::unique_ptr<stream::ClientLimits> client_limits_;
  std::vector<std::unique_ptr<stream::Thread>> streams_;
  std::vector<std::unique_ptr<worker::Worker>> workers_;
  std::unique_ptr<NodeMachine> machine_;
  std::unique_ptr<control::CacheCalls> calls_;
  std::unique_ptr<restart::Snapshot> snapshot_;
  bool restoring_ = false;  // what may be answered at once is on its way back into the cache
  std::unique_ptr<control::Service> service_;
  std::unique_ptr<rpc::UnixServer> server_;
  std::int64_t last_second_ = 0;           // Unix seconds: when tick() last did all of its work
  std::int64_t next_roll_ = 0;             // Unix seconds
  std::int64_t next_numbers_warning_ = 0;  // Unix seconds
};

}  // namespace swarmdns::app
