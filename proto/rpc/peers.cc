#include "proto/rpc/peers.h"

namespace swarmdns::rpc {

void Peers::connected(int fd, const PeerCredentials& credentials) {
  const std::lock_guard lock(mutex_);
  by_name_["fd:" + std::to_string(fd)] = credentials;
}

std::optional<PeerCredentials> Peers::of(const std::string& peer) const {
  const std::lock_guard lock(mutex_);
  const auto at = by_name_.find(peer);
  if (at == by_name_.end()) return std::nullopt;
  return at->second;
}

}  // namespace swarmdns::rpc
