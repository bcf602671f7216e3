#include "dataplane/stream/client_limits.h"

namespace swarmdns::stream {

std::uint64_t ClientLimits::key(const net::Address& client) const noexcept {
  return keys_.block(client, client.is_v4() ? 16 : 8);  // /32 within the IPv4-mapped form, /64
}

bool ClientLimits::enter(const net::Address& client, std::uint32_t max_total, std::uint32_t max_per_client) {
  const std::lock_guard lock(mutex_);
  if (total_ >= max_total || !per_client_.take(key(client), max_per_client)) return false;
  ++total_;
  return true;
}

void ClientLimits::leave(const net::Address& client) noexcept {
  const std::lock_guard lock(mutex_);
  per_client_.give(key(client));
  --total_;
}

std::size_t ClientLimits::total() const {
  const std::lock_guard lock(mutex_);
  return total_;
}

}  // namespace swarmdns::stream
