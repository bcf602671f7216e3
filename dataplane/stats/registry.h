// Where the threads of the data plane get what they count in, and where control reads it.
//
// Made once at start with a fixed number of places. A thread claims its place before it begins to work;
// places are never given back, so that counters outlive the thread that filled them.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/stats/counters.h"
#include "dataplane/stats/histogram.h"

namespace swarmdns::stats {

// How busy a polling thread is, in TSC ticks since its start. Written by its owner once a loop.
struct Load {
  std::atomic<std::uint64_t> busy_ticks{0};   // loops that found work
  std::atomic<std::uint64_t> total_ticks{0};  // all loops, sleeping included
  std::atomic<std::uint64_t> sleep_ticks{0};
};

// One thread's place; its owner is the only writer.
struct alignas(64) ThreadStats {
  Block counters;
  Histogram hits;    // receive burst to transmit, of answers given without the miss path
  Histogram misses;  // question to transmit, of answers that came by the miss path
  Load load;
  std::string name;  // "worker0", "miss", "writer"
};

struct ThreadSnapshot {
  std::string name;
  std::array<std::uint64_t, kCounters> counters{};
  HistogramSnapshot hits;
  HistogramSnapshot misses;
  std::uint64_t busy_ticks = 0;
  std::uint64_t total_ticks = 0;
  std::uint64_t sleep_ticks = 0;

  [[nodiscard]] std::uint64_t get(Counter counter) const noexcept {
    return counters[static_cast<std::size_t>(counter)];
  }
};

struct Snapshot {
  std::vector<ThreadSnapshot> threads;
  ThreadSnapshot sum;  // name "all"; its ticks add up those of the polling threads
};

class Registry {
 public:
  explicit Registry(std::size_t capacity);

  // Any thread, at start. The error says that the capacity is used up. The place lives as long as the
  // registry.
  [[nodiscard]] std::expected<ThreadStats*, std::string> claim(std::string_view name);

  // Any thread but workers (copies tens of kilobytes a thread). Counters of one thread are read one after the
  // other: a snapshot is not a moment, yet no counter ever runs backwards from one to the next.
  [[nodiscard]] Snapshot snapshot() const;
  [[nodiscard]] std::uint64_t sum(Counter counter) const noexcept;

 private:
  const std::size_t capacity_;
  std::unique_ptr<ThreadStats[]> places_;
  std::atomic<std::size_t> used_{0};
  std::mutex claiming_;
};

}  // namespace swarmdns::stats
