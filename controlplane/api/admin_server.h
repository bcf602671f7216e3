// Serves the admin API on RUN_DIR/admin.sock. No gRPC in this header.
#pragma once

#include <sys/types.h>

#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "controlplane/api/node_control.h"

namespace swarmdns::controlplane {

class AdminServer {
 public:
  // `node` must outlive the server. `users`: who besides root may connect.
  static std::expected<std::unique_ptr<AdminServer>, std::string> start(
      const std::string& path, std::vector<uid_t> users, NodeControl& node,
      std::function<void(const std::string&)> log);
  virtual ~AdminServer() = default;

  // For connections made from now on; the mode of the socket follows.
  virtual void set_users(std::vector<uid_t> users) = 0;
  virtual void stop() = 0;
};

}  // namespace swarmdns::controlplane
