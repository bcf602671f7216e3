#include "dataplane/miss/sockaddr.h"

#include <algorithm>
#include <cstring>

namespace swarmdns::miss {

bool is_loopback(const net::Address& address) noexcept {
  if (address.is_v4()) return address.bytes[12] == 127;
  return std::all_of(address.bytes.begin(), address.bytes.end() - 1, [](auto b) { return b == 0; }) &&
         address.bytes[15] == 1;
}

SocketAddress to_socket_address(const net::Address& address, std::uint16_t port) noexcept {
  SocketAddress out;
  if (address.is_v4()) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(port);
    std::memcpy(&in.sin_addr, address.bytes.data() + 12, 4);
    std::memcpy(&out.storage, &in, sizeof in);
    out.size = sizeof in;
  } else {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(port);
    std::memcpy(&in.sin6_addr, address.bytes.data(), 16);
    std::memcpy(&out.storage, &in, sizeof in);
    out.size = sizeof in;
  }
  return out;
}

Endpoint from_socket_address(const sockaddr* address) noexcept {
  Endpoint out;
  if (address->sa_family == AF_INET) {
    sockaddr_in in;
    std::memcpy(&in, address, sizeof in);
    out.address.bytes[10] = out.address.bytes[11] = 0xff;
    std::memcpy(out.address.bytes.data() + 12, &in.sin_addr, 4);
    out.port = ntohs(in.sin_port);
  } else if (address->sa_family == AF_INET6) {
    sockaddr_in6 in;
    std::memcpy(&in, address, sizeof in);
    std::memcpy(out.address.bytes.data(), &in.sin6_addr, 16);
    out.port = ntohs(in.sin6_port);
  }
  return out;
}

}  // namespace swarmdns::miss
