// Stage 4: the cache. Each step is taken for the whole burst before the next one, so that the cache misses of
// the burst's lookups overlap.
#include "dataplane/simd/branchless.h"
#include "dataplane/worker/stages.h"
#include "proto/dns/types.h"

namespace swarmdns::worker {
namespace {

using cache::Entry;
using stats::Counter;

constexpr std::uint16_t kEdeNotAuthoritative = 20 + 1;  // RFC 8914 4.21: REFUSED for RD = 0 without recursion

// RFC 8767 5: failures are never stale answers, and there is a bound to all others.
bool usable_stale(const Entry& entry, cache::Seconds now, const Policy& policy) noexcept {
  return (entry.flags & Entry::kFailure) == 0 && now - entry.expires < policy.stale_max_s;
}

// In the last part of its life, and nobody has asked yet. A failure is not refreshed: it is to be forgotten
// (RFC 9520).
bool due_for_refresh(const Entry& entry, cache::Seconds now, const Policy& policy) noexcept {
  const std::uint64_t left = entry.expires - now;
  const std::uint64_t life = entry.expires - entry.born;
  return left * 100 <= life * policy.prefetch_percent && (entry.flags & Entry::kFailure) == 0 &&
         entry.prefetch_asked.load(std::memory_order_relaxed) == 0;
}

// The lines behind those that the lookup has fetched, as many as most answers have. Reply building comes
// after the whole burst has been looked up: by then they are there. (Inlined by force, or GCC drops it: it
// sees no effect.)
[[gnu::always_inline]] inline void prefetch_rest(const Entry& entry) noexcept {
  constexpr std::size_t kFetched = 128;
  constexpr std::size_t kLines = 4;
  // Without a branch on the size, which is chance: the last line once more costs next to nothing.
  const std::size_t last = entry.size() - 1;
  for (std::size_t i = 0; i < kLines; ++i)
    __builtin_prefetch(entry.bytes() + simd::least(kFetched + 64 * i, last));
}

}  // namespace

void gather_lookups(Batch& batch, const Context& context, Lookups& lookups) noexcept {
  batch.replies.clear();
  batch.misses.clear();
  batch.prefetches.clear();
  lookups.places.clear();
  for (const std::size_t i : batch.live) {
    batch.entries[i] = nullptr;
    if (batch.queries[i].action == dns::Action::Lookup) [[likely]] {
      lookups.places.push(i);
    } else {
      batch.replies.push(i);
    }
  }
  if (batch.replies.size() != 0) context.counters.add(Counter::LocalAnswers, batch.replies.size());
}

void settle_lookups(Batch& batch, const Context& context, const Lookups& lookups) noexcept {
  const cache::Seconds now = context.moment.now;
  std::size_t negative = 0;
  std::size_t hits = 0;
  const Entry* const* found = lookups.found.data();
  for (const std::size_t i : lookups.places) {
    dns::Query& query = batch.queries[i];
    const Entry* entry = *found++;
    batch.entries[i] = entry;
    batch.stale[i] = false;
    if (entry != nullptr && now < entry->expires) [[likely]] {
      ++hits;
      prefetch_rest(*entry);
      if ((entry->flags & Entry::kNegative) != 0) ++negative;
      if (due_for_refresh(*entry, now, context.policy) && query.recursion_desired()) batch.prefetches.push(i);
      batch.replies.push(i);
      continue;
    }
    if (!query.recursion_desired()) {  // RFC 1035 4.1.1: who does not ask for recursion gets none
      batch.entries[i] = nullptr;
      query.action = dns::Action::Status;
      query.rcode = dns::to_u16(dns::Rcode::Refused);
      query.ede = kEdeNotAuthoritative;
      context.counters.add(Counter::LocalAnswers);
      batch.replies.push(i);
      continue;
    }
    if (entry != nullptr && !usable_stale(*entry, now, context.policy)) batch.entries[i] = nullptr;
    batch.misses.push(i);
  }
  batch.hits = hits;
  context.counters.add(Counter::CacheHits, hits);
  if (negative != 0) context.counters.add(Counter::CacheHitsNegative, negative);
}

void lookup_stage(Batch& batch, const Context& context) noexcept {
  const cache::Reader& reader = context.reader;
  Lookups lookups;
  gather_lookups(batch, context, lookups);
  const std::size_t count = lookups.places.size();
  std::array<std::uint64_t, kMaxBurst> hashes;
  std::array<const Entry*, kMaxBurst> candidates;
  std::size_t n = 0;
  for (const std::size_t i : lookups.places) {
    dns::Query& query = batch.queries[i];
    query.hash = reader.hash_padded(query.key());
    reader.prefetch_bucket(query.hash);
    hashes[n++] = query.hash;
  }
  reader.candidates({hashes.data(), count}, {candidates.data(), count});
  n = 0;
  for (const std::size_t i : lookups.places) {
    lookups.found[n] = reader.confirm(hashes[n], batch.queries[i].key(), candidates[n]);
    ++n;
  }
  settle_lookups(batch, context, lookups);
}

}  // namespace swarmdns::worker
