#include "dataplane/eal/xdp_sockets.h"

#include <linux/if_xdp.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <string>
#include <system_error>

namespace swarmdns::eal {
namespace {

bool is_xdp_socket(int fd) noexcept {
  int domain = 0;
  socklen_t length = sizeof domain;
  return ::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0 && domain == AF_XDP;
}

}  // namespace

std::vector<int> xdp_sockets() {
  std::vector<int> out;
  std::error_code error;
  for (std::filesystem::directory_iterator at("/proc/self/fd", error), end; !error && at != end;
       at.increment(error)) {
    const std::string name = at->path().filename().string();
    int fd = -1;
    if (std::from_chars(name.data(), name.data() + name.size(), fd).ec != std::errc{}) continue;
    if (is_xdp_socket(fd)) out.push_back(fd);
  }
  std::ranges::sort(out);
  return out;
}

std::uint64_t frames_beyond_the_ring(std::span<const int> sockets) noexcept {
  std::uint64_t sum = 0;
  for (const int fd : sockets) {
    xdp_statistics statistics{};
    socklen_t length = sizeof statistics;
    if (::getsockopt(fd, SOL_XDP, XDP_STATISTICS, &statistics, &length) == 0) sum += statistics.rx_ring_full;
  }
  return sum;
}

}  // namespace swarmdns::eal
