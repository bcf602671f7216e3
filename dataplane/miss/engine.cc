#include "dataplane/miss/engine.h"

#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "proto/dns/fold.h"

namespace swarmdns::miss {
namespace {

constexpr std::size_t kRequestsPerRound = 64;  // of one asker
constexpr std::size_t kEventsPerRound = 64;
constexpr std::size_t kDatagramsPerSocket = 128;
constexpr std::uint64_t kTcpTick = 100'000;          // µs
constexpr std::uint64_t kPrefetchDelay = 1'000'000;  // µs; see admit_prefetch()

int make_epoll() {
  const int fd = ::epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) throw std::system_error(errno, std::system_category(), "epoll_create1");
  return fd;
}

}  // namespace

Engine::Engine(const Limits& limits, const OptionsSlot& options, Store& store, stats::Block& counters)
    : limits_(limits),
      options_slot_(options),
      options_version_(options.version()),
      options_(options.get()),
      store_(store),
      counters_(counters),
      epoll_(make_epoll()),
      udp_(epoll_, random_, limits.source_v4, limits.source_v6),
      tcp_(epoll_, limits.source_v4, limits.source_v6,
           {[this](std::uint16_t socket, std::span<const std::byte> message) { on_message(socket, message); },
            [this](std::uint16_t socket, std::uint8_t server, std::span<const std::uint16_t> ids,
                   bool refused) {
              for (const std::uint16_t id : ids) {
                const auto* found = in_flight_.find({socket, id});
                if (found == nullptr) continue;
                const InFlight::Owner owner = *found;
                Pending& pending = pending_[owner.question];
                // Out of the list first: the connection it names is gone.
                in_flight_.remove({socket, id});
                pending.attempts[owner.attempt].key.socket = 0xffff;
                end_attempt(pending, owner.attempt);
                pending.try_us = now_us_;  // another try at once, if there is one left
                arm(owner.question);
              }
              if (refused) servers_.refused(server, now_us_);
            }}),
      pending_(limits.max_pending),
      waiters_(limits.max_waiters),
      in_flight_(limits.max_pending * kMaxAttempts),
      prefix_quota_(limits.max_waiters),
      zone_quota_(limits.max_pending) {
  servers_.configure(options_->servers);
  name_upstreams();
}

void Engine::name_upstreams() {
  for (std::uint8_t i = 0; i < kMaxServers; ++i) {
    if ((servers_.active() >> i & 1U) == 0) continue;
    upstream_ids_[i] =
        store_.upstream_id(servers_[i].address.to_text() + "@" + std::to_string(servers_[i].port));
  }
}

Engine::~Engine() {
  ::close(epoll_);
}

void Engine::attach(Channel& channel) {
  askers_.push_back({&channel, kNone, kNone});
}

void Engine::wait(std::uint64_t timeout_us) noexcept {
  epoll_event event{};
  const timespec timeout{static_cast<time_t>(timeout_us / 1'000'000),
                         static_cast<long>(timeout_us % 1'000'000 * 1000)};
  if (!expecting()) {
    (void)::nanosleep(&timeout, nullptr);
    return;
  }
  (void)::epoll_pwait2(epoll_, &event, 1, &timeout, nullptr);
}

bool Engine::poll_once(std::uint64_t now_us) {
  now_us_ = now_us;
  take_options();
  std::size_t work = take_returned();
  work += take_requests();

  udp_.flush([this](std::uint32_t socket) { on_refused(udp_.server_of(socket)); });
  tcp_.flush();

  if (expecting()) work += take_events();
  work += timers_.advance(now_us_, [this](std::uint32_t index) { on_timer(index); });
  retry_refused();
  if (now_us_ - tcp_tick_us_ >= kTcpTick) {
    tcp_tick_us_ = now_us_;
    tcp_.tick(now_us_);
  }
  // Retries and TCP questions of this round.
  udp_.flush([this](std::uint32_t socket) { on_refused(udp_.server_of(socket)); });
  tcp_.flush();
  work += push_backlogs();
  store_.quiescent();
  return work != 0;
}

std::size_t Engine::take_events() {
  std::array<epoll_event, kEventsPerRound> events;
  std::size_t work = 0;
  const int ready = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 0);
  for (int i = 0; i < ready; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    const auto socket = static_cast<std::uint16_t>(event.data.u64);
    if (socket >= TcpUpstreams::kFirstSocket) {
      tcp_.event(socket, event.events, now_us_);
      ++work;
      continue;
    }
    work += 1 + udp_.receive(
                    socket, kDatagramsPerSocket,
                    [&](std::span<const std::byte> message) { on_message(socket, message); },
                    [&] { on_refused(udp_.server_of(socket)); });
  }
  return work;
}

void Engine::take_options() {
  const std::uint64_t version = options_slot_.version();
  if (version == options_version_) return;
  options_version_ = version;
  options_ = options_slot_.get();
  const std::uint32_t gone = servers_.configure(options_->servers);
  name_upstreams();
  for (std::uint8_t i = 0; i < kMaxServers; ++i) {
    if ((gone >> i & 1U) == 0) continue;
    // What is under way there is not waited for: questions go to another server at their next try.
    udp_.retire(i);
    tcp_.retire(i);
    for (std::uint32_t q = 0; q < pending_.made(); ++q) {
      Pending& pending = pending_[q];
      if (pending.state != Pending::State::Asking) continue;
      bool was_asked = false;
      for (std::uint8_t a = pending.attempt_count; a > 0; --a) {
        if (pending.attempts[a - 1].server != i) continue;
        end_attempt(pending, static_cast<std::uint8_t>(a - 1));
        was_asked = true;
      }
      pending.tried &= ~(1U << i);
      if (was_asked && pending.attempt_count == 0) {
        pending.try_us = now_us_;
        if (pending.tries > 0) --pending.tries;
        arm(q);
      }
    }
  }
}

std::size_t Engine::take_returned() {
  std::array<const Reply*, 256> back;
  std::size_t total = 0;
  for (Asker& asker : askers_) {
    const std::size_t n = asker.channel->returned(back);
    for (std::size_t i = 0; i < n; ++i) free_waiter(static_cast<const WaiterNode*>(back[i])->self);
    total += n;
  }
  return total;
}

std::size_t Engine::take_requests() {
  std::size_t total = 0;
  for (std::size_t k = 0; k < askers_.size(); ++k) {
    const std::size_t at = (first_asker_ + k) % askers_.size();
    Channel& channel = *askers_[at].channel;
    std::size_t n = 0;
    for (; n < kRequestsPerRound; ++n) {
      const Request* request = channel.next_request(n);
      if (request == nullptr) break;
      admit(*request, static_cast<std::uint16_t>(at));
    }
    if (n > 0) channel.pop_requests(n);
    total += n;
  }
  ++first_asker_;
  return total;
}

void Engine::admit(const Request& request, std::uint16_t asker) {
  std::array<std::byte, 255> folded;
  dns::fold_copy(folded.data(), request.qname.data(), request.qname_len);
  const cache::Key key{
      folded.data(), request.qname_len,
      static_cast<std::uint8_t>((request.edns.dnssec_ok ? cache::kKeyDnssecOk : 0) |
                                ((request.flags & 0x0010) != 0 ? cache::kKeyCheckingDisabled : 0)),
      0, request.qtype};
  const std::uint64_t hash = store_.hash(key);
  if (request.kind == Kind::Prefetch) {
    admit_prefetch(hash, key);
    return;
  }

  const std::uint64_t prefix = keys_.prefix(request.source);
  if (prefix_quota_.held(prefix) >= options_->quota_per_prefix) {
    turn_away(request, asker, stats::Counter::DropPrefixQuota);
    return;
  }
  std::uint32_t index = pending_.find(hash, key);
  if (index != kNone && pending_[index].state == Pending::State::Lingering) {
    const Pending& pending = pending_[index];
    const bool good = pending.epoch == store_.epoch() &&
                      (pending.answer_stale || pending.answer.entry().expires > seconds());
    if (good) {
      const std::uint32_t waiter = make_waiter(request, asker, prefix);
      if (waiter == kNone) return;
      counters_.add(stats::Counter::MissCoalesced);
      reply(waiter, pending.answer, pending.answer_stale);
      return;
    }
    unlinger(index);
    release(index);
    index = kNone;
  }

  const bool fresh = index == kNone;
  if (fresh) {
    stats::Counter why{};
    index = begin(hash, key, why);
    if (index == kNone) {
      turn_away(request, asker, why);
      return;
    }
  }
  const std::uint32_t waiter = make_waiter(request, asker, prefix);
  if (waiter == kNone) {
    if (fresh) release(index);
    return;
  }
  Pending& pending = pending_[index];
  const bool outdated = pending.epoch != store_.epoch();
  if (outdated) {
    // Asked before a flush: who asks after it must not get what was true before, so all who wait get what is
    // true now.
    end_attempts(pending);
    pending.epoch = store_.epoch();
    pending.asked_again = true;
    pending.answer = {};
    pending.failed_rcode = 0;
    pending.failed_ede = 0;
  }
  if (!fresh) {
    counters_.add(stats::Counter::MissCoalesced);
    if (pending.answer && request.kind == Kind::Stale) {
      // The client's deadline of an earlier one has passed, and the refresh goes on: no need to wait as long
      // again.
      reply(waiter, pending.answer, pending.answer_stale);
      return;
    }
  }
  waiters_[waiter].next = pending.waiters;
  pending.waiters = waiter;
  ++pending.waiter_count;
  if (fresh || outdated || pending.state == Pending::State::Resting) {
    const std::uint64_t deadline_us = pending.deadline_us;
    start(index);
    if (pending.waiter_count > 1)
      pending.deadline_us = deadline_us;  // flushes do not make anybody wait longer
  } else if (pending.waiter_count == 1) {
    // Until now nobody waited: the client gets the whole of its time.
    pending.deadline_us = now_us_ + std::uint64_t{options_->deadline_ms} * 1000;
    pending.tries = std::min<std::uint8_t>(pending.tries, 1);
    if (pending.try_us == 0) pending.try_us = now_us_ + std::uint64_t{options_->timeout_ms} * 1000;
  }
  if (request.kind == Kind::Stale && pending.stale_us == 0 && options_->stale_max_s != 0) {
    // RFC 8767 5: a refresh is tried first. With every upstream known to be dead it is tried and not waited
    // for.
    pending.stale_us =
        servers_.all_down() ? now_us_ : now_us_ + std::uint64_t{options_->stale_client_ms} * 1000;
  }
  if (pending.state == Pending::State::Asking) arm(index);
}

void Engine::admit_prefetch(std::uint64_t hash, const cache::Key& key) {
  std::uint32_t index = pending_.find(hash, key);
  if (index != kNone) return;  // under way, or just answered
  // Clients that wait go before refreshes that nobody waits for.
  if (pending_.used() >= pending_.max() / 4 * 3) return;
  const cache::Entry* entry = store_.find(key);
  if (entry == nullptr || (entry->flags & cache::Entry::kFailure) != 0) return;
  stats::Counter why{};
  index = begin(hash, key, why);
  if (index == kNone) return;  // nobody waits, so nothing is dropped
  Pending& pending = pending_[index];
  pending.prefetch = true;
  pending.prefetch_expires = entry->expires;
  // A caching upstream such as Unbound refreshes by itself in the last tenth of the TTL when it is asked
  // then, and answers that one question with what it still has. Its clock ticks up to a second apart from
  // ours, so a question at the very start of the last tenth may come too early; a second later it does not.
  // Then one more fetches the result.
  const std::uint64_t end_us = std::uint64_t{entry->expires} * 1'000'000;
  const std::uint64_t left_us = end_us > now_us_ ? end_us - now_us_ : 0;
  pending.state = Pending::State::Resting;
  pending.linger_us = now_us_ + std::min(kPrefetchDelay, left_us / 2);
  arm(index);
}

std::uint32_t Engine::begin(std::uint64_t hash, const cache::Key& key, stats::Counter& why) {
  const std::uint64_t zone = keys_.zone(dns::NameView::trusted({key.qname, key.qname_len}));
  if (zone_quota_.held(zone) >= options_->quota_per_zone) {
    why = stats::Counter::DropZoneQuota;
    return kNone;
  }
  if (pending_.full() && pending_.oldest_lingering() != kNone) {
    const std::uint32_t oldest = pending_.oldest_lingering();
    unlinger(oldest);
    release(oldest);
  }
  const std::uint32_t index = pending_.insert(hash, key);
  if (index == kNone) {
    why = stats::Counter::DropMissTableFull;
    return kNone;
  }
  Pending& pending = pending_[index];
  pending.zone = zone;
  (void)zone_quota_.take(
      zone, options_->quota_per_zone);  // cannot fail: held() was below, and there is a unit each
  pending.epoch = store_.epoch();
  pending.asked_again = false;
  return index;
}

std::uint32_t Engine::make_waiter(const Request& request, std::uint16_t asker, std::uint64_t prefix) {
  const std::uint32_t waiter = waiters_.take();
  if (waiter == kNone) {
    counters_.add(stats::Counter::DropWaitersFull);
    return kNone;
  }
  WaiterNode& node = waiters_[waiter];
  node.prefix_held = prefix_quota_.take(prefix, options_->quota_per_prefix);
  node.request = request;
  node.answer = nullptr;
  node.stale = false;
  node.rcode = 0;
  node.ede = 0;
  node.self = waiter;
  node.next = kNone;
  node.asker = asker;
  node.prefix = prefix;
  node.arrived_us = now_us_;
  return waiter;
}

void Engine::turn_away(const Request& request, std::uint16_t asker, stats::Counter why) {
  counters_.add(why);
  // A datagram may be dropped: its sender tries again. Over TCP that would leave the client, and the
  // connection's count of unanswered questions, hanging.
  if (request.transport != dns::Transport::Tcp) return;
  const std::uint32_t waiter = make_waiter(request, asker, keys_.prefix(request.source));
  if (waiter != kNone) reply(waiter, {}, false);
}

void Engine::free_waiter(std::uint32_t waiter) noexcept {
  WaiterNode& node = waiters_[waiter];
  node.answer = nullptr;
  node.held = {};
  if (node.prefix_held) prefix_quota_.give(node.prefix);
  waiters_.give(waiter);
}

void Engine::reply(std::uint32_t waiter, const cache::EntryImage& answer, bool stale) {
  WaiterNode& node = waiters_[waiter];
  node.next = kNone;
  node.now = seconds();
  node.stale = stale;
  node.held = answer;
  node.answer = node.held.get();
  if (node.answer == nullptr) node.rcode = 2;  // SERVFAIL
  Asker& asker = askers_[node.asker];
  if (asker.backlog_first == kNone && asker.channel->push(&node)) return;
  if (asker.backlog_first == kNone) {
    asker.backlog_first = waiter;
  } else {
    waiters_[asker.backlog_last].next = waiter;
  }
  asker.backlog_last = waiter;
}

std::size_t Engine::push_backlogs() {
  std::size_t moved = 0;
  const std::uint64_t patience = std::uint64_t{options_->deadline_ms} * 2000;
  for (Asker& asker : askers_) {
    while (asker.backlog_first != kNone) {
      const std::uint32_t waiter = asker.backlog_first;
      WaiterNode& node = waiters_[waiter];
      const std::uint32_t next = node.next;
      if (!asker.channel->push(&node)) {
        // The asker does not take its replies; the client has long given up.
        if (now_us_ - node.arrived_us < patience) break;
        counters_.add(stats::Counter::DropReplyRingFull);
        free_waiter(waiter);
      }
      asker.backlog_first = next;
      if (next == kNone) asker.backlog_last = kNone;
      ++moved;
    }
  }
  return moved;
}

void Engine::reply_all(Pending& pending, const cache::EntryImage& answer, bool stale) {
  std::uint32_t waiter = pending.waiters;
  pending.waiters = kNone;
  pending.waiter_count = 0;
  while (waiter != kNone) {
    const std::uint32_t next = waiters_[waiter].next;
    reply(waiter, answer, stale);
    waiter = next;
  }
}

void Engine::release(std::uint32_t index) {
  Pending& pending = pending_[index];
  end_attempts(pending);
  timers_.cancel(index);
  if (pending.state != Pending::State::Lingering) zone_quota_.give(pending.zone);
  pending.answer = {};
  pending_.erase(index);
}

void Engine::linger(std::uint32_t index, cache::EntryImage answer, bool stale, std::uint64_t duration_us) {
  Pending& pending = pending_[index];
  end_attempts(pending);
  zone_quota_.give(pending.zone);
  pending.answer = std::move(answer);
  pending.answer_stale = stale;
  pending.state = Pending::State::Lingering;
  pending.linger_us = now_us_ + duration_us;
  pending_.linger(index);
  arm(index);
}

void Engine::unlinger(std::uint32_t index) {
  pending_.unlinger(index);
}

}  // namespace swarmdns::miss
