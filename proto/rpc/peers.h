// Who is at the other end of a call: the kernel's word on each connection, found by what gRPC calls it.
// Filled by UnixServer, asked by handlers; any thread. No gRPC in this header.
//
// gRPC names a connection that was handed to it "fd:N", after its descriptor, and descriptors are used again.
// Asked while its call is running, the answer is still exact: a call holds its connection, and gRPC closes
// the descriptor with the last call that holds it, so no other connection has the number N until the handler
// has returned (tests/unit: PeersTest.ACallKeepsItsConnectionsNumber). Do not keep the name and ask later.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "proto/rpc/unix_socket.h"

namespace swarmdns::rpc {

class Peers {
 public:
  // The connection `fd` is about to be handed to gRPC. Replaces what an earlier one of that number left.
  void connected(int fd, const PeerCredentials& credentials);

  // `peer`: ServerContext::peer() of a call that has not returned. nullopt: no connection of this server.
  std::optional<PeerCredentials> of(const std::string& peer) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, PeerCredentials> by_name_;  // one each descriptor that ever was a connection
};

}  // namespace swarmdns::rpc
