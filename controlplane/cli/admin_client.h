// A NodeControl that is somewhere else: the client of the admin API. No gRPC in this header.
#pragma once

#include <memory>
#include <string>

#include "controlplane/api/node_control.h"

namespace swarmdns::controlplane {

// Connects to the admin socket. kUnreachable: nobody listens, with how to start it; kForbidden: this user may
// not.
Outcome<std::unique_ptr<NodeControl>> connect_admin(const std::string& socket_path);

}  // namespace swarmdns::controlplane
