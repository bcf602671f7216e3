#include "dataplane/miss/udp_sockets.h"

#include <sys/epoll.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "dataplane/miss/sockaddr.h"

namespace swarmdns::miss {
namespace {

constexpr std::size_t kLiveLoopback = 8;
constexpr std::size_t kLive = 32;              // per server off loopback, fewer with many servers
constexpr std::uint32_t kMaxUses = 64;         // queries by one port
constexpr std::uint64_t kMaxAge = 10'000'000;  // µs
constexpr std::uint64_t kPause = 100'000;      // µs unused: the next query gets a fresh port
constexpr int kReceiveBuffer = 4 << 20;        // octets; the kernel may grant less
constexpr int kPortTries = 8;

bool is_refusal(int error) noexcept {
  return error == ECONNREFUSED || error == EHOSTUNREACH || error == ENETUNREACH || error == ENETDOWN ||
         error == EHOSTDOWN;
}

}  // namespace

struct UdpSockets::Buffers {
  std::array<std::array<std::byte, kMaxReply>, kBatch> in;
  std::array<iovec, kBatch> in_iov{};
  std::array<mmsghdr, kBatch> in_head{};
  std::array<iovec, kBatch> out_iov{};
  std::array<mmsghdr, kBatch> out_head{};

  Buffers() {
    for (std::size_t i = 0; i < kBatch; ++i) {
      in_iov[i] = {in[i].data(), in[i].size()};
      in_head[i].msg_hdr.msg_iov = &in_iov[i];
      in_head[i].msg_hdr.msg_iovlen = 1;
      out_head[i].msg_hdr.msg_iov = &out_iov[i];
      out_head[i].msg_hdr.msg_iovlen = 1;
    }
  }
};

UdpSockets::UdpSockets(int epoll, Random& random, std::optional<net::Address> source_v4,
                       std::optional<net::Address> source_v6)
    : epoll_(epoll),
      random_(random),
      source_v4_(source_v4),
      source_v6_(source_v6),
      slots_(kMaxSockets),
      queue_(kQueue),
      buffers_(std::make_unique<Buffers>()) {
  free_.reserve(kMaxSockets);
  for (std::size_t i = kMaxSockets; i > 0; --i) free_.push_back(static_cast<std::uint32_t>(i - 1));
}

UdpSockets::~UdpSockets() {
  for (const Slot& slot : slots_) {
    if (slot.fd >= 0) ::close(slot.fd);
  }
}

std::uint32_t UdpSockets::open(std::uint8_t index, const Server& server, bool loopback,
                               std::uint64_t now_us) {
  if (free_.empty()) return kNone;
  const SocketAddress peer = to_socket_address(server.address, server.port);
  const int fd = ::socket(peer.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return kNone;
  const int buffer = kReceiveBuffer;
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) != 0) {
    (void)::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
  }
  const auto& source = peer.family() == AF_INET ? source_v4_ : source_v6_;
  net::Address any{};
  if (peer.family() == AF_INET) any.bytes[10] = any.bytes[11] = 0xff;
  bool bound = loopback && !source;
  for (int i = 0; !bound && i < kPortTries; ++i) {
    // 1024-65535, all alike: wider than the kernel's own range. The last try takes what the kernel gives.
    const auto port =
        static_cast<std::uint16_t>(i + 1 == kPortTries || loopback ? 0 : 1024 + random_.below(64512));
    const SocketAddress local = to_socket_address(source.value_or(any), port);
    bound = ::bind(fd, local.get(), local.size) == 0;
    if (!bound && errno != EADDRINUSE && errno != EACCES) break;
  }
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = free_.back();
  if (!bound || ::connect(fd, peer.get(), peer.size) != 0 ||
      ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) {
    ::close(fd);
    return kNone;
  }
  const std::uint32_t socket = free_.back();
  free_.pop_back();
  Slot& slot = slots_[socket];
  slot = Slot{};
  slot.fd = fd;
  slot.server = index;
  slot.live = true;
  slot.opened_us = now_us;
  slot.used_us = now_us;
  ++open_;
  return socket;
}

void UdpSockets::close(std::uint32_t socket) noexcept {
  Slot& slot = slots_[socket];
  if (slot.fd < 0) return;
  ::close(slot.fd);  // leaves the epoll set by itself: the descriptor was never duplicated
  slot.fd = -1;
  slot.live = false;
  free_.push_back(socket);
  --open_;
}

bool UdpSockets::worn(const Slot& slot, std::uint64_t now_us) const noexcept {
  if (slot.uses == 0) return false;
  return slot.uses >= kMaxUses || now_us - slot.opened_us >= kMaxAge ||
         (slot.held == 0 && now_us - slot.used_us >= kPause);
}

std::uint32_t UdpSockets::pick(std::uint8_t index, const Server& server, bool loopback,
                               std::uint64_t now_us) {
  auto& live = live_[index];
  std::uint32_t socket = kNone;
  if (loopback) {
    // One socket for a batch, then the next: the batch leaves by one system call.
    if (live.size() < kLiveLoopback) {
      socket = open(index, server, true, now_us);
      if (socket != kNone) {
        live.push_back(socket);
      } else if (live.empty()) {
        return kNone;
      }
    }
    std::uint32_t& turn = turn_[index];
    socket = live[turn % live.size()];
    if (++slots_[socket].uses % 16 == 0) ++turn;
  } else {
    std::size_t servers = 0;
    for (const auto& list : live_) servers += list.empty() ? 0 : 1;
    const std::size_t wanted = std::max<std::size_t>(4, kLive / std::max<std::size_t>(1, servers));
    if (live.size() < wanted) {
      socket = open(index, server, false, now_us);
      if (socket != kNone) live.push_back(socket);
    }
    if (live.empty()) return kNone;
    if (socket == kNone) {
      const std::size_t at = random_.below(static_cast<std::uint32_t>(live.size()));
      socket = live[at];
      if (worn(slots_[socket], now_us)) {
        const std::uint32_t fresh = open(index, server, false, now_us);
        if (fresh != kNone) {
          Slot& old = slots_[socket];
          old.live = false;
          if (old.held == 0 && old.first == kNone) close(socket);
          live[at] = fresh;
          socket = fresh;
        }
      }
    }
    ++slots_[socket].uses;
  }
  slots_[socket].used_us = now_us;
  return socket;
}

void UdpSockets::release(std::uint32_t socket) noexcept {
  Slot& slot = slots_[socket];
  if (slot.held > 0) --slot.held;
  if (slot.held == 0 && !slot.live && slot.first == kNone) close(socket);
}

bool UdpSockets::queue(std::uint32_t socket, std::span<const std::byte> query) noexcept {
  if (queued_ == kQueue || query.size() > kMaxQuery) return false;
  Slot& slot = slots_[socket];
  if (slot.fd < 0) return true;  // closed meanwhile: lost like a packet, tried again like one
  const auto at = static_cast<std::uint32_t>(queued_++);
  Queued& out = queue_[at];
  std::memcpy(out.bytes.data(), query.data(), query.size());
  out.size = static_cast<std::uint16_t>(query.size());
  out.next = kNone;
  if (slot.first == kNone) {
    slot.first = at;
    dirty_[dirty_count_++] = socket;
  } else {
    queue_[slot.last].next = at;
  }
  slot.last = at;
  return true;
}

bool UdpSockets::send(std::uint32_t socket) {
  Slot& slot = slots_[socket];
  bool refused = false;
  std::uint32_t at = slot.first;
  slot.first = slot.last = kNone;
  while (at != kNone) {
    unsigned n = 0;
    for (; at != kNone && n < kBatch; ++n, at = queue_[at].next) {
      buffers_->out_iov[n] = {queue_[at].bytes.data(), queue_[at].size};
    }
    unsigned sent = 0;
    int failures = 0;
    while (sent < n) {
      const int r = ::sendmmsg(slot.fd, buffers_->out_head.data() + sent, n - sent, MSG_NOSIGNAL);
      if (r > 0) {
        sent += static_cast<unsigned>(r);
        continue;
      }
      if (r < 0 && errno == EINTR) continue;
      // An ICMP error of an earlier datagram is reported once and then forgotten: the same datagram may go
      // now.
      if (r < 0 && is_refusal(errno)) {
        refused = true;
        if (++failures <= 2) continue;
      }
      break;  // no buffers, or no way there: lost like a packet on the wire
    }
    if (sent < n) break;
  }
  if (slot.held == 0 && !slot.live) close(socket);
  return refused;
}

std::size_t UdpSockets::receive_batch(std::uint32_t socket, bool& refused) {
  const Slot& slot = slots_[socket];
  if (slot.fd < 0) return 0;
  for (;;) {
    const int r = ::recvmmsg(slot.fd, buffers_->in_head.data(), kBatch, MSG_DONTWAIT, nullptr);
    if (r >= 0) return static_cast<std::size_t>(r);
    if (errno == EINTR) continue;
    refused = is_refusal(errno);
    return 0;
  }
}

std::span<const std::byte> UdpSockets::datagram(std::size_t i) const noexcept {
  // A longer datagram than we announced room for is cut by the kernel; it then fails to parse and is counted.
  return {buffers_->in[i].data(), buffers_->in_head[i].msg_len};
}

void UdpSockets::retire(std::uint8_t index) noexcept {
  for (const std::uint32_t socket : live_[index]) {
    Slot& slot = slots_[socket];
    slot.live = false;
    if (slot.held == 0 && slot.first == kNone) close(socket);
  }
  live_[index].clear();
}

std::uint16_t UdpSockets::local_port(std::uint32_t socket) const noexcept {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (::getsockname(slots_[socket].fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return 0;
  return from_socket_address(reinterpret_cast<const sockaddr*>(&storage)).port;
}

}  // namespace swarmdns::miss
