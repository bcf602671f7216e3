#include "tests/bench/upstream.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "dataplane/miss/sockaddr.h"
#include "dataplane/sync/affinity.h"
#include "proto/dns/bytes.h"

namespace swarmdns::bench {
namespace {

constexpr std::size_t kBatch = 64;
constexpr std::size_t kLongest = 1024;
constexpr std::uint8_t kA[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 192, 0, 2, 1};
constexpr std::uint8_t kAaaa[] = {0xc0, 12,   0, 28, 0, 1, 0, 0, 1, 44, 0, 16, 0x20, 1,
                                  0x0d, 0xb8, 0, 0,  0, 0, 0, 0, 0, 0,  0, 0,  0,    1};

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "no socket for the upstream: %s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

// Makes an answer of a query of our own miss thread; its new length.
std::size_t answer(std::byte* message) {
  std::size_t end = 12;
  while (message[end] != std::byte{0}) end += 1 + std::to_integer<std::size_t>(message[end]);
  const bool v6 = dns::load_be16(message + end + 1) == 28;
  end += 5;
  dns::store_be16(message + 2, 0x8180);
  dns::store_be16(message + 6, 1);
  dns::store_be16(message + 10, 0);
  std::memcpy(message + end, v6 ? kAaaa : kA, v6 ? sizeof kAaaa : sizeof kA);
  return end + (v6 ? sizeof kAaaa : sizeof kA);
}

}  // namespace

Upstream::Upstream(const net::Address& address, unsigned cpu) : address_(address) {
  const miss::SocketAddress local = miss::to_socket_address(address, 0);
  fd_ = ::socket(local.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd_ < 0) fail("socket");
  const timeval patience{0, 20'000};
  const int buffer = 8 << 20;
  (void)::setsockopt(fd_, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
  if (::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0) fail("SO_RCVTIMEO");
  if (::bind(fd_, local.get(), local.size) != 0) fail("bind");
  miss::SocketAddress own;
  own.size = sizeof own.storage;
  if (::getsockname(fd_, own.get(), &own.size) != 0) fail("getsockname");
  port_ = miss::from_socket_address(own.get()).port;
  thread_ = std::jthread([this, cpu](const std::stop_token& stop) { run(stop, cpu); });
}

Upstream::~Upstream() {
  thread_.request_stop();
  thread_.join();
  ::close(fd_);
}

void Upstream::run(const std::stop_token& stop, unsigned cpu) {
  sync::begin_slow_thread("upstream", std::array{cpu});
  std::vector<std::array<std::byte, kLongest>> data(kBatch);
  std::vector<sockaddr_storage> from(kBatch);
  std::vector<iovec> iov(kBatch);
  std::vector<mmsghdr> head(kBatch);
  while (!stop.stop_requested()) {
    for (std::size_t i = 0; i < kBatch; ++i) {
      iov[i] = {data[i].data(), data[i].size()};
      head[i].msg_hdr = {};
      head[i].msg_hdr.msg_name = &from[i];
      head[i].msg_hdr.msg_namelen = sizeof from[i];
      head[i].msg_hdr.msg_iov = &iov[i];
      head[i].msg_hdr.msg_iovlen = 1;
    }
    const int n = ::recvmmsg(fd_, head.data(), kBatch, MSG_WAITFORONE, nullptr);
    if (n <= 0) continue;
    for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) iov[i].iov_len = answer(data[i].data());
    for (int sent = 0; sent < n;) {
      const int r = ::sendmmsg(fd_, head.data() + sent, static_cast<unsigned>(n - sent), 0);
      if (r <= 0) break;
      sent += r;
    }
  }
}

}  // namespace swarmdns::bench
