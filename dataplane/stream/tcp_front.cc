#include "dataplane/stream/tcp_front.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace swarmdns::stream {
namespace {

using stats::Counter;

constexpr int kAcceptAtOnce = 64;

std::uint64_t make_handle(std::uint32_t at, std::uint32_t generation) noexcept {
  // The top bit stays clear: the UDP front's handles have it set.
  return (std::uint64_t{generation & 0x7fffffffU} << 32) | at;
}

}  // namespace

TcpFront::TcpFront(int epoll, std::span<const Socket> listeners, std::size_t bound, ClientLimits& limits,
                   QueryService& service, stats::Block& counters)
    : epoll_(epoll),
      listeners_(listeners),
      limits_(limits),
      service_(service),
      counters_(counters),
      connections_(bound),
      spare_(::open("/dev/null", O_RDONLY | O_CLOEXEC)),
      scratch_(std::make_unique<std::array<std::byte, 65535>>()) {
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = kListener | i;
    (void)::epoll_ctl(epoll_, EPOLL_CTL_ADD, listeners_[i].fd.get(), &event);
  }
}

TcpFront::~TcpFront() {
  for (std::uint32_t at = 0; at < connections_.made(); ++at) {
    if (connections_[at].is_open()) close(at);
  }
}

void TcpFront::event(std::uint64_t data, std::uint32_t events, std::uint64_t now_us) {
  if ((data & kKindMask) == kListener) {
    accept(data & ~kKindMask, now_us);
    return;
  }
  const auto at = static_cast<std::uint32_t>(data);
  if (!connections_[at].is_open()) return;  // closed earlier in this round
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
    close(at);
    return;
  }
  if ((events & EPOLLOUT) != 0 && !process(at, now_us)) return;
  if ((events & EPOLLIN) != 0) readable(at, now_us);
}

void TcpFront::accept(std::size_t listener, std::uint64_t now_us) {
  for (int i = 0; i < kAcceptAtOnce; ++i) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    const int fd = ::accept4(listeners_[listener].fd.get(), reinterpret_cast<sockaddr*>(&storage), &size,
                             SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if ((errno == EMFILE || errno == ENFILE) && spare_) {
        // Without a descriptor the connection would stay in the queue and wake us for ever.
        spare_.reset();
        const int extra = ::accept4(listeners_[listener].fd.get(), nullptr, nullptr, SOCK_CLOEXEC);
        if (extra >= 0) ::close(extra);
        spare_ = FileDescriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));
        counters_.add(Counter::StreamRefused);
        continue;
      }
      return;
    }
    FileDescriptor owned(fd);
    const miss::Endpoint peer = miss::from_socket_address(reinterpret_cast<const sockaddr*>(&storage));
    const auto allowed = service_.moment().policy->acl->check(peer.address);
    if (allowed == guard::AclAction::Deny ||
        !limits_.enter(peer.address, options_.max_connections, options_.max_connections_per_client)) {
      counters_.add(Counter::StreamRefused);
      continue;
    }
    const std::uint32_t at = connections_.take();
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = kConnection | at;
    if (at == miss::kNone || ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) {
      if (at != miss::kNone) connections_.give(at);
      limits_.leave(peer.address);
      counters_.add(Counter::StreamRefused);
      continue;
    }
    Connection& connection = connections_[at];
    connection.open(std::move(owned), peer, now_us);
    connection.watched = EPOLLIN;
    ++open_;
    counters_.add(Counter::StreamAccepted);
    timers_.set(at, now_us + std::uint64_t{options_.idle_timeout_ms} * 1000);
  }
}

bool TcpFront::may_read(const Connection& connection) const noexcept {
  return connection.pending < options_.max_pipelined && connection.unsent() < Connection::kOutPause;
}

void TcpFront::readable(std::uint32_t at, std::uint64_t now_us) {
  Connection& connection = connections_[at];
  if (connection.input_ended || !may_read(connection)) {
    (void)settle(at);
    return;
  }
  switch (connection.read()) {
    case Connection::Io::Done:
      break;
    case Connection::Io::Blocked:
      return;
    case Connection::Io::End:
      connection.input_ended = true;
      break;
    case Connection::Io::Error:
      close(at);
      return;
  }
  (void)process(at, now_us);
}

bool TcpFront::process(std::uint32_t at, std::uint64_t now_us) {
  Connection& connection = connections_[at];
  // Queries that had to wait for room in the output may go on once some of it is written: nothing new need
  // come in.
  do {
    if (!answer_input(at, now_us) || !write(at, now_us)) return false;
  } while (has_work(connection));
  connection.compact();
  return settle(at);
}

bool TcpFront::has_work(const Connection& connection) const noexcept {
  std::span<const std::byte> message;
  return may_read(connection) && connection.next_frame(message) != Connection::Frame::Partial;
}

bool TcpFront::answer_input(std::uint32_t at, std::uint64_t now_us) {
  Connection& connection = connections_[at];
  while (may_read(connection)) {
    std::span<const std::byte> message;
    const Connection::Frame frame = connection.next_frame(message);
    if (frame == Connection::Frame::Partial) break;
    if (frame == Connection::Frame::Bad) {
      counters_.add(Counter::StreamBadFrame);
      // What was asked before still deserves its answers; what comes after is not looked at.
      connection.input_ended = true;
      connection.discard_input();
      break;
    }
    counters_.add(Counter::StreamQueries);
    connection.active_us = now_us;
    std::memcpy(scratch_->data(), message.data(), message.size());
    const auto length = static_cast<std::uint16_t>(message.size());
    connection.pop_frame();
    const QueryService::Result result =
        service_.handle(*scratch_, length, dns::Transport::Tcp, connection.peer().address,
                        connection.peer().port, make_handle(at, connection.generation()));
    if (result.asked) ++connection.pending;
    if (result.reply > 0 && !append(at, std::span(*scratch_).first(result.reply))) return false;
  }
  return true;
}

bool TcpFront::append(std::uint32_t at, std::span<const std::byte> message) {
  Connection& connection = connections_[at];
  const std::size_t before = connection.unsent();
  if (unsent_ + message.size() > kUnsentMax || !connection.append(message)) {
    counters_.add(Counter::StreamIdleClosed);  // it does not read
    close(at);
    return false;
  }
  unsent_ += connection.unsent() - before;
  counters_.add(Counter::StreamReplies);
  return true;
}

bool TcpFront::write(std::uint32_t at, std::uint64_t now_us) {
  Connection& connection = connections_[at];
  const std::size_t before = connection.unsent();
  if (before == 0) return true;
  const Connection::Io written = connection.flush(now_us);
  unsent_ -= before - connection.unsent();
  if (written != Connection::Io::Error) return true;
  close(at);
  return false;
}

bool TcpFront::settle(std::uint32_t at) {
  Connection& connection = connections_[at];
  if (connection.input_ended && connection.pending == 0 && connection.unsent() == 0) {
    close(at);  // all is said: the client has ended its side, or sent nonsense
    return false;
  }
  const std::uint32_t wanted = (!connection.input_ended && may_read(connection) ? EPOLLIN : 0U) |
                               (connection.unsent() > 0 ? EPOLLOUT : 0U);
  if (wanted != connection.watched) {
    connection.watched = wanted;
    epoll_event event{};
    event.events = wanted;
    event.data.u64 = kConnection | at;
    (void)::epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.fd(), &event);
  }
  return true;
}

void TcpFront::reply(const miss::Reply& reply, std::uint64_t now_us) {
  const std::uint64_t handle = reply.request.waiter.handle;
  const auto at = static_cast<std::uint32_t>(handle);
  if (at >= connections_.made()) return;
  Connection& connection = connections_[at];
  if (!connection.is_open() || make_handle(at, connection.generation()) != handle) return;  // gone meanwhile
  if (connection.pending > 0) --connection.pending;
  connection.active_us = now_us;
  const std::size_t length = service_.build(reply, *scratch_);
  if (length > 0 && !append(at, std::span(*scratch_).first(length))) return;
  // A query that was read but had to wait for its turn may go now.
  (void)process(at, now_us);
}

void TcpFront::close(std::uint32_t at) {
  Connection& connection = connections_[at];
  unsent_ -= connection.unsent();
  limits_.leave(connection.peer().address);
  connection.close();
  timers_.cancel(at);
  connections_.give(at);
  --open_;
}

void TcpFront::on_timer(std::uint32_t at, std::uint64_t now_us) {
  Connection& connection = connections_[at];
  if (!connection.is_open()) return;
  const std::uint64_t idle = std::uint64_t{options_.idle_timeout_ms} * 1000;
  // Whoever waits for an answer of ours is not idle; but an answer that never comes must not hold a place for
  // ever.
  const std::uint64_t patience =
      connection.pending > 0 && connection.unsent() == 0 ? idle + kAnswerPatience : idle;
  const std::uint64_t end = connection.active_us + patience;
  if (now_us >= end) {
    counters_.add(Counter::StreamIdleClosed);
    close(at);
    return;
  }
  timers_.set(at, std::min(end, now_us + idle));
}

void TcpFront::tick(std::uint64_t now_us) {
  timers_.advance(now_us, [this, now_us](std::uint32_t at) { on_timer(at, now_us); });
}

}  // namespace swarmdns::stream
