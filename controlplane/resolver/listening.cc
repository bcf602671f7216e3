#include "controlplane/resolver/listening.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "controlplane/supervise/unique_fd.h"

namespace swarmdns::controlplane {
namespace {

socklen_t socket_address(const std::string& address, std::uint32_t port, sockaddr_storage& storage) {
  auto* four = reinterpret_cast<sockaddr_in*>(&storage);
  if (inet_pton(AF_INET, address.c_str(), &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons(static_cast<std::uint16_t>(port));
    return sizeof *four;
  }
  auto* six = reinterpret_cast<sockaddr_in6*>(&storage);
  if (inet_pton(AF_INET6, address.c_str(), &six->sin6_addr) == 1) {
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(static_cast<std::uint16_t>(port));
    return sizeof *six;
  }
  return 0;
}

}  // namespace

std::optional<std::string> listening_problem(const v1::ResolverConfig& current,
                                             const v1::ResolverConfig& wanted) {
  if (current.mode() == v1::UNBOUND && current.address() == wanted.address() &&
      current.port() == wanted.port())
    return std::nullopt;
  sockaddr_storage where{};
  const socklen_t length = socket_address(wanted.address(), wanted.port(), where);
  for (const int type : {SOCK_DGRAM, SOCK_STREAM}) {
    const UniqueFd fd(socket(where.ss_family, type | SOCK_CLOEXEC, 0));
    const int yes = 1;
    if (fd.get() >= 0 && type == SOCK_STREAM)
      setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (fd.get() >= 0 && bind(fd.get(), reinterpret_cast<const sockaddr*>(&where), length) == 0) continue;
    const std::string place = wanted.address() + " port " + std::to_string(wanted.port());
    if (errno == EADDRINUSE) {
      return "another program listens on " + place + (type == SOCK_DGRAM ? " (UDP)" : " (TCP)") +
             "; stop it, or choose another resolver.port";
    }
    if (errno == EADDRNOTAVAIL) return place + " is not an address of this machine; choose another one";
    return "cannot listen on " + place + ": " + std::strerror(errno);
  }
  return std::nullopt;
}

}  // namespace swarmdns::controlplane
