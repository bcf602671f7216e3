#include "dataplane/miss/tcp_upstreams.h"

#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "dataplane/miss/sockaddr.h"
#include "proto/dns/bytes.h"
#include "proto/dns/header.h"

namespace swarmdns::miss {

TcpUpstreams::TcpUpstreams(int epoll, std::optional<net::Address> source_v4,
                           std::optional<net::Address> source_v6, Events events)
    : epoll_(epoll), source_v4_(source_v4), source_v6_(source_v6), events_(std::move(events)) {}

TcpUpstreams::~TcpUpstreams() {
  for (const Connection& connection : connections_) {
    if (connection.fd >= 0) ::close(connection.fd);
  }
}

std::uint32_t TcpUpstreams::pick(std::uint8_t index, const Server& server, std::uint64_t now_us) {
  std::size_t own = 0;
  std::size_t best = kMaxConnections;
  std::size_t free = kMaxConnections;
  for (std::size_t i = 0; i < kMaxConnections; ++i) {
    const Connection& connection = connections_[i];
    if (connection.fd < 0) {
      if (free == kMaxConnections) free = i;
      continue;
    }
    if (connection.server != index) continue;
    ++own;
    if (connection.ids.size() >= kMaxPipelined) continue;
    if (best == kMaxConnections || connection.ids.size() < connections_[best].ids.size()) best = i;
  }
  // A second connection only when the first has something to do: a slow answer shall not hold up many others.
  const bool busy = best == kMaxConnections || connections_[best].ids.size() >= 8;
  if (busy && own < kPerServer && free != kMaxConnections) {
    const SocketAddress peer = to_socket_address(server.address, server.port);
    const int fd = ::socket(peer.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
      const int one = 1;
      (void)::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      const auto& source = peer.family() == AF_INET ? source_v4_ : source_v6_;
      bool good = true;
      if (source) {
        const SocketAddress local = to_socket_address(*source, 0);
        good = ::bind(fd, local.get(), local.size) == 0;
      }
      good = good && (::connect(fd, peer.get(), peer.size) == 0 || errno == EINPROGRESS);
      epoll_event event{};
      event.events = EPOLLIN | EPOLLOUT;
      event.data.u64 = kFirstSocket + free;
      if (good && ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0) {
        Connection& made = connections_[free];
        made = Connection{};
        made.fd = fd;
        made.server = index;
        made.wants_write = true;
        made.opened_us = made.active_us = now_us;
        ++open_;
        best = free;
      } else {
        ::close(fd);
      }
    }
  }
  return best == kMaxConnections ? kNone : static_cast<std::uint32_t>(kFirstSocket + best);
}

void TcpUpstreams::add(std::uint16_t socket, std::uint16_t id, std::span<const std::byte> query,
                       std::uint64_t now_us) {
  Connection& connection = connections_[socket - kFirstSocket];
  std::byte length[2];
  dns::store_be16(length, static_cast<std::uint16_t>(query.size()));
  connection.out.insert(connection.out.end(), length, length + 2);
  connection.out.insert(connection.out.end(), query.begin(), query.end());
  connection.ids.push_back(id);
  connection.active_us = now_us;
  connection.dirty = true;
}

void TcpUpstreams::remove(std::uint16_t socket, std::uint16_t id) noexcept {
  auto& ids = connections_[socket - kFirstSocket].ids;
  const auto it = std::find(ids.begin(), ids.end(), id);
  if (it == ids.end()) return;
  *it = ids.back();
  ids.pop_back();
}

void TcpUpstreams::flush() {
  if (open_ == 0) return;
  for (std::size_t i = 0; i < kMaxConnections; ++i) {
    if (connections_[i].fd < 0 || !connections_[i].dirty) continue;
    connections_[i].dirty = false;
    if (connections_[i].connected) write(i);
  }
}

void TcpUpstreams::watch(std::size_t at, bool write) {
  Connection& connection = connections_[at];
  if (connection.wants_write == write) return;
  connection.wants_write = write;
  epoll_event event{};
  event.events = EPOLLIN | (write ? EPOLLOUT : 0U);
  event.data.u64 = kFirstSocket + at;
  (void)::epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.fd, &event);
}

void TcpUpstreams::write(std::size_t at) {
  Connection& connection = connections_[at];
  while (connection.out_done < connection.out.size()) {
    const ssize_t n = ::send(connection.fd, connection.out.data() + connection.out_done,
                             connection.out.size() - connection.out_done, MSG_NOSIGNAL);
    if (n > 0) {
      connection.out_done += static_cast<std::size_t>(n);
      continue;
    }
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      watch(at, true);
      return;
    }
    close(at, false);
    return;
  }
  connection.out.clear();
  connection.out_done = 0;
  watch(at, false);
}

void TcpUpstreams::event(std::uint16_t socket, std::uint32_t events, std::uint64_t now_us) {
  const std::size_t at = socket - kFirstSocket;
  if (at >= kMaxConnections || connections_[at].fd < 0) return;
  Connection& connection = connections_[at];
  if (!connection.connected) {
    int error = 0;
    socklen_t size = sizeof error;
    (void)::getsockopt(connection.fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0 || (events & (EPOLLERR | EPOLLHUP)) != 0) {
      close(at, true);
      return;
    }
    if ((events & EPOLLOUT) == 0) return;
    connection.connected = true;
    connection.active_us = now_us;
  }
  if ((events & EPOLLOUT) != 0) write(at);
  if (connection.fd >= 0 && (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0) read(at, now_us);
}

void TcpUpstreams::read(std::size_t at, std::uint64_t now_us) {
  Connection& connection = connections_[at];
  if (connection.in.empty()) connection.in.resize(2 + 65535);
  for (int rounds = 0; rounds < 16; ++rounds) {
    const ssize_t n = ::recv(connection.fd, connection.in.data() + connection.in_size,
                             connection.in.size() - connection.in_size, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (n <= 0) {
      close(at, false);
      return;
    }
    connection.in_size += static_cast<std::size_t>(n);
    connection.active_us = now_us;
    std::size_t done = 0;
    while (connection.in_size - done >= 2) {
      const std::size_t length = dns::load_be16(connection.in.data() + done);
      if (connection.in_size - done - 2 < length) break;
      if (length < dns::kHeaderSize) {  // no DNS: nothing behind it can be trusted either
        close(at, false);
        return;
      }
      const int fd = connection.fd;
      events_.reply(static_cast<std::uint16_t>(kFirstSocket + at), {connection.in.data() + done + 2, length});
      if (connection.fd != fd) return;
      done += 2 + length;
    }
    std::memmove(connection.in.data(), connection.in.data() + done, connection.in_size - done);
    connection.in_size -= done;
  }
}

void TcpUpstreams::close(std::size_t at, bool refused) {
  Connection& connection = connections_[at];
  if (connection.fd < 0) return;
  ::close(connection.fd);
  const std::vector<std::uint16_t> ids = std::move(connection.ids);
  const std::uint8_t server = connection.server;
  connection = Connection{};
  --open_;
  events_.lost(static_cast<std::uint16_t>(kFirstSocket + at), server, ids, refused);
}

void TcpUpstreams::tick(std::uint64_t now_us) {
  if (open_ == 0) return;
  for (std::size_t i = 0; i < kMaxConnections; ++i) {
    const Connection& connection = connections_[i];
    if (connection.fd < 0) continue;
    const std::uint64_t still = now_us - connection.active_us;
    if (!connection.connected ? now_us - connection.opened_us >= kConnect
                              : still >= (connection.ids.empty() ? kIdle : kSilent)) {
      close(i, !connection.connected);
    }
  }
}

void TcpUpstreams::retire(std::uint8_t index) {
  for (std::size_t i = 0; i < kMaxConnections; ++i) {
    if (connections_[i].fd >= 0 && connections_[i].server == index) close(i, false);
  }
}

}  // namespace swarmdns::miss
