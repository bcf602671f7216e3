// One client's TCP connection: two-octet framing in, bounded output, and what is known of it. It makes its
// own reads and writes; who reads when, and when it ends, is for tcp_front.h to say. One thread's own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/miss/sockaddr.h"
#include "dataplane/stream/file_descriptor.h"

namespace swarmdns::stream {

class Connection {
 public:
  // In octets. Of one query; honest ones are far below.
  static constexpr std::size_t kMaxQuery = 4096;
  static constexpr std::size_t kReadAtOnce = 16'384;
  // Unsent, beyond which no further query is taken, and beyond which the client is too slow.
  static constexpr std::size_t kOutPause = 65'536;
  static constexpr std::size_t kOutMax = 524'288;

  enum class Frame : std::uint8_t { Message, Partial, Bad };
  enum class Io : std::uint8_t { Done, Blocked, End, Error };

  void open(FileDescriptor fd, const miss::Endpoint& peer, std::uint64_t now_us) noexcept;
  void close() noexcept;
  [[nodiscard]] bool is_open() const noexcept { return static_cast<bool>(fd_); }
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  [[nodiscard]] const miss::Endpoint& peer() const noexcept { return peer_; }
  // Differs for every connection that ever had this place.
  [[nodiscard]] std::uint32_t generation() const noexcept { return generation_; }

  // Takes what has come in, at most kReadAtOnce. End: the client has sent all it will.
  Io read();
  // The next whole query in what was read. It stays valid until read() or pop_frame().
  Frame next_frame(std::span<const std::byte>& message) const noexcept;
  void pop_frame() noexcept;
  void compact();  // after a run of pop_frame()
  void discard_input() noexcept { in_done_ = in_.size(); }

  // Appends a reply with its length. False: the client reads too slowly, close it.
  [[nodiscard]] bool append(std::span<const std::byte> message);
  // Writes what there is. Blocked: the rest must wait until the socket is writable.
  Io flush(std::uint64_t now_us);
  [[nodiscard]] std::size_t unsent() const noexcept { return out_.size() - out_done_; }

  // For tcp_front.h.
  std::uint32_t pending = 0;    // queries on the miss ring
  bool input_ended = false;     // the client has closed its side; it still gets what it asked for
  std::uint32_t watched = 0;    // epoll events
  std::uint64_t active_us = 0;  // last whole query in, last octet out

 private:
  FileDescriptor fd_;
  miss::Endpoint peer_;
  std::uint32_t generation_ = 0;
  std::vector<std::byte> in_;
  std::size_t in_done_ = 0;
  std::vector<std::byte> out_;
  std::size_t out_done_ = 0;
};

}  // namespace swarmdns::stream
