#include "controlplane/resolver/trust_anchor.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "proto/config/store.h"

namespace swarmdns::controlplane {

std::expected<bool, std::string> seed_trust_anchor(const std::string& source, const std::string& copy,
                                                   const std::string& seed, uid_t uid, gid_t gid) {
  const auto wanted = config::read_file(source, 1u << 20);
  if (!wanted) return std::unexpected(wanted.error());
  const auto seeded = config::read_file(seed, 1u << 20);
  if (seeded && *seeded == *wanted && access(copy.c_str(), F_OK) == 0) return false;
  if (auto written = config::write_file_atomically(copy, *wanted, 0644); !written) {
    return std::unexpected(written.error());
  }
  // The directory is the resolver user's: a link it could have planted meanwhile is not followed.
  if (lchown(copy.c_str(), uid, gid) != 0) {
    return std::unexpected("cannot give " + copy + " to the resolver's user: " + std::strerror(errno));
  }
  if (auto written = config::write_file_atomically(seed, *wanted, 0644); !written) {
    return std::unexpected(written.error());
  }
  return true;
}

}  // namespace swarmdns::controlplane
