#include "controlplane/dataplane_link/link.h"

#include <grpcpp/grpcpp.h>

#include "proto/rpc/library.h"
#include "swarmdns/v1/dataplane.grpc.pb.h"

namespace swarmdns::controlplane {
namespace {

constexpr int kCallTimeoutMs = 10000;
// A cache of a terabyte is no reason to wait for ever, but a dump of one takes its time.
constexpr int kStreamTimeoutMs = 3600 * 1000;

void set_deadline(grpc::ClientContext& context, int timeout_ms) {
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(timeout_ms));
}

LinkError error_of(const grpc::Status& status, const std::string& socket_path) {
  LinkError error;
  error.text = status.error_message();
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
      error.kind = LinkError::Kind::kUnreachable;
      error.text = "nobody answers on " + socket_path + " (" + status.error_message() + ")";
      break;
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      error.kind = LinkError::Kind::kUnreachable;
      error.text = "the data plane did not answer in time on " + socket_path;
      break;
    case grpc::StatusCode::INVALID_ARGUMENT:
    case grpc::StatusCode::FAILED_PRECONDITION:
    case grpc::StatusCode::OUT_OF_RANGE:
    case grpc::StatusCode::DATA_LOSS:
    case grpc::StatusCode::NOT_FOUND:
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      error.kind = LinkError::Kind::kRefused;
      break;
    default:
      error.kind = LinkError::Kind::kFailed;
  }
  return error;
}

}  // namespace

struct DataplaneLink::Channel {
  std::unique_ptr<v1::Dataplane::Stub> stub;
};

DataplaneLink::DataplaneLink(std::string socket_path)
    : socket_path_(std::move(socket_path)), channel_(std::make_unique<Channel>()) {
  rpc::keep_library();
  grpc::ChannelArguments arguments;
  // A data plane that was restarted is to be seen within a moment, not after gRPC's back-off of up to two
  // minutes.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 500);
  arguments.SetMaxReceiveMessageSize(64 << 20);
  arguments.SetMaxSendMessageSize(64 << 20);
  channel_->stub = v1::Dataplane::NewStub(
      grpc::CreateCustomChannel("unix:" + socket_path_, grpc::InsecureChannelCredentials(), arguments));
}

DataplaneLink::~DataplaneLink() = default;

LinkResult<v1::DataplaneStatus> DataplaneLink::status(int timeout_ms) {
  grpc::ClientContext context;
  set_deadline(context, timeout_ms);
  v1::DataplaneStatus response;
  const auto status = channel_->stub->GetStatus(&context, v1::GetStatusRequest(), &response);
  if (!status.ok()) return std::unexpected(error_of(status, socket_path_));
  return response;
}

LinkResult<v1::StatsSnapshot> DataplaneLink::stats() {
  grpc::ClientContext context;
  set_deadline(context, kCallTimeoutMs);
  v1::StatsSnapshot response;
  const auto status = channel_->stub->GetStats(&context, v1::GetStatsRequest(), &response);
  if (!status.ok()) return std::unexpected(error_of(status, socket_path_));
  return response;
}

LinkResult<v1::ConfigureResponse> DataplaneLink::configure(const v1::DataplaneConfig& config,
                                                           bool check_only) {
  grpc::ClientContext context;
  set_deadline(context, kCallTimeoutMs);
  v1::ConfigureRequest request;
  *request.mutable_config() = config;
  request.set_check_only(check_only);
  v1::ConfigureResponse response;
  const auto status = channel_->stub->Configure(&context, request, &response);
  if (!status.ok()) return std::unexpected(error_of(status, socket_path_));
  return response;
}

LinkResult<v1::GetConfigResponse> DataplaneLink::config() {
  grpc::ClientContext context;
  set_deadline(context, kCallTimeoutMs);
  v1::GetConfigResponse response;
  const auto status = channel_->stub->GetConfig(&context, v1::GetConfigRequest(), &response);
  if (!status.ok()) return std::unexpected(error_of(status, socket_path_));
  return response;
}

LinkResult<v1::LookupResponse> DataplaneLink::lookup(const v1::LookupRequest& request) {
  grpc::ClientContext context;
  set_deadline(context, kCallTimeoutMs);
  v1::LookupResponse response;
  const auto status = channel_->stub->Lookup(&context, request, &response);
  if (!status.ok()) return std::unexpected(error_of(status, socket_path_));
  return response;
}

LinkResult<v1::FlushResponse> DataplaneLink::flush(const v1::FlushRequest& request) {
  grpc::ClientContext context;
  set_deadline(context, 60000);  // a zone may need a walk over the whole cache
  v1::FlushResponse response;
  const auto status = channel_->stub->Flush(&context, request, &response);
  if (!status.ok()) return std::unexpected(error_of(status, socket_path_));
  return response;
}

LinkResult<void> DataplaneLink::shutdown() {
  grpc::ClientContext context;
  set_deadline(context, kCallTimeoutMs);
  v1::ShutdownResponse response;
  const auto status = channel_->stub->Shutdown(&context, v1::ShutdownRequest(), &response);
  if (!status.ok()) return std::unexpected(error_of(status, socket_path_));
  return {};
}

LinkResult<void> DataplaneLink::dump(const std::function<bool(const v1::CacheSlice&)>& take) {
  grpc::ClientContext context;
  set_deadline(context, kStreamTimeoutMs);
  auto reader = channel_->stub->Dump(&context, v1::DumpRequest());
  v1::CacheSlice slice;
  while (reader->Read(&slice)) {
    if (!take(slice)) {
      context.TryCancel();
      break;
    }
  }
  const auto status = reader->Finish();
  if (!status.ok()) return std::unexpected(error_of(status, socket_path_));
  return {};
}

LinkResult<v1::LoadResponse> DataplaneLink::load(const std::function<bool(v1::CacheSlice&)>& next) {
  grpc::ClientContext context;
  set_deadline(context, kStreamTimeoutMs);
  v1::LoadResponse response;
  auto writer = channel_->stub->Load(&context, &response);
  v1::CacheSlice slice;
  // A write that fails means that the data plane has decided already: Finish says what.
  while (next(slice) && writer->Write(slice)) {
  }
  writer->WritesDone();
  const auto status = writer->Finish();
  if (!status.ok()) return std::unexpected(error_of(status, socket_path_));
  return response;
}

}  // namespace swarmdns::controlplane
