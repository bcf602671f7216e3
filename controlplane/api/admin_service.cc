#include "controlplane/api/admin_service.h"

#include "controlplane/api/reply.h"

namespace swarmdns::controlplane {
grpc::Status AdminService::GetNodeStatus(grpc::ServerContext*, const v1::GetNodeStatusRequest*,
                                         v1::NodeStatus* response) {
  return reply(node_.node_status(), response);
}

grpc::Status AdminService::CheckConfig(grpc::ServerContext*, const v1::CheckConfigRequest* request,
                                       v1::ConfigReport* response) {
  return reply(node_.check_config(request->yaml(), request->file()), response);
}

grpc::Status AdminService::ApplyConfig(grpc::ServerContext*, const v1::ApplyConfigRequest* request,
                                       v1::ConfigReport* response) {
  return reply(node_.apply_config(request->yaml(), request->file()), response);
}

grpc::Status AdminService::ShowConfig(grpc::ServerContext*, const v1::ShowConfigRequest* request,
                                      v1::ShowConfigResponse* response) {
  return reply(node_.show_config(request->defaults()), response);
}

grpc::Status AdminService::LookupCache(grpc::ServerContext*, const v1::LookupRequest* request,
                                       v1::LookupResponse* response) {
  if (request->qname().empty()) return invalid("qname: is required");
  return reply(node_.lookup(*request), response);
}

grpc::Status AdminService::FlushCache(grpc::ServerContext*, const v1::FlushRequest* request,
                                      v1::FlushCacheResponse* response) {
  // Never everything by mistake: an empty request is not a wish.
  if (request->scope_case() == v1::FlushRequest::SCOPE_NOT_SET ||
      (request->scope_case() == v1::FlushRequest::kAll && !request->all())) {
    return invalid("scope: name, zone or all: true is required");
  }
  if (request->qtype() != 0 && request->scope_case() != v1::FlushRequest::kName) {
    return invalid("qtype: only with a name; a zone or everything is flushed with all its types");
  }
  return reply(node_.flush(*request), response);
}

grpc::Status AdminService::DumpCache(grpc::ServerContext* context, const v1::DumpRequest*,
                                     grpc::ServerWriter<v1::CacheSlice>* writer) {
  const auto outcome = node_.dump(
      [&](const v1::CacheSlice& slice) { return !context->IsCancelled() && writer->Write(slice); });
  return outcome ? grpc::Status::OK : status_of(outcome.error());
}

grpc::Status AdminService::LoadCache(grpc::ServerContext*, grpc::ServerReader<v1::CacheSlice>* reader,
                                     v1::LoadResponse* response) {
  return reply(node_.load([&](v1::CacheSlice& slice) { return reader->Read(&slice); }), response);
}

grpc::Status AdminService::GetStats(grpc::ServerContext*, const v1::GetStatsRequest*,
                                    v1::StatsSnapshot* response) {
  return reply(node_.stats(), response);
}

grpc::Status AdminService::ListPorts(grpc::ServerContext*, const v1::ListPortsRequest* request,
                                     v1::ListPortsResponse* response) {
  return reply(node_.list_ports(request->device()), response);
}

grpc::Status AdminService::BindPort(grpc::ServerContext*, const v1::BindPortRequest* request,
                                    v1::BindPortResponse* response) {
  if (request->device().empty()) return invalid("device: is required");
  return reply(node_.bind_port(request->device(), request->force()), response);
}

grpc::Status AdminService::UnbindPort(grpc::ServerContext*, const v1::UnbindPortRequest* request,
                                      v1::BindPortResponse* response) {
  if (request->device().empty()) return invalid("device: is required");
  return reply(node_.unbind_port(request->device(), request->driver()), response);
}

grpc::Status AdminService::ControlProcess(grpc::ServerContext*, const v1::ControlProcessRequest* request,
                                          v1::ControlProcessResponse* response) {
  if (request->action() == v1::ControlProcessRequest::ACTION_UNSPECIFIED)
    return invalid("action: is required");
  return reply(node_.control_process(*request), response);
}

}  // namespace swarmdns::controlplane
