// Unix stream sockets of the control interfaces: listening with a mode, and who is at the other end.
// No gRPC here; every function may be called from any thread.
#pragma once

#include <sys/types.h>

#include <expected>
#include <optional>
#include <string>

namespace swarmdns::rpc {

// The identity the kernel recorded when the peer connected (SO_PEERCRED): it cannot be forged, and does not
// follow a later setuid() of the peer.
struct PeerCredentials {
  pid_t pid = 0;
  uid_t uid = 0;
  gid_t gid = 0;
};

std::optional<PeerCredentials> peer_credentials(int fd);

// A non-blocking, close-on-exec listening socket at `path` (an absolute path of at most 107 bytes). A socket
// file left behind by a dead process is replaced; one that somebody listens on is an error naming its owner's
// pid. The file has `mode` before the first connection can be made. The error is a sentence.
std::expected<int, std::string> listen_unix(const std::string& path, mode_t mode);

// A connected blocking socket, or a sentence saying why not.
std::expected<int, std::string> connect_unix(const std::string& path);

}  // namespace swarmdns::rpc
