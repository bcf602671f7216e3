// What the control service tells about the parts of the process it does not hold itself: ports, workers,
// upstreams. Supplied by the wiring (dataplane/app), so that the service links and is tested without DPDK.
// All functions may be called from any slow thread, several at a time.
#pragma once

#include "swarmdns/v1/dataplane.pb.h"

namespace swarmdns::control {

class Machine {
 public:
  virtual ~Machine() = default;

  // Ports up, workers polling.
  [[nodiscard]] virtual bool ready() const = 0;
  virtual void describe_ports(google::protobuf::RepeatedPtrField<v1::PortStatus>& ports) const = 0;
  // In the order of the configuration's worker_cpus; busy_permille of about the last second.
  virtual void describe_workers(google::protobuf::RepeatedPtrField<v1::WorkerStatus>& workers) const = 0;
  virtual void describe_upstreams(
      google::protobuf::RepeatedPtrField<v1::UpstreamStatus>& upstreams) const = 0;

  // The process is to end in good order; returns at once.
  virtual void request_stop() = 0;
};

}  // namespace swarmdns::control
