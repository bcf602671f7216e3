#include "dataplane/app/node_machine.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace swarmdns::app {

NodeMachine::NodeMachine(Parts parts, int stop_fd)
    : parts_(parts), stop_fd_(stop_fd), busy_(parts.workers.size()) {}

void NodeMachine::sample() {
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < busy_.size(); ++i) {
    const stats::Load& load = parts_.workers[i]->load;
    const std::uint64_t busy = load.busy_ticks.load(std::memory_order_relaxed);
    const std::uint64_t total = load.total_ticks.load(std::memory_order_relaxed);
    Busy& last = busy_[i];
    if (total > last.total) {
      last.permille = static_cast<std::uint32_t>(
          std::min<std::uint64_t>(1000, (busy - last.busy) * 1000 / (total - last.total)));
    }
    last.busy = busy;
    last.total = total;
  }
}

void NodeMachine::describe_ports(google::protobuf::RepeatedPtrField<v1::PortStatus>& ports) const {
  for (const auto& port : parts_.ports) {
    v1::PortStatus& status = *ports.Add();
    status.set_id(port->index());
    status.set_device(port->device());
    status.set_driver(port->driver());
    char mac[18];
    const auto& m = port->mac();
    std::snprintf(mac, sizeof mac, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
    status.set_mac(mac);
    const eal::LinkState link = port->link();
    status.set_link_up(link.up);
    status.set_link_mbps(link.mbit_s);
    status.set_queues(port->queues());
    const v1::PortConfig& config = parts_.config.ports(static_cast<int>(port->index()));
    status.set_tap(config.tap());
    *status.mutable_addresses() = config.addresses();
    const eal::PortCounters counters = port->counters();
    status.set_rx_packets(counters.rx_frames);
    status.set_tx_packets(counters.tx_frames);
    status.set_rx_missed(counters.missed);
    status.set_rx_nombuf(counters.no_mbuf);
    status.set_tx_errors(counters.tx_errors);
  }
}

void NodeMachine::describe_workers(google::protobuf::RepeatedPtrField<v1::WorkerStatus>& workers) const {
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < busy_.size(); ++i) {
    v1::WorkerStatus& status = *workers.Add();
    status.set_lcore(static_cast<std::uint32_t>(i) + 1);  // 0 is the main lcore
    status.set_cpu(parts_.config.eal().worker_cpus(static_cast<int>(i)));
    status.set_busy_permille(busy_[i].permille);
  }
}

void NodeMachine::describe_upstreams(
    google::protobuf::RepeatedPtrField<v1::UpstreamStatus>& upstreams) const {
  for (const miss::ServerStatus& server : parts_.miss.upstreams()) {
    v1::UpstreamStatus& status = *upstreams.Add();
    status.set_server(server.server.address.to_text() + "@" + std::to_string(server.server.port));
    status.set_healthy(server.healthy);
    status.set_queries(server.queries);
    status.set_timeouts(server.timeouts);
    status.set_srtt_us(server.srtt_us);
  }
}

void NodeMachine::request_stop() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(stop_fd_, &one, sizeof one);
}

}  // namespace swarmdns::app
