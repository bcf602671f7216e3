// Between net::Address and the kernel's socket addresses. Any thread.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>

#include "dataplane/net/address.h"

namespace swarmdns::miss {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  [[nodiscard]] const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }
  [[nodiscard]] sockaddr* get() noexcept { return reinterpret_cast<sockaddr*>(&storage); }
  [[nodiscard]] int family() const noexcept { return storage.ss_family; }
};

// An IPv4-mapped address becomes AF_INET. `port` in host order.
[[nodiscard]] SocketAddress to_socket_address(const net::Address& address, std::uint16_t port) noexcept;

struct Endpoint {
  net::Address address;
  std::uint16_t port = 0;  // host order
};
// AF_INET and AF_INET6; anything else gives the unspecified address.
[[nodiscard]] Endpoint from_socket_address(const sockaddr* address) noexcept;

// 127.0.0.0/8 and ::1.
[[nodiscard]] bool is_loopback(const net::Address& address) noexcept;

}  // namespace swarmdns::miss
