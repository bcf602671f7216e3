// The service Admin of swarmdns/v1/admin.proto over a NodeControl.
#pragma once

#include "controlplane/api/node_control.h"
#include "swarmdns/v1/admin.grpc.pb.h"

namespace swarmdns::controlplane {

class AdminService final : public v1::Admin::Service {
 public:
  // `node` must outlive the service.
  explicit AdminService(NodeControl& node) : node_(node) {}

  grpc::Status GetNodeStatus(grpc::ServerContext*, const v1::GetNodeStatusRequest*, v1::NodeStatus*) override;
  grpc::Status CheckConfig(grpc::ServerContext*, const v1::CheckConfigRequest*, v1::ConfigReport*) override;
  grpc::Status ApplyConfig(grpc::ServerContext*, const v1::ApplyConfigRequest*, v1::ConfigReport*) override;
  grpc::Status ShowConfig(grpc::ServerContext*, const v1::ShowConfigRequest*,
                          v1::ShowConfigResponse*) override;
  grpc::Status LookupCache(grpc::ServerContext*, const v1::LookupRequest*, v1::LookupResponse*) override;
  grpc::Status FlushCache(grpc::ServerContext*, const v1::FlushRequest*, v1::FlushCacheResponse*) override;
  grpc::Status DumpCache(grpc::ServerContext*, const v1::DumpRequest*,
                         grpc::ServerWriter<v1::CacheSlice>*) override;
  grpc::Status LoadCache(grpc::ServerContext*, grpc::ServerReader<v1::CacheSlice>*,
                         v1::LoadResponse*) override;
  grpc::Status GetStats(grpc::ServerContext*, const v1::GetStatsRequest*, v1::StatsSnapshot*) override;
  grpc::Status ListPorts(grpc::ServerContext*, const v1::ListPortsRequest*, v1::ListPortsResponse*) override;
  grpc::Status BindPort(grpc::ServerContext*, const v1::BindPortRequest*, v1::BindPortResponse*) override;
  grpc::Status UnbindPort(grpc::ServerContext*, const v1::UnbindPortRequest*, v1::BindPortResponse*) override;
  grpc::Status ControlProcess(grpc::ServerContext*, const v1::ControlProcessRequest*,
                              v1::ControlProcessResponse*) override;

 private:
  NodeControl& node_;
};

}  // namespace swarmdns::controlplane
