// Queries to the upstreams, tries and timers.
#include <algorithm>
#include <array>

#include "dataplane/miss/engine.h"
#include "dataplane/miss/upstream_query.h"
#include "proto/dns/query.h"

namespace swarmdns::miss {
namespace {

constexpr std::uint64_t kRefusedLook = 20'000;    // µs between looks at questions whose server was refused
constexpr std::uint64_t kRefusedPause = 100'000;  // µs until it is tried again, doubling
constexpr unsigned kIdTries = 16;

}  // namespace

void Engine::start(std::uint32_t index) {
  Pending& pending = pending_[index];
  pending.state = Pending::State::Asking;
  pending.deadline_us = now_us_ + std::uint64_t{options_->deadline_ms} * 1000;
  pending.tries = 0;
  pending.tried = 0;
  pending.refusals = 0;
  pending.needs_tcp = false;
  ask(index);
}

void Engine::ask(std::uint32_t index) {
  Pending& pending = pending_[index];
  // A try waits twice as long as the one before; the last one waits for the deadline.
  ++pending.tries;
  const std::uint64_t patience = (std::uint64_t{options_->timeout_ms} * 1000)
                                 << std::min(pending.tries - 1, 16);
  pending.try_us = pending.tries < options_->tries ? now_us_ + patience : 0;

  std::optional<std::uint8_t> server = servers_.choose(pending.tried, now_us_, random_);
  if (!server) {  // none configured: a change of options may bring some before the deadline
    pending.try_us = 0;
    arm(index);
    return;
  }
  if (servers_.held_back(*server, now_us_)) {
    // Nobody listens there, and another question has just found out: ask again when its turn has come.
    --pending.tries;
    pending.try_us = now_us_ + kRefusedPause / 2 + random_.below(kRefusedPause / 2);
    arm(index);
    return;
  }
  if ((pending.tried & servers_.active()) == servers_.active()) pending.tried = 0;
  pending.tried |= 1U << *server;
  const bool sent = pending.needs_tcp ? ask_tcp(index, *server) : ask_udp(index, *server);
  if (sent) {
    servers_.asked(*server);
    counters_.add(stats::Counter::UpstreamQueries);
  }
  arm(index);
}

Attempt* Engine::add_attempt(std::uint32_t index, std::uint16_t socket, std::uint8_t server) {
  Pending& pending = pending_[index];
  if (pending.attempt_count == kMaxAttempts) end_attempt(pending, 0);  // the oldest is given up
  for (unsigned i = 0; i < kIdTries; ++i) {
    const FlightKey key{socket, random_.u16()};
    if (!in_flight_.add(key, {index, pending.attempt_count})) continue;
    Attempt& attempt = pending.attempts[pending.attempt_count++];
    attempt = Attempt{};
    attempt.key = key;
    attempt.server = server;
    attempt.sent_us = now_us_;
    return &attempt;
  }
  return nullptr;
}

bool Engine::ask_udp(std::uint32_t index, std::uint8_t server) {
  Pending& pending = pending_[index];
  for (std::uint8_t i = 0; i < pending.attempt_count; ++i) {
    Attempt& attempt = pending.attempts[i];
    if (attempt.server != server || attempt.tcp) continue;
    // The same datagram again: two IDs for one question would halve the work of guessing one.
    attempt.resent = true;
    attempt.sent_us = now_us_;
    return send_query(index, attempt);
  }
  const bool loopback = servers_.loopback(server);
  const std::uint32_t socket = udp_.pick(server, servers_[server], loopback, now_us_);
  if (socket == kNone) return false;
  udp_.hold(socket);
  Attempt* attempt = add_attempt(index, static_cast<std::uint16_t>(socket), server);
  if (attempt == nullptr) {
    udp_.release(socket);
    return false;
  }
  // Some old servers do not give the case back: the last try does without.
  if (!loopback && options_->case_randomisation && pending.tries < options_->tries)
    attempt->case_seed = random_.u64();
  return send_query(index, *attempt);
}

bool Engine::ask_tcp(std::uint32_t index, std::uint8_t server) {
  const std::uint32_t socket = tcp_.pick(server, servers_[server], now_us_);
  if (socket == kNone) return false;
  Attempt* attempt = add_attempt(index, static_cast<std::uint16_t>(socket), server);
  if (attempt == nullptr) return false;
  attempt->tcp = true;
  counters_.add(stats::Counter::UpstreamTcp);
  return send_query(index, *attempt);
}

bool Engine::send_query(std::uint32_t index, const Attempt& attempt) {
  const Pending& pending = pending_[index];
  asked_us_ = now_us_;
  std::array<std::byte, dns::kMaxQuerySize> query;
  const std::size_t size =
      write_upstream_query({pending.key(), attempt.key.id, attempt.case_seed,
                            servers_.loopback(attempt.server) ? kPayloadLoopback : kPayload},
                           query);
  if (size == 0) return false;
  const std::span<const std::byte> bytes(query.data(), size);
  if (attempt.tcp) {
    tcp_.add(attempt.key.socket, attempt.key.id, bytes, now_us_);
    return true;
  }
  if (udp_.queue(attempt.key.socket, bytes)) return true;
  udp_.flush([this](std::uint32_t socket) { on_refused(udp_.server_of(socket)); });
  return udp_.queue(attempt.key.socket, bytes);
}

void Engine::end_attempt(Pending& pending, std::uint8_t at) noexcept {
  const Attempt attempt = pending.attempts[at];
  in_flight_.remove(attempt.key);
  if (!attempt.tcp) {
    udp_.release(attempt.key.socket);
  } else if (attempt.key.socket != 0xffff) {
    tcp_.remove(attempt.key.socket, attempt.key.id);
  }
  // The last one takes its place; where replies to it are looked up has to follow.
  const auto last = static_cast<std::uint8_t>(--pending.attempt_count);
  if (at == last) return;
  pending.attempts[at] = pending.attempts[last];
  in_flight_.renumber(pending.attempts[at].key, at);
}

void Engine::end_attempts(Pending& pending) noexcept {
  while (pending.attempt_count > 0)
    end_attempt(pending, static_cast<std::uint8_t>(pending.attempt_count - 1));
}

void Engine::arm(std::uint32_t index) {
  const Pending& pending = pending_[index];
  if (pending.state != Pending::State::Asking) {
    timers_.set(index, pending.linger_us);
    return;
  }
  std::uint64_t due = pending.deadline_us;
  if (pending.try_us != 0) due = std::min(due, pending.try_us);
  if (pending.stale_us != 0) due = std::min(due, pending.stale_us);
  timers_.set(index, due);
}

void Engine::on_timer(std::uint32_t index) {
  Pending& pending = pending_[index];
  if (pending.state == Pending::State::Lingering) {
    unlinger(index);
    release(index);
    return;
  }
  if (pending.state == Pending::State::Resting) {
    start(index);
    return;
  }
  if (now_us_ >= pending.deadline_us) {
    if (pending.attempt_count > 0) {
      counters_.add(stats::Counter::UpstreamTimeouts);
      servers_.timed_out(pending.attempts[pending.attempt_count - 1].server, now_us_);
    }
    // RFC 8914 22: nobody could be reached; or what the last one that could said.
    const bool said = pending.failed_rcode != 0;
    fail(index, said ? pending.failed_rcode : 2, said ? pending.failed_ede : 22 + 1, false, 0);
    return;
  }
  if (pending.stale_us != 0 && now_us_ >= pending.stale_us) {
    pending.stale_us = 0;
    (void)give_stale(index);  // and the refresh goes on
  }
  if (pending.try_us != 0 && now_us_ >= pending.try_us) {
    if (pending.attempt_count > 0) {
      counters_.add(stats::Counter::UpstreamTimeouts);
      servers_.timed_out(pending.attempts[pending.attempt_count - 1].server, now_us_);
    }
    if (pending.tries < options_->tries) {
      ask(index);
      return;
    }
    pending.try_us = 0;
    if (pending.attempt_count == 0) {  // all failed at once, none is under way
      const bool said = pending.failed_rcode != 0;
      fail(index, said ? pending.failed_rcode : 2, said ? pending.failed_ede : 22 + 1, false, 0);
      return;
    }
  }
  arm(index);
}

void Engine::on_refused(std::uint8_t server) {
  refused_ |= 1U << server;
  servers_.refused(server, now_us_);
}

// The kernel does not say which datagram was refused, so all questions last sent to that server are taken to
// be. They are tried again, elsewhere at once or here after a pause: a resolver that restarts is back before
// clients give up, and such tries are not counted, for nobody has been asked.
void Engine::retry_refused() {
  if (refused_ == 0 || now_us_ - refused_looked_us_ < kRefusedLook) return;
  refused_looked_us_ = now_us_;
  const std::uint32_t refused = refused_;
  refused_ = 0;
  const bool dead = servers_.all_down();
  for (std::uint32_t index = 0; index < pending_.made(); ++index) {
    Pending& pending = pending_[index];
    if (pending.state != Pending::State::Asking || pending.attempt_count == 0) continue;
    const Attempt& last = pending.attempts[pending.attempt_count - 1];
    if (last.tcp || (refused >> last.server & 1U) == 0) continue;
    if (dead && pending.stale_us > now_us_) pending.stale_us = now_us_;
    const bool elsewhere = (servers_.active() & ~pending.tried) != 0;
    const std::uint64_t pause = elsewhere ? 0 : kRefusedPause << std::min<unsigned>(pending.refusals, 3);
    if (pending.refusals < 255) ++pending.refusals;
    if (pending.tries > 0) --pending.tries;
    end_attempt(pending, static_cast<std::uint8_t>(pending.attempt_count - 1));
    pending.try_us = now_us_ + pause;
    arm(index);
  }
}

}  // namespace swarmdns::miss
