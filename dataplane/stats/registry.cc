#include "dataplane/stats/registry.h"

namespace swarmdns::stats {

Registry::Registry(std::size_t capacity)
    : capacity_(capacity), places_(std::make_unique<ThreadStats[]>(capacity)) {}

std::expected<ThreadStats*, std::string> Registry::claim(std::string_view name) {
  const std::scoped_lock lock(claiming_);
  const std::size_t place = used_.load(std::memory_order_relaxed);
  if (place == capacity_) {
    return std::unexpected("no place left to count in for thread '" + std::string(name) + "': all " +
                           std::to_string(capacity_) + " are taken");
  }
  places_[place].name = name;
  used_.store(place + 1, std::memory_order_release);  // readers see the name
  return &places_[place];
}

Snapshot Registry::snapshot() const {
  Snapshot result;
  result.sum.name = "all";
  const std::size_t used = used_.load(std::memory_order_acquire);
  result.threads.resize(used);
  for (std::size_t i = 0; i < used; ++i) {
    const ThreadStats& place = places_[i];
    ThreadSnapshot& thread = result.threads[i];
    thread.name = place.name;
    for (std::size_t c = 0; c < kCounters; ++c) {
      thread.counters[c] = place.counters.values[c].load(std::memory_order_relaxed);
      result.sum.counters[c] += thread.counters[c];
    }
    thread.hits.add(place.hits);
    thread.misses.add(place.misses);
    result.sum.hits.add(thread.hits);
    result.sum.misses.add(thread.misses);
    thread.busy_ticks = place.load.busy_ticks.load(std::memory_order_relaxed);
    thread.total_ticks = place.load.total_ticks.load(std::memory_order_relaxed);
    thread.sleep_ticks = place.load.sleep_ticks.load(std::memory_order_relaxed);
    result.sum.busy_ticks += thread.busy_ticks;
    result.sum.total_ticks += thread.total_ticks;
    result.sum.sleep_ticks += thread.sleep_ticks;
  }
  return result;
}

std::uint64_t Registry::sum(Counter counter) const noexcept {
  std::uint64_t total = 0;
  const std::size_t used = used_.load(std::memory_order_acquire);
  for (std::size_t i = 0; i < used; ++i) total += places_[i].counters.get(counter);
  return total;
}

}  // namespace swarmdns::stats
