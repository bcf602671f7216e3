// DNS over TCP (RFC 7766): accepts connections, reads pipelined queries, answers each as soon as it can be
// (out of order), and ends connections that are idle, too slow, too many or not DNS. One thread's own.
//
// A late answer finds its connection by a handle of place and generation, so it can never reach another
// client.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dataplane/miss/pool.h"
#include "dataplane/miss/timers.h"
#include "dataplane/stream/client_limits.h"
#include "dataplane/stream/connection.h"
#include "dataplane/stream/options.h"
#include "dataplane/stream/query_service.h"
#include "dataplane/stream/sockets.h"

namespace swarmdns::stream {

class TcpFront {
 public:
  // `bound`: connections of this thread, whatever the options say later. `epoll` gets this front's
  // descriptors, with data from kListener or kConnection on.
  TcpFront(int epoll, std::span<const Socket> listeners, std::size_t bound, ClientLimits& limits,
           QueryService& service, stats::Block& counters);
  ~TcpFront();
  TcpFront(const TcpFront&) = delete;
  TcpFront& operator=(const TcpFront&) = delete;

  static constexpr std::uint64_t kListener = 1ULL << 56;
  static constexpr std::uint64_t kConnection = 2ULL << 56;
  static constexpr std::uint64_t kKindMask = 0xffULL << 56;

  void set_options(const Options& options) noexcept { options_ = options; }
  void event(std::uint64_t data, std::uint32_t events, std::uint64_t now_us);
  // An answer of the miss thread for a handle of this front.
  void reply(const miss::Reply& reply, std::uint64_t now_us);
  // Idle and stuck connections; every round.
  void tick(std::uint64_t now_us);

  [[nodiscard]] std::size_t connections() const noexcept { return open_; }

 private:
  static constexpr std::uint64_t kAnswerPatience =
      35'000'000;                                       // µs: beyond the longest deadline of the miss path
  static constexpr std::size_t kUnsentMax = 64U << 20;  // octets, over all connections of the thread

  void accept(std::size_t listener, std::uint64_t now_us);
  void readable(std::uint32_t at, std::uint64_t now_us);
  // Answers what has been read, as far as pipelining and output allow, and writes. False: the connection is
  // gone; so with the three below.
  bool process(std::uint32_t at, std::uint64_t now_us);
  bool answer_input(std::uint32_t at, std::uint64_t now_us);
  bool write(std::uint32_t at, std::uint64_t now_us);
  // Looks at what is to be watched next, and whether all is said.
  bool settle(std::uint32_t at);
  [[nodiscard]] bool has_work(const Connection& connection) const noexcept;
  bool append(std::uint32_t at, std::span<const std::byte> message);
  [[nodiscard]] bool may_read(const Connection& connection) const noexcept;
  void close(std::uint32_t at);
  void on_timer(std::uint32_t at, std::uint64_t now_us);

  const int epoll_;
  const std::span<const Socket> listeners_;
  ClientLimits& limits_;
  QueryService& service_;
  stats::Block& counters_;
  Options options_;
  miss::Pool<Connection> connections_;
  miss::Timers timers_;
  std::size_t open_ = 0;
  std::size_t unsent_ = 0;
  FileDescriptor spare_;  // given up for a moment to turn connections away when descriptors run out
  std::unique_ptr<std::array<std::byte, 65535>> scratch_;
};

}  // namespace swarmdns::stream
