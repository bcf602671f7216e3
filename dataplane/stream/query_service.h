// One query, by whatever kernel socket it came: parsed, guarded, looked up, and answered in its own memory or
// put on the miss ring: the worker's stages for a single message. A stream thread's own; no system calls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/cache/reader.h"
#include "dataplane/dns/query.h"
#include "dataplane/miss/channel.h"
#include "dataplane/stats/counters.h"
#include "dataplane/worker/policy.h"

namespace swarmdns::stream {

// Read once a round.
struct Moment {
  const worker::Policy* policy = nullptr;  // valid until the thread goes offline
  cache::Seconds now = 0;
  std::uint32_t wall_s = 0;  // Unix seconds
  std::uint32_t ms = 0;      // monotonic, wraps
  std::uint64_t ns = 0;      // monotonic; what Waiter::asked_tsc holds here
};

class QueryService {
 public:
  QueryService(cache::Reader& reader, miss::Channel& misses, stats::Block& counters)
      : reader_(reader), misses_(misses), counters_(counters) {}

  void set_moment(const Moment& moment) noexcept { moment_ = moment; }
  [[nodiscard]] const Moment& moment() const noexcept { return moment_; }

  struct Result {
    std::size_t reply = 0;  // octets of a reply that stands in the buffer; 0: none now
    bool asked = false;     // it is on the miss ring, and a miss::Reply will come (nearly always)
  };
  // The query stands in the first `length` octets of `buffer`; a reply is built over it, with all of `buffer`
  // as room.
  Result handle(std::span<std::byte> buffer, std::uint16_t length, dns::Transport transport,
                const net::Address& client, std::uint16_t client_port, std::uint64_t handle) noexcept;

  // Questions put on the ring so far, and how many of them have not been answered. The miss thread drops some
  // without a word: forget_outstanding() starts anew.
  [[nodiscard]] std::size_t asked() const noexcept { return asked_; }
  [[nodiscard]] std::size_t outstanding() const noexcept { return outstanding_; }
  void count_answer() noexcept {
    if (outstanding_ > 0) --outstanding_;
  }
  void forget_outstanding() noexcept { outstanding_ = 0; }

  // The message for a reply of the miss thread, built in `buffer`; 0 when none can be.
  [[nodiscard]] std::size_t build(const miss::Reply& reply, std::span<std::byte> buffer) noexcept;

 private:
  [[nodiscard]] bool guard(dns::Query& query) noexcept;
  [[nodiscard]] bool ask(const dns::Query& query, miss::Kind kind, std::uint16_t client_port,
                         std::uint64_t handle) noexcept;
  [[nodiscard]] std::size_t finish(dns::Query& query, const cache::Entry* entry, cache::Seconds now,
                                   bool stale) noexcept;

  cache::Reader& reader_;
  miss::Channel& misses_;
  stats::Block& counters_;
  Moment moment_;
  std::size_t asked_ = 0;
  std::size_t outstanding_ = 0;
  dns::Query query_;
};

}  // namespace swarmdns::stream
