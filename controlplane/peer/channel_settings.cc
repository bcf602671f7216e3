#include "controlplane/peer/channel_settings.h"

#include <grpcpp/resource_quota.h>

#include "controlplane/certs/tls_credentials.h"

namespace swarmdns::controlplane {
namespace {

// Beside the message: what frames a batch.
constexpr std::size_t kFraming = 64u << 10;
// A connection without a call, of a stranger that was refused; or one that does not get on with TLS.
constexpr int kIdleMs = 30000;

// By default a client may ping once in five minutes when it has nothing to say, and a server that is pinged
// more often than that hangs up.
template <typename SetInt>
void set_pings(const PeerLimits& limits, const SetInt& set) {
  set(GRPC_ARG_KEEPALIVE_TIME_MS, limits.keepalive_ms);
  set(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, limits.keepalive_timeout_ms);
  set(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  set(GRPC_ARG_HTTP2_MIN_SENT_PING_INTERVAL_WITHOUT_DATA_MS, limits.keepalive_ms / 2);
  set(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, limits.keepalive_ms / 4);
  set(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 0);
}

}  // namespace

grpc::ChannelArguments peer_channel_arguments(const PeerLimits& limits) {
  grpc::ChannelArguments arguments = PeerTls::channel_arguments();
  set_pings(limits, [&](const char* name, int value) { arguments.SetInt(name, value); });
  // One attempt a channel; GrpcPeerLink paces them. This is what bounds the attempt's time.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, limits.connect_timeout_ms);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, limits.connect_timeout_ms);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, limits.connect_timeout_ms);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  arguments.SetMaxReceiveMessageSize(static_cast<int>(limits.message_bytes + kFraming));
  arguments.SetMaxSendMessageSize(static_cast<int>(limits.message_bytes + kFraming));
  return arguments;
}

void set_up_peer_server(grpc::ServerBuilder& builder, const PeerLimits& limits) {
  set_pings(limits, [&](const char* name, int value) { builder.AddChannelArgument(name, value); });
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);  // a second node on the address is an error
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, kIdleMs);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kIdleMs);
  builder.SetMaxReceiveMessageSize(static_cast<int>(limits.message_bytes + kFraming));
  builder.SetMaxSendMessageSize(static_cast<int>(limits.message_bytes + kFraming));
  grpc::ResourceQuota quota("peer server");
  quota.Resize(limits.server_bytes);
  builder.SetResourceQuota(quota);
}

}  // namespace swarmdns::controlplane
