#include "dataplane/stream/connection.h"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "proto/dns/header.h"

namespace swarmdns::stream {

void Connection::open(FileDescriptor fd, const miss::Endpoint& peer, std::uint64_t now_us) noexcept {
  fd_ = std::move(fd);
  peer_ = peer;
  ++generation_;
  in_.clear();
  in_done_ = 0;
  out_.clear();
  out_done_ = 0;
  pending = 0;
  input_ended = false;
  watched = 0;
  active_us = now_us;
}

void Connection::close() noexcept {
  fd_.reset();
  in_ = {};  // the memory goes back: ten thousand idle places would hold a lot of it
  out_ = {};
  in_done_ = out_done_ = 0;
}

Connection::Io Connection::read() {
  const std::size_t before = in_.size();
  in_.resize(before + kReadAtOnce);
  ssize_t n = 0;
  do {
    n = ::recv(fd_.get(), in_.data() + before, kReadAtOnce, 0);
  } while (n < 0 && errno == EINTR);
  const int error = errno;
  in_.resize(before + (n > 0 ? static_cast<std::size_t>(n) : 0));
  if (n > 0) return Io::Done;
  if (n == 0) return Io::End;
  return error == EAGAIN || error == EWOULDBLOCK ? Io::Blocked : Io::Error;
}

Connection::Frame Connection::next_frame(std::span<const std::byte>& message) const noexcept {
  const std::span<const std::byte> rest = std::span(in_).subspan(in_done_);
  if (rest.size() < 2) return Frame::Partial;
  const std::size_t length = dns::load_be16(rest.data());
  // RFC 7766 8 bounds a message by its prefix alone. What is no message, or so long that it is no honest
  // question, is told by the prefix already: nothing behind it is worth waiting for.
  if (length < dns::kHeaderSize || length > kMaxQuery) return Frame::Bad;
  if (rest.size() - 2 < length) return Frame::Partial;
  message = rest.subspan(2, length);
  return Frame::Message;
}

void Connection::pop_frame() noexcept {
  in_done_ += 2U + dns::load_be16(in_.data() + in_done_);
}

void Connection::compact() {
  if (in_done_ == in_.size()) {
    in_ = {};
  } else if (in_done_ > 0) {
    std::vector<std::byte> rest(in_.begin() + static_cast<std::ptrdiff_t>(in_done_), in_.end());
    in_.swap(rest);
  } else {
    in_.shrink_to_fit();
  }
  in_done_ = 0;
}

bool Connection::append(std::span<const std::byte> message) {
  if (unsent() + message.size() + 2 > kOutMax) return false;
  if (out_done_ > 0 && out_done_ == out_.size()) {
    out_.clear();
    out_done_ = 0;
  }
  std::byte length[2];
  dns::store_be16(length, static_cast<std::uint16_t>(message.size()));
  out_.insert(out_.end(), length, length + 2);
  out_.insert(out_.end(), message.begin(), message.end());
  return true;
}

Connection::Io Connection::flush(std::uint64_t now_us) {
  while (out_done_ < out_.size()) {
    const ssize_t n = ::send(fd_.get(), out_.data() + out_done_, out_.size() - out_done_, MSG_NOSIGNAL);
    if (n > 0) {
      out_done_ += static_cast<std::size_t>(n);
      active_us = now_us;
      continue;
    }
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      // What was sent is let go of, else a slow reader's buffer would only grow.
      out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(out_done_));
      out_done_ = 0;
      return Io::Blocked;
    }
    return Io::Error;
  }
  out_ = {};
  out_done_ = 0;
  return Io::Done;
}

}  // namespace swarmdns::stream
