// The joining node's side of Peer.Join.
#pragma once

#include <chrono>
#include <expected>
#include <string>

#include "controlplane/certs/join_token.h"
#include "controlplane/certs/tls_credentials.h"
#include "swarmdns/v1/peer.pb.h"

namespace swarmdns::controlplane {

// Blocks: not on the reactor thread. `tls` has the identity of the new node, with a certificate of any kind
// (make_stranger_certificate). Nothing is sent before the other side has proved to be a node of the token's
// swarm. The error says what failed, in the other node's words where it has answered.
std::expected<v1::JoinResponse, std::string> call_join(PeerTls& tls, const std::string& address,
                                                       const JoinToken& token, const v1::JoinRequest& request,
                                                       std::chrono::milliseconds timeout);

}  // namespace swarmdns::controlplane
