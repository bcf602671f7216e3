// What operators see of a node's ports, workers and upstreams.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "dataplane/control/machine.h"
#include "dataplane/eal/port.h"
#include "dataplane/miss/thread.h"
#include "dataplane/stats/registry.h"
#include "swarmdns/v1/config.pb.h"

namespace swarmdns::app {

class NodeMachine final : public control::Machine {
 public:
  struct Parts {
    const v1::DataplaneConfig& config;                     // the one the process was started with
    const std::vector<std::unique_ptr<eal::Port>>& ports;  // all open
    const std::vector<stats::ThreadStats*>& workers;
    const miss::Thread& miss;
  };
  // `stop_fd`: an eventfd, written to by request_stop(). All outlive it.
  NodeMachine(Parts parts, int stop_fd);

  void set_ready(bool ready) noexcept { ready_.store(ready, std::memory_order_release); }
  // Measures how busy the workers were since the last call; about once a second, one thread.
  void sample();

  [[nodiscard]] bool ready() const override { return ready_.load(std::memory_order_acquire); }
  void describe_ports(google::protobuf::RepeatedPtrField<v1::PortStatus>& ports) const override;
  void describe_workers(google::protobuf::RepeatedPtrField<v1::WorkerStatus>& workers) const override;
  void describe_upstreams(google::protobuf::RepeatedPtrField<v1::UpstreamStatus>& upstreams) const override;
  void request_stop() override;

 private:
  struct Busy {
    std::uint64_t busy = 0;
    std::uint64_t total = 0;
    std::uint32_t permille = 0;
  };
  const Parts parts_;
  const int stop_fd_;
  std::atomic<bool> ready_{false};
  mutable std::mutex mutex_;  // busy_
  std::vector<Busy> busy_;
};

}  // namespace swarmdns::app
