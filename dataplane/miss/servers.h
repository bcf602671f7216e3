// Which upstream to ask: smoothed round-trip times with decay, back-off for servers that are down, and what
// operators see of them. The miss thread's own but for status().
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "dataplane/miss/options.h"
#include "dataplane/miss/random.h"

namespace swarmdns::miss {

struct ServerStatus {
  Server server;
  bool healthy = true;
  std::uint64_t queries = 0;
  std::uint64_t timeouts = 0;
  std::uint32_t srtt_us = 0;  // 0: no answer yet
};

class Servers {
 public:
  // Servers that stay keep their index and history. Returns a mask of the indices that no longer hold the
  // server they held before: their sockets are to be closed.
  std::uint32_t configure(std::span<const Server> servers);

  // One to ask, preferably none of `tried` (a bit per index) and none that is down. Empty: none configured.
  [[nodiscard]] std::optional<std::uint8_t> choose(std::uint32_t tried, std::uint64_t now_us, Random& random);

  void asked(std::uint8_t index) noexcept;
  void replied(std::uint8_t index, std::uint64_t rtt_us, std::uint64_t now_us) noexcept;
  void timed_out(std::uint8_t index, std::uint64_t now_us) noexcept;
  // The kernel said so: nobody listens, or there is no way there.
  void refused(std::uint8_t index, std::uint64_t now_us) noexcept;

  [[nodiscard]] const Server& operator[](std::uint8_t index) const noexcept { return states_[index].server; }
  [[nodiscard]] bool loopback(std::uint8_t index) const noexcept { return states_[index].loopback; }
  [[nodiscard]] std::uint32_t active() const noexcept { return active_; }  // mask
  [[nodiscard]] bool all_down() const noexcept;
  // The kernel refuses it and its turn to be tried again has not come: a query would only be refused as well.
  [[nodiscard]] bool held_back(std::uint8_t index, std::uint64_t now_us) const noexcept {
    return states_[index].refusing && now_us < states_[index].down_until_us &&
           states_[index].probe_us != now_us;
  }

  // Any thread.
  [[nodiscard]] std::vector<ServerStatus> status() const;

 private:
  struct State {
    Server server;
    bool loopback = false;
    std::uint32_t silent = 0;  // timeouts since the last reply
    std::uint64_t last_reply_us = 0;
    std::uint64_t down_until_us = 0;  // when unhealthy: not asked before, if there is another
    std::uint32_t backoff_us = 0;
    bool refusing = false;       // down because the kernel says so, not because it is silent
    std::uint64_t probe_us = 0;  // when it was last chosen although it is down
    std::atomic<bool> healthy{true};
    std::atomic<std::uint32_t> srtt_us{0};
    std::atomic<std::uint64_t> queries{0};
    std::atomic<std::uint64_t> timeouts{0};
  };
  void mark_down(State& state, std::uint64_t now_us, std::uint32_t first_backoff_us) noexcept;

  std::array<State, kMaxServers> states_;
  std::uint32_t active_ = 0;
  mutable std::mutex names_;  // guards what status() reads that is no atomic
};

}  // namespace swarmdns::miss
