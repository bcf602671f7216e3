#include "dataplane/stream/sockets.h"

#include <netinet/tcp.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "dataplane/miss/sockaddr.h"

namespace swarmdns::stream {
namespace {

constexpr int kBacklog = 1024;
constexpr int kUdpBuffer = 1 << 20;  // octets

bool set(int fd, int level, int option, int value = 1) noexcept {
  return ::setsockopt(fd, level, option, &value, sizeof value) == 0;
}

std::unexpected<std::string> failure(const net::Address& address, std::uint16_t port, bool tcp,
                                     const char* step, int error) {
  std::string text = std::string(tcp ? "TCP " : "UDP ") + address.to_text() + " port " +
                     std::to_string(port) + ": " + step + ": " + std::strerror(error);
  if (error == EADDRINUSE)
    text += "; stop the other server on that address, or take the address off this node";
  if (error == EACCES) text += "; ports below 1024 need root or CAP_NET_BIND_SERVICE";
  return std::unexpected(std::move(text));
}

std::expected<Socket, std::string> open_one(const net::Address& address, std::uint16_t port, bool tcp) {
  const miss::SocketAddress local = miss::to_socket_address(address, port);
  const bool v4 = local.family() == AF_INET;
  Socket out;
  out.address = address;
  out.fd = FileDescriptor(
      ::socket(local.family(), (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!out.fd) return failure(address, port, tcp, "socket", errno);
  const int fd = out.fd.get();
  // The exception path's interface may come up later than we do, or come back: IP_FREEBIND.
  bool good = set(fd, SOL_SOCKET, SO_REUSEPORT) && (!tcp || set(fd, SOL_SOCKET, SO_REUSEADDR));
  good = good && (v4 ? set(fd, IPPROTO_IP, IP_FREEBIND)
                     : set(fd, IPPROTO_IPV6, IPV6_V6ONLY) && set(fd, IPPROTO_IPV6, IPV6_FREEBIND));
  if (!good) return failure(address, port, tcp, "setsockopt", errno);
  if (tcp) {
    (void)set(fd, IPPROTO_TCP, TCP_NODELAY);  // inherited by what is accepted
  } else {
    (void)set(fd, SOL_SOCKET, SO_RCVBUF, kUdpBuffer);
    // An answer may be fragmented, as the question was, but a forged "packet too big" shall not say how far.
    (void)(v4 ? set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT)
              : set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT));
  }
  if (::bind(fd, local.get(), local.size) != 0) return failure(address, port, tcp, "bind", errno);
  if (tcp && ::listen(fd, kBacklog) != 0) return failure(address, port, tcp, "listen", errno);
  return out;
}

}  // namespace

std::expected<std::vector<ThreadSockets>, std::string> open_sockets(std::span<const net::Address> addresses,
                                                                    std::uint16_t port, std::size_t threads) {
  std::vector<ThreadSockets> out(threads);
  for (const net::Address& address : addresses) {
    for (const bool tcp : {true, false}) {
      std::uint16_t chosen = port;
      for (ThreadSockets& thread : out) {
        auto opened = open_one(address, chosen, tcp);
        if (!opened) return std::unexpected(std::move(opened.error()));
        if (chosen == 0) chosen = local_port(*opened);  // the other threads share it
        (tcp ? thread.tcp : thread.udp).push_back(std::move(*opened));
      }
    }
  }
  return out;
}

std::uint16_t local_port(const Socket& socket) noexcept {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (::getsockname(socket.fd.get(), reinterpret_cast<sockaddr*>(&storage), &size) != 0) return 0;
  return miss::from_socket_address(reinterpret_cast<const sockaddr*>(&storage)).port;
}

}  // namespace swarmdns::stream
