// How many connections there are, over all and of one client (an IPv4 address, an IPv6 /64). Shared by the
// stream threads; taken once a connection, so a lock is cheap enough.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>

#include "dataplane/miss/quota.h"
#include "dataplane/net/address.h"

namespace swarmdns::stream {

class ClientLimits {
 public:
  // Whatever the limits are later, no more than this many connections are ever counted.
  explicit ClientLimits(std::size_t bound) : per_client_(bound) {}

  // True: counted, to be given back by leave().
  [[nodiscard]] bool enter(const net::Address& client, std::uint32_t max_total, std::uint32_t max_per_client);
  void leave(const net::Address& client) noexcept;
  [[nodiscard]] std::size_t total() const;

 private:
  [[nodiscard]] std::uint64_t key(const net::Address& client) const noexcept;

  mutable std::mutex mutex_;
  miss::Quota per_client_;
  miss::QuotaKeys keys_;
  std::size_t total_ = 0;
};

}  // namespace swarmdns::stream
