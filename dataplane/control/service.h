// The gRPC service `Dataplane` (proto/swarmdns/v1/dataplane.proto). Handlers run on gRPC's threads, several
// at a time, and hold nothing a dead client could leave behind: what a call opened goes with the call.
#pragma once

#include <atomic>
#include <chrono>

#include "dataplane/control/cache_calls.h"
#include "dataplane/control/configurator.h"
#include "dataplane/control/log.h"
#include "dataplane/control/machine.h"
#include "dataplane/control/readiness.h"
#include "dataplane/restart/snapshot.h"
#include "dataplane/stats/registry.h"
#include "swarmdns/v1/dataplane.grpc.pb.h"

namespace swarmdns::control {

class Service final : public v1::Dataplane::Service {
 public:
  // All of them outlive the service.
  struct Parts {
    Configurator& configurator;
    CacheCalls& cache;
    Machine& machine;
    Readiness& readiness;
    const stats::Registry& stats;
    const Logger& log;
    restart::Snapshot* snapshot = nullptr;  // none: there is nothing to restore
  };
  explicit Service(Parts parts);

  grpc::Status Configure(grpc::ServerContext*, const v1::ConfigureRequest*, v1::ConfigureResponse*) override;
  grpc::Status GetConfig(grpc::ServerContext*, const v1::GetConfigRequest*, v1::GetConfigResponse*) override;
  grpc::Status GetStatus(grpc::ServerContext*, const v1::GetStatusRequest*, v1::DataplaneStatus*) override;
  grpc::Status GetStats(grpc::ServerContext*, const v1::GetStatsRequest*, v1::StatsSnapshot*) override;
  grpc::Status Insert(grpc::ServerContext*, const v1::InsertRequest*, v1::InsertResponse*) override;
  grpc::Status Flush(grpc::ServerContext*, const v1::FlushRequest*, v1::FlushResponse*) override;
  grpc::Status Fence(grpc::ServerContext*, const v1::FenceRequest*, v1::FenceResponse*) override;
  grpc::Status Lookup(grpc::ServerContext*, const v1::LookupRequest*, v1::LookupResponse*) override;
  grpc::Status Dump(grpc::ServerContext*, const v1::DumpRequest*,
                    grpc::ServerWriter<v1::CacheSlice>*) override;
  grpc::Status Load(grpc::ServerContext*, grpc::ServerReader<v1::CacheSlice>*, v1::LoadResponse*) override;
  grpc::Status Journal(grpc::ServerContext*, const v1::JournalRequest*,
                       grpc::ServerWriter<v1::JournalBatch>*) override;
  grpc::Status Restore(grpc::ServerContext*, const v1::RestoreRequest*, v1::RestoreResponse*) override;
  grpc::Status WarmUp(grpc::ServerContext*, const v1::WarmUpRequest*, v1::Readiness*) override;
  grpc::Status Warm(grpc::ServerContext*, const v1::WarmRequest*, v1::Readiness*) override;
  grpc::Status Shutdown(grpc::ServerContext*, const v1::ShutdownRequest*, v1::ShutdownResponse*) override;

  // Ends streams that would go on for ever; before the server is stopped.
  void stop() noexcept { stopping_.store(true, std::memory_order_relaxed); }

 private:
  [[nodiscard]] std::uint64_t uptime_ms() const;

  Parts parts_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  std::atomic<bool> stopping_{false};
  // Streams hold a thread each as long as they last; the rest is kept for the short calls.
  std::atomic<int> journals_{0};
  std::atomic<int> transfers_{0};
};

}  // namespace swarmdns::control
