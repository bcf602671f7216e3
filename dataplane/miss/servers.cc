#include "dataplane/miss/servers.h"

#include <algorithm>

#include "dataplane/miss/sockaddr.h"

namespace swarmdns::miss {
namespace {

constexpr std::uint32_t kSilentTimeouts = 8;           // and for kSilentFor: the server is down
constexpr std::uint64_t kSilentFor = 3'000'000;        // µs
constexpr std::uint32_t kBackoffSilent = 500'000;      // µs, doubling
constexpr std::uint32_t kBackoffRefused = 50'000;      // a restarting resolver is soon back
constexpr std::uint32_t kBackoffMaxRefused = 400'000;  // looking is cheap, and clients wait
constexpr std::uint32_t kBackoffMax = 8'000'000;
constexpr std::uint32_t kSrttMax = 4'000'000;
constexpr std::uint32_t kExploreOneIn = 32;  // a slower server is asked, to see whether it still is

void add(std::atomic<std::uint64_t>& value) noexcept {
  value.store(value.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

}  // namespace

std::uint32_t Servers::configure(std::span<const Server> servers) {
  const std::lock_guard lock(names_);
  servers = servers.first(std::min(servers.size(), kMaxServers));
  std::uint32_t gone = 0;
  std::uint32_t kept = 0;
  for (std::size_t i = 0; i < kMaxServers; ++i) {
    if ((active_ >> i & 1U) == 0) continue;
    if (std::find(servers.begin(), servers.end(), states_[i].server) != servers.end()) {
      kept |= 1U << i;
    } else {
      gone |= 1U << i;
    }
  }
  for (const Server& server : servers) {
    bool known = false;
    for (std::size_t i = 0; i < kMaxServers; ++i)
      known |= (kept >> i & 1U) != 0 && states_[i].server == server;
    if (known) continue;
    // There is room: what is kept and what is new are at most kMaxServers, duplicates counted once.
    std::size_t at = 0;
    while ((kept >> at & 1U) != 0) ++at;
    State& state = states_[at];
    state.server = server;
    state.loopback = is_loopback(server.address);
    state.silent = 0;
    state.last_reply_us = 0;
    state.down_until_us = 0;
    state.backoff_us = 0;
    state.refusing = false;
    state.probe_us = 0;
    state.healthy.store(true, std::memory_order_relaxed);
    state.srtt_us.store(0, std::memory_order_relaxed);
    state.queries.store(0, std::memory_order_relaxed);
    state.timeouts.store(0, std::memory_order_relaxed);
    kept |= 1U << at;
  }
  active_ = kept;
  return gone;
}

std::optional<std::uint8_t> Servers::choose(std::uint32_t tried, std::uint64_t now_us, Random& random) {
  if (active_ == 0) return std::nullopt;
  std::array<std::uint8_t, kMaxServers> good{};
  std::uint32_t good_count = 0;
  std::optional<std::uint8_t> best;
  std::optional<std::uint8_t> fallback;  // all are down or tried: the one whose turn is next
  std::uint64_t fallback_rank = 0;
  for (std::uint8_t i = 0; i < kMaxServers; ++i) {
    if ((active_ >> i & 1U) == 0) continue;
    State& state = states_[i];
    const bool was_tried = (tried >> i & 1U) != 0;
    const bool up = state.healthy.load(std::memory_order_relaxed);
    // Untried before tried, up before down, and among those down the one with the earliest turn.
    const std::uint64_t rank = (was_tried ? 1ULL << 63 : 0) | (up ? 0 : 1ULL << 62) |
                               (up ? state.srtt_us.load(std::memory_order_relaxed) : state.down_until_us);
    if (!fallback || rank < fallback_rank) {
      fallback = i;
      fallback_rank = rank;
    }
    if (was_tried) continue;
    if (!up) {
      if (now_us < state.down_until_us) continue;
      // Its turn for a probe: one question, then none until the back-off has passed again.
      state.down_until_us = now_us + state.backoff_us;
      state.probe_us = now_us;
      return i;
    }
    good[good_count++] = i;
    if (!best || state.srtt_us.load(std::memory_order_relaxed) <
                     states_[*best].srtt_us.load(std::memory_order_relaxed)) {
      best = i;
    }
  }
  if (!best) return fallback;
  if (good_count > 1) {
    // Those not chosen grow attractive again, slowly: an old time says little about now.
    for (std::uint32_t k = 0; k < good_count; ++k) {
      if (good[k] == *best) continue;
      auto& srtt = states_[good[k]].srtt_us;
      const std::uint32_t value = srtt.load(std::memory_order_relaxed);
      srtt.store(value - value / 256, std::memory_order_relaxed);
    }
    if (random.below(kExploreOneIn) == 0) best = good[random.below(good_count)];
  }
  return best;
}

void Servers::asked(std::uint8_t index) noexcept {
  add(states_[index].queries);
}

void Servers::replied(std::uint8_t index, std::uint64_t rtt_us, std::uint64_t now_us) noexcept {
  State& state = states_[index];
  state.silent = 0;
  state.backoff_us = 0;
  state.refusing = false;
  state.last_reply_us = now_us;
  const auto rtt = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(rtt_us, 1, kSrttMax));
  const std::uint32_t old = state.srtt_us.load(std::memory_order_relaxed);
  const std::uint32_t next = old == 0 ? rtt : old - old / 8 + rtt / 8;
  state.srtt_us.store(std::max(next, 1U), std::memory_order_relaxed);
  if (!state.healthy.load(std::memory_order_relaxed)) state.healthy.store(true, std::memory_order_relaxed);
}

void Servers::mark_down(State& state, std::uint64_t now_us, std::uint32_t first_backoff_us) noexcept {
  if (state.healthy.load(std::memory_order_relaxed)) {
    state.healthy.store(false, std::memory_order_relaxed);
    state.backoff_us = first_backoff_us;
  } else if (now_us >= state.down_until_us || state.down_until_us - now_us > state.backoff_us) {
    state.backoff_us = std::min(state.backoff_us * 2, state.refusing ? kBackoffMaxRefused : kBackoffMax);
  } else {
    return;  // further failures of the same moment
  }
  state.down_until_us = now_us + state.backoff_us;
}

void Servers::timed_out(std::uint8_t index, std::uint64_t now_us) noexcept {
  State& state = states_[index];
  add(state.timeouts);
  ++state.silent;
  const std::uint32_t srtt = state.srtt_us.load(std::memory_order_relaxed);
  // One lost packet says little; it makes another server a bit more attractive.
  state.srtt_us.store(std::clamp(srtt + srtt / 4, 1U, kSrttMax), std::memory_order_relaxed);
  // One name whose own servers are silent must not make the resolver look dead: it has to be silent about
  // all, for some time.
  if (state.silent >= kSilentTimeouts && now_us - state.last_reply_us >= kSilentFor) {
    mark_down(state, now_us, kBackoffSilent);
  }
}

void Servers::refused(std::uint8_t index, std::uint64_t now_us) noexcept {
  states_[index].refusing = true;
  mark_down(states_[index], now_us, kBackoffRefused);
}

bool Servers::all_down() const noexcept {
  for (std::size_t i = 0; i < kMaxServers; ++i) {
    if ((active_ >> i & 1U) != 0 && states_[i].healthy.load(std::memory_order_relaxed)) return false;
  }
  return true;
}

std::vector<ServerStatus> Servers::status() const {
  const std::lock_guard lock(names_);
  std::vector<ServerStatus> out;
  for (std::size_t i = 0; i < kMaxServers; ++i) {
    if ((active_ >> i & 1U) == 0) continue;
    const State& state = states_[i];
    out.push_back({state.server, state.healthy.load(std::memory_order_relaxed),
                   state.queries.load(std::memory_order_relaxed),
                   state.timeouts.load(std::memory_order_relaxed),
                   state.srtt_us.load(std::memory_order_relaxed)});
  }
  return out;
}

}  // namespace swarmdns::miss
