#include "dataplane/restart/node_key.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "proto/config/store.h"

namespace swarmdns::restart {

std::string node_key_path(const std::string& state_dir) {
  return state_dir + "/cache.key";
}

std::expected<KeptKey, std::string> node_key(const std::string& state_dir) {
  const std::string path = node_key_path(state_dir);
  KeptKey kept;
  const bool missing = access(path.c_str(), F_OK) != 0 && errno == ENOENT;
  if (!missing) {
    auto text = config::read_file(path, 4096);
    if (!text) return std::unexpected(text.error());
    if (text->size() == kept.key.size()) {
      std::memcpy(kept.key.data(), text->data(), kept.key.size());
      sodium_memzero(text->data(), text->size());
      // Nobody else's, whatever was done to it.
      if (chmod(path.c_str(), 0600) != 0) {
        return std::unexpected("cannot keep " + path + " from other users: " + std::strerror(errno));
      }
      return kept;
    }
    kept.warning = path + " has " + std::to_string(text->size()) +
                   " octets instead of 32; another key was made, and what was written under the old one "
                   "cannot be read";
  }
  randombytes_buf(kept.key.data(), kept.key.size());
  std::string octets(reinterpret_cast<const char*>(kept.key.data()), kept.key.size());
  auto written = config::write_file_atomically(path, octets, 0600);
  sodium_memzero(octets.data(), octets.size());
  if (!written) return std::unexpected(written.error());
  return kept;
}

}  // namespace swarmdns::restart
