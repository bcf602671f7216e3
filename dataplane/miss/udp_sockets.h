// Connected UDP sockets to the upstreams: queries queued and sent in batches, replies received in batches.
//
// Off loopback each query leaves by one of many sockets on random ports, which are exchanged for fresh ones
// after some uses, some time or a pause (RFC 5452 9.2, RebirthDay, SAD DNS): a port that somebody has found
// out is soon worthless. On loopback a few kernel-chosen ports serve for good; there are several so that a
// resolver which spreads its load over threads by ports can do so.
//
// The miss thread's own. Errors of the kernel are reported as a refused socket, never thrown.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "dataplane/miss/options.h"
#include "dataplane/miss/pool.h"
#include "dataplane/miss/random.h"

namespace swarmdns::miss {

class UdpSockets {
 public:
  static constexpr std::size_t kMaxSockets = 512;
  static constexpr std::size_t kMaxQuery = 320;   // octets; a query of ours is at most 282
  static constexpr std::size_t kMaxReply = 4096;  // octets; the payload size we announce is not above

  // `epoll` gets each socket with its number as data.
  UdpSockets(int epoll, Random& random, std::optional<net::Address> source_v4,
             std::optional<net::Address> source_v6);
  ~UdpSockets();
  UdpSockets(const UdpSockets&) = delete;
  UdpSockets& operator=(const UdpSockets&) = delete;

  // A socket for one question to `server`, which stands under `index`; kNone when none can be opened.
  [[nodiscard]] std::uint32_t pick(std::uint8_t index, const Server& server, bool loopback,
                                   std::uint64_t now_us);

  // A question is under way on the socket, or no longer. A socket that was exchanged is closed with its last
  // one.
  void hold(std::uint32_t socket) noexcept { ++slots_[socket].held; }
  void release(std::uint32_t socket) noexcept;

  // Queues a copy. False when the queue is full: flush first.
  [[nodiscard]] bool queue(std::uint32_t socket, std::span<const std::byte> query) noexcept;
  [[nodiscard]] bool queue_empty() const noexcept { return queued_ == 0; }
  // Sends what is queued; refused(socket) for those the kernel says are not listened to or not reachable.
  template <class Refused>
  void flush(Refused&& refused) {
    for (std::size_t i = 0; i < dirty_count_; ++i) {
      const std::uint32_t socket = dirty_[i];
      if (send(socket)) refused(socket);
    }
    dirty_count_ = 0;
    queued_ = 0;
  }

  // Takes what has come in on the socket, at most `budget` datagrams: reply(bytes) for each, refused() when
  // the kernel says that nobody listens. Returns the number of datagrams.
  template <class Reply, class Refused>
  std::size_t receive(std::uint32_t socket, std::size_t budget, Reply&& reply, Refused&& refused) {
    std::size_t total = 0;
    for (std::size_t rounds = 0; total < budget && rounds < 8; ++rounds) {
      bool was_refused = false;
      const std::size_t n = receive_batch(socket, was_refused);
      if (was_refused) refused();
      for (std::size_t i = 0; i < n; ++i) reply(datagram(i));
      total += n;
      if (n < kBatch && !was_refused) break;
    }
    return total;
  }

  // No further questions by the sockets of this server.
  void retire(std::uint8_t index) noexcept;

  [[nodiscard]] std::uint8_t server_of(std::uint32_t socket) const noexcept { return slots_[socket].server; }
  [[nodiscard]] std::size_t open_sockets() const noexcept { return open_; }
  // For tests and status: the local port, host order.
  [[nodiscard]] std::uint16_t local_port(std::uint32_t socket) const noexcept;

 private:
  static constexpr std::size_t kBatch = 64;
  static constexpr std::size_t kQueue = 512;

  struct Slot {
    int fd = -1;
    std::uint8_t server = 0;
    bool live = false;  // may take further questions
    std::uint32_t uses = 0;
    std::uint32_t held = 0;  // questions under way
    std::uint64_t opened_us = 0;
    std::uint64_t used_us = 0;
    std::uint32_t first = kNone;  // of the queue
    std::uint32_t last = kNone;
  };
  struct Queued {
    std::array<std::byte, kMaxQuery> bytes;
    std::uint16_t size = 0;
    std::uint32_t next = kNone;
  };
  struct Buffers;

  std::uint32_t open(std::uint8_t index, const Server& server, bool loopback, std::uint64_t now_us);
  void close(std::uint32_t socket) noexcept;
  [[nodiscard]] bool worn(const Slot& slot, std::uint64_t now_us) const noexcept;
  bool send(std::uint32_t socket);  // true: refused
  std::size_t receive_batch(std::uint32_t socket, bool& refused);
  [[nodiscard]] std::span<const std::byte> datagram(std::size_t i) const noexcept;

  const int epoll_;
  Random& random_;
  const std::optional<net::Address> source_v4_;
  const std::optional<net::Address> source_v6_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::array<std::vector<std::uint32_t>, kMaxServers> live_;
  std::array<std::uint32_t, kMaxServers> turn_{};
  std::size_t open_ = 0;

  std::vector<Queued> queue_;
  std::size_t queued_ = 0;
  std::array<std::uint32_t, kMaxSockets> dirty_{};
  std::size_t dirty_count_ = 0;
  std::unique_ptr<Buffers> buffers_;
};

}  // namespace swarmdns::miss
