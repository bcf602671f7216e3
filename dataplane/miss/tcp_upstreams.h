// TCP connections to the upstreams, for answers that do not fit a datagram: few, reused, pipelined, closed
// when idle (RFC 7766). The miss thread's own.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "dataplane/miss/options.h"
#include "dataplane/miss/pool.h"

namespace swarmdns::miss {

class TcpUpstreams {
 public:
  static constexpr std::uint16_t kFirstSocket =
      0x8000;  // connections are numbered from here, behind the UDP sockets
  static constexpr std::size_t kMaxConnections = 64;
  static constexpr std::size_t kPerServer = 4;
  static constexpr std::size_t kMaxPipelined = 64;      // questions under way on one connection
  static constexpr std::uint64_t kIdle = 8'000'000;     // µs unused until it is closed
  static constexpr std::uint64_t kConnect = 3'000'000;  // µs for the handshake
  static constexpr std::uint64_t kSilent = 10'000'000;  // µs with questions under way and not an octet

  // Called from event(), flush() and tick(); neither may call back into this object but for pick(), add(),
  // remove().
  struct Events {
    std::function<void(std::uint16_t socket, std::span<const std::byte> reply)> reply;
    // The connection is gone, and with it these questions. `refused`: it never came about.
    std::function<void(std::uint16_t socket, std::uint8_t server, std::span<const std::uint16_t> ids,
                       bool refused)>
        lost;
  };

  TcpUpstreams(int epoll, std::optional<net::Address> source_v4, std::optional<net::Address> source_v6,
               Events events);
  ~TcpUpstreams();
  TcpUpstreams(const TcpUpstreams&) = delete;
  TcpUpstreams& operator=(const TcpUpstreams&) = delete;

  // A connection with room for one more question, opened if need be; kNone when all are full.
  [[nodiscard]] std::uint32_t pick(std::uint8_t index, const Server& server, std::uint64_t now_us);
  // Queues the query, which carries `id`. Call flush() when done.
  void add(std::uint16_t socket, std::uint16_t id, std::span<const std::byte> query, std::uint64_t now_us);
  // The question is no longer of interest, or was answered.
  void remove(std::uint16_t socket, std::uint16_t id) noexcept;

  void flush();
  void event(std::uint16_t socket, std::uint32_t events, std::uint64_t now_us);
  // Closes what is idle or stuck; about every 100 ms.
  void tick(std::uint64_t now_us);
  // The server is no longer to be asked.
  void retire(std::uint8_t index);

  [[nodiscard]] std::size_t open_connections() const noexcept { return open_; }

 private:
  struct Connection {
    int fd = -1;
    std::uint8_t server = 0;
    bool connected = false;
    bool dirty = false;        // has octets to write that were not tried yet
    bool wants_write = false;  // EPOLLOUT is asked for
    std::uint64_t opened_us = 0;
    std::uint64_t active_us = 0;
    std::vector<std::uint16_t> ids;  // under way
    std::vector<std::byte> out;
    std::size_t out_done = 0;
    std::vector<std::byte> in;  // a length and its message, or a part
    std::size_t in_size = 0;
  };

  void close(std::size_t at, bool refused);
  void write(std::size_t at);
  void read(std::size_t at, std::uint64_t now_us);
  void watch(std::size_t at, bool write);

  const int epoll_;
  const std::optional<net::Address> source_v4_;
  const std::optional<net::Address> source_v6_;
  Events events_;
  std::array<Connection, kMaxConnections> connections_;
  std::size_t open_ = 0;
};

}  // namespace swarmdns::miss
