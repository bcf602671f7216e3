#include "controlplane/peer/join_call.h"

#include <grpcpp/create_channel.h>

#include "controlplane/peer/channel_settings.h"
#include "proto/rpc/library.h"
#include "swarmdns/v1/peer.grpc.pb.h"

namespace swarmdns::controlplane {

std::expected<v1::JoinResponse, std::string> call_join(PeerTls& tls, const std::string& address,
                                                       const JoinToken& token, const v1::JoinRequest& request,
                                                       std::chrono::milliseconds timeout) {
  rpc::keep_library();
  const auto stub = v1::Peer::NewStub(grpc::CreateCustomChannel(address, tls.introducer_credentials(token),
                                                                peer_channel_arguments(PeerLimits())));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + timeout);
  v1::JoinResponse response;
  const grpc::Status status = stub->Join(&context, request, &response);
  if (!status.ok()) return std::unexpected(address + ": " + status.error_message());
  return response;
}

}  // namespace swarmdns::controlplane
