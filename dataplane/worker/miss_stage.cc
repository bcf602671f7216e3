// Stage 5: what the cache does not hold is copied to the miss ring, and the frame's memory is free again. The
// cost is a few cache lines a miss, whatever becomes of it.
#include "dataplane/worker/stages.h"

namespace swarmdns::worker {
namespace {

using stats::Counter;

void fill(miss::Request& request, miss::Kind kind, const Batch& batch, std::size_t i,
          const Context& context) {
  const Frame& frame = batch.frames[i];
  request.kind = kind;
  dns::save_query(batch.queries[i], request);
  miss::Waiter& waiter = request.waiter;
  waiter.port = context.port;
  waiter.frame = batch.infos[i];
  waiter.headers_len = static_cast<std::uint8_t>(
      net::save_headers({frame.data, frame.length}, batch.infos[i], waiter.headers));
  waiter.handle = 0;
  waiter.asked_tsc = batch.rx_tsc;
}

}  // namespace

void miss_stage(Batch& batch, const Context& context) noexcept {
  std::size_t claimed = 0;
  std::size_t misses = 0;
  for (const std::size_t i : batch.misses) {
    const bool stale = batch.entries[i] != nullptr;
    miss::Request* request = context.misses.claim(claimed);
    if (request != nullptr) {
      fill(*request, stale ? miss::Kind::Stale : miss::Kind::Miss, batch, i, context);
      ++claimed;
      ++misses;
      batch.fates[i] = Fate::Gone;
    } else if (stale) {
      // No refresh can even be tried: better old than nothing.
      batch.stale[i] = true;
      context.counters.add(Counter::StaleServed);
      batch.replies.push(i);
    } else {
      batch.fates[i] = Fate::Gone;
      context.counters.add(Counter::DropMissRingFull);
    }
  }
  std::size_t prefetches = 0;
  for (const std::size_t i : batch.prefetches) {
    const cache::Entry& entry = *batch.entries[i];
    // Twice in one burst is once. Two workers may both ask: the miss thread coalesces.
    if (entry.prefetch_asked.load(std::memory_order_relaxed) != 0) continue;
    miss::Request* request = context.misses.claim(claimed);
    if (request == nullptr) break;
    fill(*request, miss::Kind::Prefetch, batch, i, context);
    (void)entry.ask_prefetch_once();
    ++claimed;
    ++prefetches;
  }
  if (claimed == 0) return;
  context.misses.publish(claimed);
  context.counters.add(Counter::CacheMisses, misses);
  context.counters.add(Counter::PrefetchAsked, prefetches);
}

}  // namespace swarmdns::worker
