#include "proto/rpc/library.h"

#include <grpc/grpc.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

namespace swarmdns::rpc {
namespace {

struct Keeper {
  std::shared_ptr<grpc::Channel> channel =
      grpc::CreateChannel("unix:/nobody/listens/here", grpc::InsecureChannelCredentials());
  grpc::GenericStub stub{channel};
  grpc::ClientContext context;
  grpc::Slice nothing;
  grpc::ByteBuffer request{&nothing, 1};
  grpc::ByteBuffer response;
};

}  // namespace

void keep_library() {
  // One reference more than all channels and servers hold; the end of the process takes it.
  [[maybe_unused]] static const bool kept = (grpc_init(), true);
}

void keep_callbacks() {
  keep_library();
  // A channel takes its reference with its first call. Never destroyed, for the same reason.
  static const Keeper* volatile kept = [] {
    auto* keeper = new Keeper;
    keeper->stub.UnaryCall(&keeper->context, "/swarmdns/Nothing", {}, &keeper->request, &keeper->response,
                           [](const grpc::Status&) {});
    return keeper;
  }();
  (void)kept;
}

}  // namespace swarmdns::rpc
