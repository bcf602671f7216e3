// UDP/53 for what reaches the kernel: datagrams it reassembled, or that came with IP options or extension
// headers. Few by nature, so plain: receive a batch, answer each. One thread's own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "dataplane/stream/query_service.h"
#include "dataplane/stream/sockets.h"

namespace swarmdns::stream {

class UdpFront {
 public:
  // `epoll` gets this front's descriptors, with data from kSocket on.
  UdpFront(int epoll, std::span<const Socket> sockets, QueryService& service, stats::Block& counters);
  ~UdpFront();
  UdpFront(const UdpFront&) = delete;
  UdpFront& operator=(const UdpFront&) = delete;

  static constexpr std::uint64_t kSocket = 3ULL << 56;
  static constexpr std::uint64_t kHandle = 1ULL << 63;  // set in the handles of this front

  void event(std::uint64_t data);
  void reply(const miss::Reply& reply);

 private:
  struct Buffers;
  void send(std::size_t socket, std::span<const std::byte> message, const net::Address& client,
            std::uint16_t port);

  const std::span<const Socket> sockets_;
  QueryService& service_;
  stats::Block& counters_;
  std::unique_ptr<Buffers> buffers_;
};

}  // namespace swarmdns::stream
