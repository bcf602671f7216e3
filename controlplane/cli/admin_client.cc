#include "controlplane/cli/admin_client.h"

#include "swarmdns/v1/admin.grpc.pb.h"

namespace swarmdns::controlplane {
namespace {

class AdminClient final : public NodeControl {
 public:
  explicit AdminClient(std::shared_ptr<AdminChannel> channel)
      : channel_(std::move(channel)), stub_(v1::Admin::NewStub(channel_->channel())) {}

  Outcome<v1::NodeStatus> node_status() override {
    return call(&v1::Admin::Stub::GetNodeStatus, v1::GetNodeStatusRequest());
  }
  Outcome<v1::ConfigReport> check_config(const std::string& yaml, const std::string& file) override {
    v1::CheckConfigRequest request;
    request.set_yaml(yaml);
    request.set_file(file);
    return call(&v1::Admin::Stub::CheckConfig, request);
  }
  Outcome<v1::ConfigReport> apply_config(const std::string& yaml, const std::string& file) override {
    v1::ApplyConfigRequest request;
    request.set_yaml(yaml);
    request.set_file(file);
    return call(&v1::Admin::Stub::ApplyConfig, request, AdminChannel::kSlowCallMs);
  }
  Outcome<v1::ShowConfigResponse> show_config(bool defaults) override {
    v1::ShowConfigRequest request;
    request.set_defaults(defaults);
    return call(&v1::Admin::Stub::ShowConfig, request);
  }
  Outcome<v1::LookupResponse> lookup(const v1::LookupRequest& request) override {
    return call(&v1::Admin::Stub::LookupCache, request);
  }
  Outcome<v1::FlushCacheResponse> flush(const v1::FlushRequest& request) override {
    return call(&v1::Admin::Stub::FlushCache, request, AdminChannel::kSlowCallMs);
  }
  Outcome<v1::StatsSnapshot> stats() override {
    return call(&v1::Admin::Stub::GetStats, v1::GetStatsRequest());
  }
  Outcome<v1::ListPortsResponse> list_ports(const std::string& device) override {
    v1::ListPortsRequest request;
    request.set_device(device);
    return call(&v1::Admin::Stub::ListPorts, request);
  }
  Outcome<v1::BindPortResponse> bind_port(const std::string& device, bool force) override {
    v1::BindPortRequest request;
    request.set_device(device);
    request.set_force(force);
    return call(&v1::Admin::Stub::BindPort, request, AdminChannel::kSlowCallMs);
  }
  Outcome<v1::BindPortResponse> unbind_port(const std::string& device, const std::string& driver) override {
    v1::UnbindPortRequest request;
    request.set_device(device);
    request.set_driver(driver);
    return call(&v1::Admin::Stub::UnbindPort, request, AdminChannel::kSlowCallMs);
  }
  Outcome<v1::ControlProcessResponse> control_process(const v1::ControlProcessRequest& request) override {
    return call(&v1::Admin::Stub::ControlProcess, request, AdminChannel::kSlowCallMs);
  }

  Outcome<void> dump(const std::function<bool(const v1::CacheSlice&)>& take) override {
    return channel_->read<v1::CacheSlice>(
        [&](grpc::ClientContext* context) { return stub_->DumpCache(context, v1::DumpRequest()); }, take);
  }
  Outcome<v1::LoadResponse> load(const std::function<bool(v1::CacheSlice&)>& next) override {
    grpc::ClientContext context;
    AdminChannel::set_deadline(context, AdminChannel::kStreamMs);
    v1::LoadResponse response;
    auto writer = stub_->LoadCache(&context, &response);
    v1::CacheSlice slice;
    while (next(slice) && writer->Write(slice)) {
    }
    writer->WritesDone();
    const auto status = writer->Finish();
    if (!status.ok()) return std::unexpected(channel_->refusal_of(status));
    return response;
  }

 private:
  template <typename Request, typename Response>
  Outcome<Response> call(grpc::Status (v1::Admin::Stub::*method)(grpc::ClientContext*, const Request&,
                                                                 Response*),
                         const Request& request, int timeout_ms = AdminChannel::kCallMs) {
    return channel_->call(*stub_, method, request, timeout_ms);
  }

  std::shared_ptr<AdminChannel> channel_;
  std::unique_ptr<v1::Admin::Stub> stub_;
};

}  // namespace

std::unique_ptr<NodeControl> make_admin_client(std::shared_ptr<AdminChannel> channel) {
  return std::make_unique<AdminClient>(std::move(channel));
}

}  // namespace swarmdns::controlplane
