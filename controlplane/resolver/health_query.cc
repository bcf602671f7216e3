#include "controlplane/resolver/health_query.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <chrono>
#include <cstring>
#include <vector>

#include "controlplane/supervise/unique_fd.h"
#include "proto/config/formats.h"

namespace swarmdns::controlplane {
namespace {

// RFC 1035, 4.1: header with RD, one question of type TXT, class IN. Empty: not a name.
std::vector<uint8_t> query_for(const std::string& name, uint16_t id) {
  std::vector<uint8_t> wire = {
      static_cast<uint8_t>(id >> 8), static_cast<uint8_t>(id), 0x01, 0, 0, 1, 0, 0, 0, 0, 0, 0};
  size_t begin = 0;
  while (begin < name.size()) {
    size_t end = name.find('.', begin);
    if (end == std::string::npos) end = name.size();
    if (end == begin || end - begin > 63) return {};
    wire.push_back(static_cast<uint8_t>(end - begin));
    wire.insert(wire.end(), name.begin() + static_cast<long>(begin), name.begin() + static_cast<long>(end));
    begin = end + 1;
  }
  wire.insert(wire.end(), {0, 0, 16, 0, 1});
  return wire;
}

UniqueFd connected_socket(const std::string& address, uint16_t port) {
  const auto parsed = config::parse_address(address);
  if (!parsed) return UniqueFd();
  sockaddr_storage to{};
  socklen_t length = 0;
  if (parsed->family == AF_INET) {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&to);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    std::memcpy(&v4->sin_addr, parsed->bytes.data(), 4);
    length = sizeof(*v4);
  } else {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&to);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    std::memcpy(&v6->sin6_addr, parsed->bytes.data(), 16);
    length = sizeof(*v6);
  }
  UniqueFd fd(socket(parsed->family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd || connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), length) != 0) return UniqueFd();
  return fd;
}

}  // namespace

bool dns_answers(const std::string& address, uint16_t port, const std::string& name, int timeout_ms) {
  uint16_t id = 0;
  if (getrandom(&id, sizeof(id), 0) != sizeof(id)) return false;
  const auto query = query_for(name, id);
  const UniqueFd fd = connected_socket(address, port);
  if (query.empty() || !fd) return false;
  if (send(fd.get(), query.data(), query.size(), 0) != static_cast<ssize_t>(query.size())) return false;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now())
            .count();
    pollfd wait{fd.get(), POLLIN, 0};
    if (left < 0 || poll(&wait, 1, static_cast<int>(left)) <= 0) return false;
    uint8_t answer[512];
    const ssize_t n = recv(fd.get(), answer, sizeof(answer), 0);
    if (n < 0) return false;  // refused: nobody listens
    if (n < 12 || answer[0] != query[0] || answer[1] != query[1]) continue;
    return (answer[2] & 0x80) != 0 && (answer[3] & 0x0f) == 0;
  }
}

}  // namespace swarmdns::controlplane
