// What the writer does beside inserting: expiry by the wheel, and flushes. Both in bounded slices.
#include <algorithm>
#include <utility>

#include "dataplane/cache/cache.h"

namespace swarmdns::cache {

namespace {

constexpr unsigned kTicksPerRound = 4096;
constexpr unsigned kExpiriesPerRound = 512;
constexpr unsigned kPagesPerRound = 256;
constexpr std::uint32_t kBucketsPerRound = 512;

}  // namespace

bool in_scope(const Entry& entry, const Origin& origin, const FlushScope& scope) {
  switch (scope.kind) {
    case FlushScope::Kind::All:
      return true;
    case FlushScope::Kind::Zone:
      return dns::NameView::trusted(entry.qname()).is_subdomain_of(scope.name);
    case FlushScope::Kind::Name:
      return (scope.qtype == 0 || scope.qtype == entry.qtype) &&
             dns::NameView::trusted(entry.qname()) == scope.name.view();
    case FlushScope::Kind::Origins:
      return scope.origins.contains(origin);
  }
  return false;
}

// True: there is more to do at once.
bool Cache::expire(Seconds now) {
  const bool behind = wheel_.advance(now, kTicksPerRound);
  unsigned budget = kExpiriesPerRound;
  for (unsigned n = 0; n < kPagesPerRound; ++n) {
    if (expiring_ == kNoPage) expiring_ = wheel_.pop_due();
    if (expiring_ == kNoPage) return behind;
    if (!expire_page(expiring_, now, budget)) return reclaimer_.room() > 0;
    expiring_ = kNoPage;
  }
  return true;
}

// False: cut short by the budget or for want of room among the retired.
bool Cache::expire_page(PageIndex index, Seconds now, unsigned& budget) {
  const Page& page = slab_.page(index);
  if (page.size_class == Page::kNoClass) return true;
  const Seconds* deadlines = slab_.deadlines(index);
  Seconds next = kNever;
  for (std::uint32_t slot = 0; slot < page.slots; ++slot) {
    if (deadlines[slot] > now) {
      next = std::min(next, deadlines[slot]);
      continue;
    }
    if (budget == 0 || reclaimer_.room() == 0) return false;
    --budget;
    take_out(slab_.ref({index, slot}), stats::Counter::CacheExpiries);
  }
  wheel_.schedule(index, next);
  return true;
}

void Cache::flush(const FlushScope& scope, std::uint64_t now_ms, FlushDone done) {
  FlushScope folded = scope;
  folded.name.fold();
  flushes_.push_back({std::move(folded), std::move(done)});
  if (scope.kind == FlushScope::Kind::Origins) {
    Flush& fence = flushes_.back();
    fence.scope.origins.end_own_at(journal_.given());
    // At once: what was asked for before must not come in while earlier flushes run.
    fence.result.epoch = raise_epoch();
  }
  if (flushes_.size() == 1) start_flush(flushes_.front(), now_ms);
}

std::uint16_t Cache::raise_epoch() noexcept {
  const auto epoch = static_cast<std::uint16_t>(epoch_.load(std::memory_order_relaxed) + 1);
  epoch_.store(epoch, std::memory_order_release);
  return epoch;
}

bool Cache::fenced_off(const Origin& origin) const noexcept {
  return std::ranges::any_of(flushes_, [&origin](const Flush& flush) {
    return flush.scope.kind == FlushScope::Kind::Origins && flush.scope.origins.contains(origin);
  });
}

void Cache::start_flush(Flush& flush, std::uint64_t now_ms) {
  flush.started = true;
  if (flush.scope.kind == FlushScope::Kind::Origins) return;
  flush.result.epoch = raise_epoch();
  if (flush.scope.kind == FlushScope::Kind::Name) return;  // journalled one by one
  Mutation mutation;
  mutation.clock_ms = now_ms;
  mutation.kind = MutationKind::FlushAll;
  if (flush.scope.kind == FlushScope::Kind::Zone) {
    mutation.kind = MutationKind::FlushZone;
    const auto wire = flush.scope.name.wire();
    mutation.name.assign(wire.begin(), wire.end());
  }
  (void)journal_.append(std::move(mutation));
}

// True: there is more to do at once.
bool Cache::run_flush(std::uint64_t now_ms) {
  if (flushes_.empty()) return false;
  Flush& flush = flushes_.front();
  const bool fence = flush.scope.kind == FlushScope::Kind::Origins;
  const std::uint32_t count = table_.bucket_count();
  for (std::uint32_t n = 0; n < kBucketsPerRound && flush.bucket < count; ++n, ++flush.bucket) {
    if (reclaimer_.room() < kCells) return false;  // a grace period must pass first
    if (flush.bucket + 4 < count) {
      for (const auto& cell : table_.bucket(flush.bucket + 4).refs) {
        const Ref ref = cell.load(std::memory_order_relaxed);
        if (fence && ref != 0) {
          slab_.prefetch_origin(slab_.place(ref));
        } else {
          __builtin_prefetch(table_.entry(ref));
        }
      }
    }
    for (const auto& cell : table_.bucket(flush.bucket).refs) {
      const Ref ref = cell.load(std::memory_order_relaxed);
      if (ref == 0) continue;
      const SlotPlace at = slab_.place(ref);
      std::uint8_t& flags = slab_.flags(at.page)[at.slot];
      if ((flags & kSlotFresh) != 0) {
        flags = static_cast<std::uint8_t>(flags & ~kSlotFresh);
        continue;
      }
      ++flush.result.looked_at;
      const Entry& entry = *table_.entry(ref);
      if (!in_scope(entry, slab_.origin(at), flush.scope)) continue;
      if (flush.scope.kind == FlushScope::Kind::Name) journal_remove(entry, now_ms);
      take_out(ref, fence ? stats::Counter::CacheFenced : stats::Counter::CacheFlushed);
      ++flush.result.removed;
    }
  }
  if (flush.bucket < count) return true;
  const Flush finished = std::move(flush);
  flushes_.pop_front();
  if (!flushes_.empty()) start_flush(flushes_.front(), now_ms);
  if (finished.done) finished.done(finished.result);
  return !flushes_.empty();
}

}  // namespace swarmdns::cache
