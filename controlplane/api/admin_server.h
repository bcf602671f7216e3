// Serves the services Admin and SwarmAdmin on RUN_DIR/admin.sock. No gRPC in this header.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>

#include "controlplane/api/callers.h"
#include "controlplane/api/node_control.h"
#include "controlplane/api/swarm_control.h"

namespace swarmdns::controlplane {

class AdminServer {
 public:
  // Both must outlive the server. `swarm` nullptr: SwarmAdmin is not served (swarmctl says that this version
  // cannot).
  static std::expected<std::unique_ptr<AdminServer>, std::string> start(
      const std::string& path, AdminAccess access, NodeControl& node, SwarmControl* swarm,
      std::function<void(const std::string&)> log);
  virtual ~AdminServer() = default;

  // Who may connect: for connections made from now on, the mode of the socket follows. The rest: at once.
  virtual void set_access(AdminAccess access) = 0;
  virtual void stop() = 0;
};

}  // namespace swarmdns::controlplane
