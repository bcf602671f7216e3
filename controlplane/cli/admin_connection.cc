#include "controlplane/cli/admin_connection.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "controlplane/cli/admin_client.h"
#include "controlplane/cli/swarm_client.h"
#include "proto/rpc/unix_socket.h"

namespace swarmdns::controlplane {

Outcome<AdminConnection> connect_admin(const std::string& socket_path) {
  const auto fd = rpc::connect_unix(socket_path);
  if (!fd) {
    if (access(socket_path.c_str(), F_OK) == 0 && access(socket_path.c_str(), W_OK) != 0 && errno == EACCES) {
      return std::unexpected(Refusal{Refusal::Kind::kForbidden,
                                     "this user may not use " + socket_path +
                                         "; use sudo, or have root add the user to node.admin_users"});
    }
    return std::unexpected(
        Refusal{Refusal::Kind::kUnreachable,
                "the control plane is not reachable: " + fd.error() +
                    "\nStart it: systemctl start swarmdns-controlplane, or swarmdns-controlplane --config "
                    "/etc/swarmdns/node.yaml\n(another socket: --socket PATH or SWARMDNS_SOCKET). The data "
                    "plane, if it "
                    "runs, goes on answering; only changes and what swarmctl shows wait."});
  }
  fcntl(*fd, F_SETFL, fcntl(*fd, F_GETFL) | O_NONBLOCK);
  const auto channel = std::make_shared<AdminChannel>(socket_path, *fd);
  return AdminConnection{make_admin_client(channel), make_swarm_client(channel)};
}

}  // namespace swarmdns::controlplane
