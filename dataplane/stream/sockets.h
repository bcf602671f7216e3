// The kernel sockets of the service: TCP and UDP on every service address, a set for each thread. Opened
// before root is dropped, for port 53 needs it.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <vector>

#include "dataplane/net/address.h"
#include "dataplane/stream/file_descriptor.h"

namespace swarmdns::stream {

struct Socket {
  FileDescriptor fd;
  net::Address address;
};

// What one thread serves. Bound to one address each, so that a reply leaves from the address that was asked.
struct ThreadSockets {
  std::vector<Socket> tcp;  // listening
  std::vector<Socket> udp;
};

// `port` 0: the kernel chooses, one for UDP and one for TCP of each address (tests). The addresses need not
// be on an interface yet. The error names address, protocol and what to do.
[[nodiscard]] std::expected<std::vector<ThreadSockets>, std::string> open_sockets(
    std::span<const net::Address> addresses, std::uint16_t port, std::size_t threads);

// The local port, host order; 0 when there is none.
[[nodiscard]] std::uint16_t local_port(const Socket& socket) noexcept;

}  // namespace swarmdns::stream
