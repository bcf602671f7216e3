#include "dataplane/stream/thread.h"

#include <sys/epoll.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <utility>

#include "dataplane/cache/reader.h"
#include "dataplane/stream/query_service.h"
#include "dataplane/stream/tcp_front.h"
#include "dataplane/stream/udp_front.h"
#include "dataplane/sync/affinity.h"
#include "dataplane/sync/idle.h"

namespace swarmdns::stream {
namespace {

constexpr std::size_t kEvents = 128;
constexpr std::size_t kReplies = 64;
constexpr std::uint64_t kLongSleep = 20'000'000;  // ns: idle timers need no more
// Questions the miss thread has dropped (a full table, a quota) are never answered: not looked for any longer
// than this.
constexpr std::uint64_t kAnswerPatience = 35'000'000'000;  // ns

std::uint64_t clock_ns(clockid_t id) noexcept {
  timespec now{};
  ::clock_gettime(id, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

Moment read_moment(const ThreadParts& parts) noexcept {
  Moment moment;
  moment.policy = parts.policy->current.load(std::memory_order_acquire);
  const std::uint64_t ms = parts.clock->milliseconds();
  moment.now = static_cast<cache::Seconds>(ms / 1000);
  moment.ms = static_cast<std::uint32_t>(ms);
  moment.wall_s = static_cast<std::uint32_t>(clock_ns(CLOCK_REALTIME_COARSE) / 1'000'000'000);
  moment.ns = clock_ns(CLOCK_MONOTONIC);
  return moment;
}

}  // namespace

Thread::Thread(ThreadSockets sockets, ThreadParts parts)
    : sockets_(std::move(sockets)), parts_(std::move(parts)) {}

Thread::~Thread() {
  stop();
}

void Thread::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Thread::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

void Thread::run(const std::stop_token& stop) {
  sync::begin_slow_thread("stream", parts_.cpus);
  const FileDescriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
  cache::Reader reader(*parts_.table);
  stats::Block& counters = parts_.stats->counters;
  QueryService service(reader, *parts_.misses, counters);
  TcpFront tcp(epoll.get(), sockets_.tcp, parts_.max_connections, *parts_.limits, service, counters);
  UdpFront udp(epoll.get(), sockets_.udp, service, counters);
  std::uint64_t options_version = parts_.options->version();
  tcp.set_options(*parts_.options->get());

  std::array<epoll_event, kEvents> events;
  std::array<const miss::Reply*, kReplies> replies;
  sync::IdleSleep idle;
  std::uint64_t answered_ns = 0;  // when a question was last asked or answered
  while (!stop.stop_requested()) {
    const bool expecting =
        service.outstanding() > 0 && clock_ns(CLOCK_MONOTONIC) - answered_ns < kAnswerPatience;
    const std::uint64_t sleep =
        expecting ? static_cast<std::uint64_t>(idle.next().count()) * 1000 : kLongSleep;
    const timespec timeout{0, static_cast<long>(sleep)};
    reader.offline();
    const int ready =
        ::epoll_pwait2(epoll.get(), events.data(), static_cast<int>(events.size()), &timeout, nullptr);
    reader.online();

    if (parts_.options->version() != options_version) {
      options_version = parts_.options->version();
      tcp.set_options(*parts_.options->get());
    }
    const Moment moment = read_moment(parts_);
    service.set_moment(moment);
    const std::uint64_t now_us = moment.ns / 1000;
    const std::size_t asked_before = service.asked();
    const std::uint64_t hits_before = counters.get(stats::Counter::CacheHits);
    for (int i = 0; i < ready; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      if ((event.data.u64 & TcpFront::kKindMask) == UdpFront::kSocket) {
        udp.event(event.data.u64);
      } else {
        tcp.event(event.data.u64, event.events, now_us);
      }
    }
    if (service.asked() != asked_before) parts_.bell->ring();
    if (const std::uint64_t hits = counters.get(stats::Counter::CacheHits) - hits_before; hits != 0) {
      parts_.stats->hits.add(clock_ns(CLOCK_MONOTONIC) - moment.ns, hits);
    }
    const std::size_t n = parts_.misses->take(replies);
    for (std::size_t i = 0; i < n; ++i) {
      const miss::Reply& reply = *replies[i];
      parts_.stats->misses.add(moment.ns - std::min(moment.ns, reply.request.waiter.asked_tsc));
      service.count_answer();
      if ((reply.request.waiter.handle & UdpFront::kHandle) != 0) {
        udp.reply(reply);
      } else {
        tcp.reply(reply, now_us);
      }
      parts_.misses->give_back(&reply);
    }
    if (n > 0 || service.asked() != asked_before) {
      answered_ns = moment.ns;
      idle.worked();
    }
    if (!expecting && service.outstanding() > 0 && service.asked() == asked_before)
      service.forget_outstanding();
    tcp.tick(now_us);
    reader.quiescent();
  }
  // Answers still in the ring are the miss thread's own and need nothing of us.
}

}  // namespace swarmdns::stream
