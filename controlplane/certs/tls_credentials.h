// mTLS between nodes: gRPC does the TLS, check_peer() decides who the other side is.
//
// What gRPC 1.51 has, and what of it is used:
//  - Its updatable certificate provider is the file watcher: a thread that looks every second. Its static one
//    cannot be changed, and one of our own needs headers that are not installed. So a server takes its
//    certificate from a fetcher (grpc_ssl_server_credentials_create_options_using_config_fetcher, plain C
//    API), which gRPC asks at each handshake: a new certificate counts from the next connection on, and
//    streams that run keep theirs. A channel has the certificate of the moment its credentials were made:
//    make them anew for each connection, as GrpcPeerLink does, with channel_arguments(), or it may share an
//    older one.
//  - The server asks for and requires a client certificate but verifies nothing (…_BUT_DONT_VERIFY), since
//  gRPC
//    would turn away strangers who want to join, and members with expired certificates. Possession of the key
//    is proved by TLS all the same. Thus EVERY HANDLER of the server must ask caller() first; its refusal
//    reaches the peer as a status with the reason, which one in the handshake could not.
//  - The channel's verifier runs in the handshake, before anything is sent. It answers at once, on gRPC's
//    thread, and holds no lock meanwhile. Its refusal comes out as UNAVAILABLE with our sentence in it.
//  - On the server x509_pem_cert_chain lacks the peer's own certificate (OpenSSL's SSL_get_peer_cert_chain
//  does
//    so), on the client it has it. Both are put together here.
//  - set_check_call_host(false), else each call fails whose target is no name in the certificate, and
//    set_verify_server_certs(false), else gRPC looks for the system's roots.
//  - The fetcher must give roots, although nothing is verified by them: gRPC aborts otherwise.
//  - Nothing must be left in the thread's queue of OpenSSL errors; see openssl.h.
#pragma once

#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/channel_arguments.h>

#include <atomic>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>

#include "controlplane/certs/join_token.h"
#include "controlplane/certs/peer_check.h"
#include "controlplane/certs/secret.h"

namespace swarmdns::controlplane {

// All of it may be called from any thread. It must outlive the servers made with its credentials; channels
// keep what they need.
class PeerTls {
 public:
  // Unix time in seconds; called on gRPC's threads.
  using WallClock = std::function<std::int64_t()>;

  explicit PeerTls(WallClock now);
  ~PeerTls();
  PeerTls(const PeerTls&) = delete;
  PeerTls& operator=(const PeerTls&) = delete;

  // This node's key (PEM) and chain (its own certificate first), for connections from now on. Needed before a
  // server listens and before credentials are made. An error when they do not belong together; then the old
  // ones stay.
  std::expected<void, std::string> set_identity(const Secret& key, const std::string& chain);
  // Judged by it from now on. What runs is not touched: whoever keeps streams ends them. Before the first
  // view everybody is refused.
  void set_swarm(std::shared_ptr<const SwarmView> swarm);
  std::shared_ptr<const SwarmView> swarm() const;

  std::shared_ptr<grpc::ServerCredentials> server_credentials();
  // To the node `expected` of the swarm, and to nobody else. `later` is set, before the connection ends, when
  // whoever answers says that it is of a later incarnation.
  std::shared_ptr<grpc::ChannelCredentials> member_credentials(
      std::uint64_t expected, std::shared_ptr<std::atomic<bool>> later = nullptr);
  // To whoever says so, and sets `later` likewise, to be told off by it: nothing that it says is to be
  // believed.
  std::shared_ptr<grpc::ChannelCredentials> later_credentials(std::shared_ptr<std::atomic<bool>> later);
  // To any node of the token's swarm, for one who joins.
  std::shared_ptr<grpc::ChannelCredentials> introducer_credentials(const JoinToken& token);

  // For every channel with these credentials: a connection of its own, and the name that certificates have.
  static grpc::ChannelArguments channel_arguments();

  // Who made this call, by the view of now.
  PeerVerdict caller(const grpc::ServerContextBase& call) const;

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace swarmdns::controlplane
