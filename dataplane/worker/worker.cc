#include "dataplane/worker/worker.h"

#include <time.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "dataplane/sync/affinity.h"
#include "dataplane/worker/idle.h"
#include "dataplane/worker/kernel_stage.h"
#include "dataplane/worker/miss_reply.h"
#include "dataplane/worker/moment.h"
#include "dataplane/worker/queue.h"
#include "dataplane/worker/stages.h"

namespace swarmdns::worker {
namespace {

using stats::Counter;
using stats::read_tsc;

// Bounds of what is taken from the slow threads in one loop, so that they cannot keep a worker from its
// ports.
constexpr std::size_t kRepliesPerLoop = 32;
constexpr std::size_t kKernelFramesPerLoop = 16;

constexpr std::uint64_t kPatienceNs = 50'000;

void sleep_us(std::uint32_t microseconds) noexcept {
  const timespec pause{.tv_sec = 0, .tv_nsec = static_cast<long>(microseconds) * 1000};
  clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, nullptr);
}

}  // namespace

// The state of one run(), on the stack of its thread's making so that the pages are local to the lcore.
class Worker::Loop {
 public:
  Loop(const WorkerOptions& options, const WorkerParts& parts)
      : options_(options),
        parts_(parts),
        counters_(parts.stats->counters),
        reader_(*parts.table),
        police_(options.police),
        clock_(*parts.cache_clock, parts.tsc),
        idle_(parts.tsc.from_ns(kPatienceNs)) {
    queues_.reserve(parts.ports.size());
    for (const eal::Port* port : parts.ports) {
      queues_.emplace_back(*port, options.index, options.burst, counters_);
      const std::uint32_t bound = port->max_sleep_us();
      if (bound != 0) sleep_bound_us_ = std::min(sleep_bound_us_, bound);
    }
  }

  void run(const std::atomic<bool>& stop) {
    enter_roll();
    std::uint64_t before = read_tsc();
    idle_.worked(before);
    while (!stop.load(std::memory_order_relaxed)) {
      if (clock_.refresh(before)) police_.refill(clock_.moment().ms);
      const Policy& policy = *parts_.policy->current.load(std::memory_order_acquire);
      std::size_t work = 0;
      for (std::size_t port = 0; port < queues_.size(); ++port)
        work += poll(port, policy, Queue::Next::Ahead);
      work += take_miss_replies(policy);
      if (options_.index == 0) work += take_kernel_frames();
      reader_.quiescent();

      const std::uint64_t after = read_tsc();
      stats::Load& load = parts_.stats->load;
      add(load.total_ticks, after - before);
      if (work != 0) {
        add(load.busy_ticks, after - before);
        idle_.worked(after);
        if (!on_roll_) enter_roll();
        before = after;
      } else {
        before = policy.spin ? after : rest(after, policy, load);
      }
    }
    // What was received ahead is answered before the end.
    const Policy& policy = *parts_.policy->current.load(std::memory_order_acquire);
    for (std::size_t port = 0; port < queues_.size(); ++port) poll(port, policy, Queue::Next::Last);
    reader_.quiescent();
    if (on_roll_) parts_.roll->leave();
  }

 private:
  // After the first work that follows long sleeps: its replies are on the wire by then.
  void enter_roll() noexcept {
    on_roll_ = true;
    parts_.roll->enter();
  }

  static void add(std::atomic<std::uint64_t>& value, std::uint64_t ticks) noexcept {
    value.store(value.load(std::memory_order_relaxed) + ticks, std::memory_order_relaxed);
  }

  std::size_t poll(std::size_t port, const Policy& policy, Queue::Next next) noexcept {
    Queue& queue = queues_[port];
    const std::size_t received = queue.receive(batch_, next);
    if (batch_.count == 0) return received;
    run_stages(batch_, {.policy = policy,
                        .identity = *policy.ports[port],
                        .reader = reader_,
                        .misses = *parts_.misses,
                        .counters = counters_,
                        .moment = clock_.moment(),
                        .port = static_cast<std::uint16_t>(port)});
    if (batch_.to_kernel.size() != 0) {
      kernel_stage(batch_, police_, *parts_.links[port]->to_kernel[options_.index], counters_);
    }
    queue.transmit(batch_);
    if (batch_.hits != 0) {
      parts_.stats->hits.add(parts_.tsc.to_ns(read_tsc() - batch_.rx_tsc), batch_.hits);
    }
    return received;
  }

  std::size_t take_miss_replies(const Policy& policy) noexcept {
    std::array<const miss::Reply*, kRepliesPerLoop> replies;
    const std::size_t count = parts_.misses->take(replies);
    if (count == 0) return 0;
    const std::uint64_t now = read_tsc();
    for (std::size_t i = 0; i < count; ++i) {
      const miss::Reply& reply = *replies[i];
      Queue& queue = queues_[std::min<std::size_t>(reply.request.waiter.port, queues_.size() - 1)];
      const Queue::Fresh fresh = queue.allocate();
      if (fresh.mbuf == nullptr) {
        counters_.add(Counter::DropNoMbuf);
      } else if (const std::size_t length =
                     build_miss_reply(reply, fresh.frame, scratch_, policy, clock_.moment(), counters_);
                 length == 0) {
        queue.give_up(fresh);
      } else {
        queue.send(fresh, length);
        parts_.stats->misses.add(parts_.tsc.to_ns(now - reply.request.waiter.asked_tsc));
      }
      parts_.misses->give_back(replies[i]);
    }
    for (Queue& queue : queues_) queue.flush();
    return count;
  }

  std::size_t take_kernel_frames() noexcept {
    std::size_t total = 0;
    for (std::size_t port = 0; port < queues_.size(); ++port) {
      exception::FrameRing& ring = parts_.links[port]->from_kernel;
      std::size_t count = 0;
      for (; count < kKernelFramesPerLoop; ++count) {
        const std::span<const std::byte> frame = ring.front();
        if (frame.empty()) break;
        const Queue::Fresh fresh = queues_[port].allocate();
        if (fresh.mbuf == nullptr || frame.size() > rte_pktmbuf_tailroom(fresh.mbuf)) {
          if (fresh.mbuf != nullptr) queues_[port].give_up(fresh);
          counters_.add(Counter::DropNoMbuf);
        } else {
          std::memcpy(fresh.frame.data, frame.data(), frame.size());
          queues_[port].send(fresh, frame.size());
          counters_.add(Counter::FromKernel);
        }
        ring.pop();
      }
      if (count != 0) queues_[port].flush();
      total += count;
    }
    return total;
  }

  // After a loop without work: sleeps if it is time to. Returns the time afterwards.
  std::uint64_t rest(std::uint64_t now, const Policy& policy, stats::Load& load) noexcept {
    const std::uint32_t microseconds =
        idle_.next_sleep_us(now, std::min(policy.idle_max_sleep_us, sleep_bound_us_));
    if (microseconds == 0) return now;
    if (on_roll_ && idle_.longest()) {
      on_roll_ = false;
      parts_.roll->leave();
    }
    reader_.offline();  // grace periods do not wait for sleepers; `policy` is not touched again
    sleep_us(microseconds);
    reader_.online();
    const std::uint64_t woken = read_tsc();
    add(load.sleep_ticks, woken - now);
    add(load.total_ticks, woken - now);
    return woken;
  }

  const WorkerOptions& options_;
  const WorkerParts& parts_;
  stats::Block& counters_;
  cache::Reader reader_;
  Police police_;
  MomentClock clock_;
  Idle idle_;
  std::uint32_t sleep_bound_us_ = 900;
  bool on_roll_ = false;
  std::vector<Queue> queues_;
  dns::Query scratch_;
  Batch batch_;
};

Worker::Worker(const WorkerOptions& options, WorkerParts parts)
    : options_(options), parts_(std::move(parts)) {}

Worker::~Worker() = default;

void Worker::run() {
  sync::set_thread_name("worker" + std::to_string(options_.index));
  sync::set_timer_slack(1);
  const auto loop = std::make_unique<Loop>(options_, parts_);
  loop->run(stop_);
}

}  // namespace swarmdns::worker
