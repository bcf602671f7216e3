// gRPC's settings for connections between nodes, both sides.
#pragma once

#include <grpcpp/server_builder.h>
#include <grpcpp/support/channel_arguments.h>

#include "controlplane/peer/peer_limits.h"

namespace swarmdns::controlplane {

// A connection of its own for each channel made with them, no proxy, no retries, pings.
grpc::ChannelArguments peer_channel_arguments(const PeerLimits& limits);
void set_up_peer_server(grpc::ServerBuilder& builder, const PeerLimits& limits);

}  // namespace swarmdns::controlplane
