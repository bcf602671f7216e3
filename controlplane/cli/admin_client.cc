#include "controlplane/cli/admin_client.h"

#include <fcntl.h>
#include <grpcpp/create_channel_posix.h>
#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <cerrno>

#include "proto/rpc/library.h"
#include "proto/rpc/unix_socket.h"
#include "swarmdns/v1/admin.grpc.pb.h"

namespace swarmdns::controlplane {
namespace {

constexpr int kCallTimeoutMs = 15000;
constexpr int kSlowCallTimeoutMs = 90000;
constexpr int kStreamTimeoutMs = 3600 * 1000;

class AdminClient final : public NodeControl {
 public:
  AdminClient(const std::string& path, int fd) : path_(path) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(64 << 20);
    arguments.SetMaxSendMessageSize(64 << 20);
    rpc::keep_library();
    stub_ = v1::Admin::NewStub(grpc::CreateCustomInsecureChannelFromFd("admin", fd, arguments));
  }

  Outcome<v1::NodeStatus> node_status() override {
    return call<v1::NodeStatus>(&v1::Admin::Stub::GetNodeStatus, v1::GetNodeStatusRequest());
  }
  Outcome<v1::ConfigReport> check_config(const std::string& yaml, const std::string& file) override {
    v1::CheckConfigRequest request;
    request.set_yaml(yaml);
    request.set_file(file);
    return call<v1::ConfigReport>(&v1::Admin::Stub::CheckConfig, request);
  }
  Outcome<v1::ConfigReport> apply_config(const std::string& yaml, const std::string& file) override {
    v1::ApplyConfigRequest request;
    request.set_yaml(yaml);
    request.set_file(file);
    return call<v1::ConfigReport>(&v1::Admin::Stub::ApplyConfig, request, kSlowCallTimeoutMs);
  }
  Outcome<v1::ShowConfigResponse> show_config(bool defaults) override {
    v1::ShowConfigRequest request;
    request.set_defaults(defaults);
    return call<v1::ShowConfigResponse>(&v1::Admin::Stub::ShowConfig, request);
  }
  Outcome<v1::LookupResponse> lookup(const v1::LookupRequest& request) override {
    return call<v1::LookupResponse>(&v1::Admin::Stub::LookupCache, request);
  }
  Outcome<v1::FlushCacheResponse> flush(const v1::FlushRequest& request) override {
    return call<v1::FlushCacheResponse>(&v1::Admin::Stub::FlushCache, request, kSlowCallTimeoutMs);
  }
  Outcome<v1::StatsSnapshot> stats() override {
    return call<v1::StatsSnapshot>(&v1::Admin::Stub::GetStats, v1::GetStatsRequest());
  }
  Outcome<v1::ListPortsResponse> list_ports(const std::string& device) override {
    v1::ListPortsRequest request;
    request.set_device(device);
    return call<v1::ListPortsResponse>(&v1::Admin::Stub::ListPorts, request);
  }
  Outcome<v1::BindPortResponse> bind_port(const std::string& device, bool force) override {
    v1::BindPortRequest request;
    request.set_device(device);
    request.set_force(force);
    return call<v1::BindPortResponse>(&v1::Admin::Stub::BindPort, request, kSlowCallTimeoutMs);
  }
  Outcome<v1::BindPortResponse> unbind_port(const std::string& device, const std::string& driver) override {
    v1::UnbindPortRequest request;
    request.set_device(device);
    request.set_driver(driver);
    return call<v1::BindPortResponse>(&v1::Admin::Stub::UnbindPort, request, kSlowCallTimeoutMs);
  }
  Outcome<v1::ControlProcessResponse> control_process(const v1::ControlProcessRequest& request) override {
    return call<v1::ControlProcessResponse>(&v1::Admin::Stub::ControlProcess, request, kSlowCallTimeoutMs);
  }

  Outcome<void> dump(const std::function<bool(const v1::CacheSlice&)>& take) override {
    grpc::ClientContext context;
    set_deadline(context, kStreamTimeoutMs);
    auto reader = stub_->DumpCache(&context, v1::DumpRequest());
    v1::CacheSlice slice;
    while (reader->Read(&slice)) {
      if (!take(slice)) {
        context.TryCancel();
        break;
      }
    }
    const auto status = reader->Finish();
    if (!status.ok()) return std::unexpected(refusal_of(status));
    return {};
  }
  Outcome<v1::LoadResponse> load(const std::function<bool(v1::CacheSlice&)>& next) override {
    grpc::ClientContext context;
    set_deadline(context, kStreamTimeoutMs);
    v1::LoadResponse response;
    auto writer = stub_->LoadCache(&context, &response);
    v1::CacheSlice slice;
    while (next(slice) && writer->Write(slice)) {
    }
    writer->WritesDone();
    const auto status = writer->Finish();
    if (!status.ok()) return std::unexpected(refusal_of(status));
    return response;
  }

 private:
  static void set_deadline(grpc::ClientContext& context, int timeout_ms) {
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(timeout_ms));
  }

  template <typename Response, typename Method, typename Request>
  Outcome<Response> call(Method method, const Request& request, int timeout_ms = kCallTimeoutMs) {
    grpc::ClientContext context;
    set_deadline(context, timeout_ms);
    Response response;
    const grpc::Status status = (stub_.get()->*method)(&context, request, &response);
    if (!status.ok()) return std::unexpected(refusal_of(status));
    answered_ = true;
    return response;
  }

  Refusal refusal_of(const grpc::Status& status) const {
    const bool own = status.error_details() == kOwnAnswer;
    switch (status.error_code()) {
      case grpc::StatusCode::INVALID_ARGUMENT:
        return {Refusal::Kind::kInvalid, status.error_message()};
      case grpc::StatusCode::NOT_FOUND:
        return {Refusal::Kind::kNotFound, status.error_message()};
      case grpc::StatusCode::FAILED_PRECONDITION:
        return {Refusal::Kind::kPrecondition, status.error_message()};
      case grpc::StatusCode::PERMISSION_DENIED:
        return {Refusal::Kind::kForbidden, status.error_message()};
      case grpc::StatusCode::UNAVAILABLE:
        if (own) return {Refusal::Kind::kUnavailable, status.error_message()};
        // The server closes the connection of a user it does not know without a word.
        if (!answered_ && geteuid() != 0) {
          return {Refusal::Kind::kForbidden, "the control plane turned this user away on " + path_ +
                                                 "; use sudo, or have root add the user to node.admin_users"};
        }
        return {Refusal::Kind::kUnreachable,
                "the control plane went away during the call (" + path_ +
                    "); whether it was carried out is not known: look at swarmctl status"};
      case grpc::StatusCode::DEADLINE_EXCEEDED:
        return {Refusal::Kind::kUnreachable, "the control plane did not answer in time on " + path_};
      default:
        return {Refusal::Kind::kFailed, status.error_message()};
    }
  }

  std::string path_;
  std::unique_ptr<v1::Admin::Stub> stub_;
  bool answered_ = false;
};

}  // namespace

Outcome<std::unique_ptr<NodeControl>> connect_admin(const std::string& socket_path) {
  const auto fd = rpc::connect_unix(socket_path);
  if (!fd) {
    if (access(socket_path.c_str(), F_OK) == 0 && access(socket_path.c_str(), W_OK) != 0 && errno == EACCES) {
      return std::unexpected(Refusal{Refusal::Kind::kForbidden,
                                     "this user may not use " + socket_path +
                                         "; use sudo, or have root add the user to node.admin_users"});
    }
    return std::unexpected(
        Refusal{Refusal::Kind::kUnreachable,
                "the control plane is not reachable: " + fd.error() +
                    "\nStart it: systemctl start swarmdns-controlplane, or swarmdns-controlplane --config "
                    "/etc/swarmdns/node.yaml\n(another socket: --socket PATH or SWARMDNS_SOCKET). The data "
                    "plane, if it "
                    "runs, goes on answering; only changes and what swarmctl shows wait."});
  }
  fcntl(*fd, F_SETFL, fcntl(*fd, F_GETFL) | O_NONBLOCK);
  return std::make_unique<AdminClient>(socket_path, *fd);
}

}  // namespace swarmdns::controlplane
