// A node that is somewhere else: the clients of the admin socket's services. No gRPC in this header.
#pragma once

#include <memory>
#include <string>

#include "controlplane/api/node_control.h"
#include "controlplane/api/swarm_control.h"

namespace swarmdns::controlplane {

// One connection, two services.
struct AdminConnection {
  std::unique_ptr<NodeControl> node;
  std::unique_ptr<SwarmControl> swarm;
};

// Connects to the admin socket. kUnreachable: nobody listens, with how to start it; kForbidden: this user may
// not.
Outcome<AdminConnection> connect_admin(const std::string& socket_path);

}  // namespace swarmdns::controlplane
