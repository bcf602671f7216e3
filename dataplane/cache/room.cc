// Where the memory for inserts comes from: the pool of free pages while there is one; then each size class
// evicts its own (eviction.h), some slots ahead of need, since a slot taken out comes back only after a grace
// period; and pages move from classes that hold their entries long to classes that must evict them soon.
#include "dataplane/cache/cache.h"

#include <algorithm>
#include <cstring>

namespace swarmdns::cache {

namespace {

constexpr unsigned kEvictPerInsert = 2;  // at most, so that a reserve can grow while inserts go on
constexpr unsigned kScanPerInsert = 64;  // steps of the eviction hand
constexpr double kImbalance = 1.5;       // turnover between classes that makes a page move

// How long entries of a class live, in units of inserts: what it can hold over what comes in. Entries found
// in use when a page was considered for another class count as if they had come in.
double turnover(const Slab::ClassState& state, std::uint32_t slots_per_page) {
  return static_cast<double>(state.pages.size()) * slots_per_page / static_cast<double>(state.recent + 1);
}

}  // namespace

Ref Cache::allocate(SizeClass c) {
  Slab::ClassState& state = slab_.state(c);
  ++state.recent;
  if (++recent_inserts_ >= std::max<std::uint64_t>(8192, entries_.load(std::memory_order_relaxed) / 4)) {
    recent_inserts_ = 0;
    for (std::size_t i = 0; i < slab_.classes().count(); ++i) {
      slab_.state(static_cast<SizeClass>(i)).recent /= 2;
    }
  }
  if (state.room == 0 && scarce()) {
    // Eviction did not keep up with inserts and grace periods: let it run further ahead from now on.
    const std::uint64_t slots = std::uint64_t{slab_.classes().slots(c)} * state.pages.size();
    state.reserve = std::min(slots / 8, std::max<std::uint64_t>(state.reserve * 2, 16));
  }
  // Before the slot is taken: a page must not start to leave with a slot in it that is neither free nor live.
  if (scarce()) keep_reserve(c);
  if (state.room == 0) (void)slab_.grow(c);
  return slab_.take_slot(c);
}

// Called with every insert while free pages, or cells, are few.
void Cache::keep_reserve(SizeClass c) {
  Slab::ClassState& state = slab_.state(c);
  if (state.until_review > 0) {
    --state.until_review;
  } else {
    state.until_review = slab_.classes().slots(c);
    review(c);
  }
  const std::uint64_t least = std::min<std::uint64_t>(slab_.classes().slots(c), 16);
  if (state.room + state.retiring < std::max(state.reserve, least) || table_full()) {
    unsigned budget = kScanPerInsert;
    for (unsigned n = 0; n < kEvictPerInsert && reclaimer_.room() > kRetireMargin; ++n) {
      const Ref victim = eviction_.next_victim(c, budget);
      if (victim == 0) break;
      take_out(victim, stats::Counter::CacheEvictions);
    }
  }
  if (slab_.pool() + slab_.leaving() < low_pages_) {
    if (const auto from = donor(0.0)) (void)move_page_from(*from);
  }
}

// Once in a page's worth of inserts: should this class have a page more?
void Cache::review(SizeClass c) {
  Slab::ClassState& state = slab_.state(c);
  if (state.room > state.reserve / 2) state.reserve -= state.reserve / 16;
  const double own = turnover(state, slab_.classes().slots(c));
  const auto from = donor(own * kImbalance);
  if (!from || *from == c || slab_.pool() == 0) return;
  if (move_page_from(*from)) (void)slab_.grow(c);
}

// The class that holds its entries longest, if it does so for `at_least` that many inserts.
std::optional<SizeClass> Cache::donor(double at_least) noexcept {
  std::optional<SizeClass> best;
  for (std::size_t i = 0; i < slab_.classes().count(); ++i) {
    const auto c = static_cast<SizeClass>(i);
    const Slab::ClassState& state = slab_.state(c);
    // A class keeps one page while it is in use.
    if (state.pages.empty() || (state.pages.size() == 1 && state.recent > 0)) continue;
    const double held = turnover(state, slab_.classes().slots(c));
    if (held > at_least) {
      at_least = held;
      best = c;
    }
  }
  return best;
}

// Considers the class's next page. If most of it was asked for since it was last considered, it stays, and
// the class is known to be in demand; else it begins to leave.
bool Cache::move_page_from(SizeClass c) {
  Slab::ClassState& state = slab_.state(c);
  if (state.pages.empty()) return false;
  if (state.give_page >= state.pages.size()) state.give_page = 0;
  const PageIndex index = state.pages[state.give_page];
  const Page& page = slab_.page(index);
  if (page.leaving) {
    ++state.give_page;
    return false;
  }
  const std::uint8_t* flags = slab_.flags(index);
  for (std::uint32_t slot = 0; slot < page.slots; ++slot) {
    if ((flags[slot] & kSlotLive) != 0) __builtin_prefetch(slab_.entry(slab_.ref({index, slot})));
  }
  std::uint32_t touched = 0;
  for (std::uint32_t slot = 0; slot < page.slots; ++slot) {
    if ((flags[slot] & kSlotLive) == 0) continue;
    touched += slab_.entry(slab_.ref({index, slot}))->touched.load(std::memory_order_relaxed) != 0 ? 1U : 0U;
  }
  const std::uint64_t room_elsewhere = state.room - page.room();
  if (touched * 2 > page.live && touched > room_elsewhere) {
    for (std::uint32_t slot = 0; slot < page.slots; ++slot) {
      if ((flags[slot] & kSlotLive) == 0) continue;
      auto& mark = slab_.entry(slab_.ref({index, slot}))->touched;
      if (mark.load(std::memory_order_relaxed) != 0) mark.store(0, std::memory_order_relaxed);
    }
    state.recent += touched;
    ++state.give_page;
    return false;
  }
  counters_.add(stats::Counter::SlabPagesMoved);
  slab_.start_leaving(index);
  if (page.leaving && page.live > 0) leaving_.push_back(index);
  (void)empty_leaving(32);
  return true;
}

// Takes what still lives out of pages on the move, at most `budget` entries: what was asked for goes to
// another page of its class while there is room, the rest is evicted. True: there is more.
bool Cache::empty_leaving(unsigned budget) {
  while (!leaving_.empty()) {
    const PageIndex index = leaving_.front();
    const Page& page = slab_.page(index);
    const std::uint8_t* flags = slab_.flags(index);
    for (std::uint32_t slot = 0; page.live > 0 && slot < page.slots; ++slot) {
      if ((flags[slot] & kSlotLive) == 0) continue;
      if (budget == 0) return true;
      if (reclaimer_.room() <= kRetireMargin) return false;  // a grace period must pass first
      --budget;
      const SlotPlace at{index, slot};
      const bool asked_for = slab_.entry(slab_.ref(at))->touched.load(std::memory_order_relaxed) != 0;
      if (!asked_for || !relocate(at)) take_out(slab_.ref(at), stats::Counter::CacheEvictions);
    }
    leaving_.pop_front();
  }
  return false;
}

// Copies a live entry to another slot of its class. False: there is none.
bool Cache::relocate(const SlotPlace& from) {
  const SizeClass c = slab_.page(from.page).size_class;
  if (slab_.state(c).room == 0) return false;
  const Ref old_ref = slab_.ref(from);
  const Entry& old = *table_.entry(old_ref);
  const TableWriter::Cell cell = writer_.find(table_.hash(old.key()), old_ref);
  const Ref ref = slab_.take_slot(c);
  const SlotPlace at = slab_.place(ref);
  std::memcpy(static_cast<void*>(slab_.entry(ref)), &old, old.size());
  slab_.entry(ref)->touched.store(0, std::memory_order_relaxed);
  const Seconds deadline = slab_.deadlines(from.page)[from.slot];
  slab_.set_origin(at, slab_.origin(from));
  slab_.set_live(at, slab_.flags(from.page)[from.slot] & kSlotFresh);
  slab_.set_old(at);
  slab_.deadlines(at.page)[at.slot] = deadline;
  wheel_.schedule(at.page, deadline);
  writer_.replace(cell, ref);
  retire(old_ref);
  return true;
}

}  // namespace swarmdns::cache
