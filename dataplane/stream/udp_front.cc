#include "dataplane/stream/udp_front.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>

#include "dataplane/miss/sockaddr.h"

namespace swarmdns::stream {
namespace {

using stats::Counter;

constexpr std::size_t kBatch = 16;
constexpr int kBatchesAtOnce = 8;

}  // namespace

struct UdpFront::Buffers {
  std::array<std::array<std::byte, 65535>, kBatch> data;
  std::array<sockaddr_storage, kBatch> from{};
  std::array<iovec, kBatch> iov{};
  std::array<mmsghdr, kBatch> head{};
};

UdpFront::UdpFront(int epoll, std::span<const Socket> sockets, QueryService& service, stats::Block& counters)
    : sockets_(sockets), service_(service), counters_(counters), buffers_(std::make_unique<Buffers>()) {
  for (std::size_t i = 0; i < sockets_.size(); ++i) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = kSocket | i;
    (void)::epoll_ctl(epoll, EPOLL_CTL_ADD, sockets_[i].fd.get(), &event);
  }
}

UdpFront::~UdpFront() = default;

void UdpFront::event(std::uint64_t data) {
  const std::size_t socket = data & ~(0xffULL << 56);
  Buffers& b = *buffers_;
  for (int round = 0; round < kBatchesAtOnce; ++round) {
    for (std::size_t i = 0; i < kBatch; ++i) {
      b.iov[i] = {b.data[i].data(), b.data[i].size()};
      b.head[i].msg_hdr = {};
      b.head[i].msg_hdr.msg_name = &b.from[i];
      b.head[i].msg_hdr.msg_namelen = sizeof b.from[i];
      b.head[i].msg_hdr.msg_iov = &b.iov[i];
      b.head[i].msg_hdr.msg_iovlen = 1;
    }
    const int n = ::recvmmsg(sockets_[socket].fd.get(), b.head.data(), kBatch, MSG_DONTWAIT, nullptr);
    if (n <= 0) return;  // nothing, or an error of an earlier reply that concerns nobody
    for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
      const miss::Endpoint client = miss::from_socket_address(reinterpret_cast<const sockaddr*>(&b.from[i]));
      if (client.port == 0) {  // nobody could receive the reply
        counters_.add(Counter::DropSourcePortZero);
        continue;
      }
      counters_.add(Counter::StreamQueries);
      const QueryService::Result result =
          service_.handle(b.data[i], static_cast<std::uint16_t>(b.head[i].msg_len), dns::Transport::Udp,
                          client.address, client.port, kHandle | socket);
      if (result.reply > 0)
        send(socket, std::span(b.data[i]).first(result.reply), client.address, client.port);
    }
    if (static_cast<std::size_t>(n) < kBatch) return;
  }
}

void UdpFront::reply(const miss::Reply& reply) {
  const std::size_t socket = reply.request.waiter.handle & ~kHandle;
  if (socket >= sockets_.size()) return;
  const std::size_t length = service_.build(reply, buffers_->data[0]);
  if (length == 0) return;
  const net::FrameInfo& frame = reply.request.waiter.frame;
  send(socket, std::span(buffers_->data[0]).first(length), frame.source, frame.source_port);
}

void UdpFront::send(std::size_t socket, std::span<const std::byte> message, const net::Address& client,
                    std::uint16_t port) {
  const miss::SocketAddress to = miss::to_socket_address(client, port);
  const ssize_t n = ::sendto(sockets_[socket].fd.get(), message.data(), message.size(),
                             MSG_DONTWAIT | MSG_NOSIGNAL, to.get(), to.size);
  counters_.add(n < 0 ? Counter::DropTxFull : Counter::StreamReplies);
}

}  // namespace swarmdns::stream
