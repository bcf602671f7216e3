// What a burst of frames is while it goes through the pipeline: one object a worker, reused for every burst
// and never cleared. Frames are plain memory here, so that the same stages run on mbufs, in tests and in
// benches.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/cache/entry.h"
#include "dataplane/dns/query.h"
#include "dataplane/guard/rate_limit.h"
#include "dataplane/net/frame.h"

namespace swarmdns::worker {

// One frame's memory. `room`: octets from `data` on that a reply may use, at least `length`.
struct Frame {
  std::byte* data = nullptr;
  std::uint16_t length = 0;
  std::uint16_t room = 0;
  bool checksum_good = false;  // the NIC has verified IP and UDP checksums
};

enum class Fate : std::uint8_t {
  Pending,   // in the pipeline
  Reply,     // to be sent: `reply_length` octets at the frame's data
  ToKernel,  // for the exception path, counted under info.reason
  Gone,      // dropped and counted, or copied to the miss ring: its memory is free
};

inline constexpr std::size_t kMaxBurst = 64;

// Places in a batch, in order.
class Places {
 public:
  void clear() noexcept { size_ = 0; }
  // Calls `keep` for each, and keeps those for which it says true. In place: a copy would read in words what
  // has just been written in octets, for which a processor waits until all its stores are done.
  template <class Keep>
  [[gnu::always_inline]] void retain(Keep keep) noexcept {
    const std::size_t count = size_;
    std::size_t kept = 0;
    for (std::size_t n = 0; n < count; ++n) {
      const std::uint8_t place = places_[n];
      places_[kept] = place;
      kept += keep(std::size_t{place}) ? 1 : 0;
    }
    size_ = kept;
  }
  void push(std::size_t place) noexcept { places_[size_++] = static_cast<std::uint8_t>(place); }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] const std::uint8_t* begin() const noexcept { return places_.data(); }
  [[nodiscard]] const std::uint8_t* end() const noexcept { return places_.data() + size_; }

 private:
  std::size_t size_ = 0;
  std::array<std::uint8_t, kMaxBurst> places_;
};

// Asks for line `line` of a frame to come, of the four that a query and most replies take. A stage asks for
// one or two a query: all at once would fill the processor's buffers for lines under way, and it would wait.
[[gnu::always_inline]] inline void prefetch_line(const std::byte* frame, std::size_t line) noexcept {
  // As a number: there may be no frame.
  __builtin_prefetch(reinterpret_cast<const void*>(reinterpret_cast<std::uintptr_t>(frame) + 64 * line), 1);
}

struct Batch {
  // Set by whoever fills the batch: `count` frames, and when they were received.
  std::size_t count = 0;
  std::uint64_t rx_tsc = 0;
  std::array<Frame, kMaxBurst> frames;
  // Frames of the burst after this one: their memory is asked for, a line at a time, while this one is worked
  // on. Any others, or null, are no harm.
  std::array<const std::byte*, kMaxBurst> ahead{};

  // Read by whoever empties it.
  std::array<Fate, kMaxBurst> fates;
  std::array<std::uint16_t, kMaxBurst> reply_lengths;
  Places to_kernel;
  Places replies;        // fate Reply (some may have ended as Gone)
  std::size_t hits = 0;  // replies from the cache: these are in the histogram of hits

  // Between the stages.
  Places live;        // queries that go on
  Places misses;      // for the miss ring, `entries` set where a stale answer exists
  Places prefetches;  // answered, and to be refreshed
  std::array<net::FrameInfo, kMaxBurst> infos;
  std::array<dns::Query, kMaxBurst> queries;
  std::array<const cache::Entry*, kMaxBurst> entries;  // null: answered without the cache
  std::array<bool, kMaxBurst> stale;
  std::array<guard::RateLimiter::Keys, kMaxBurst> rate_keys;  // set when rate limiting is on
};

}  // namespace swarmdns::worker
