#include "dataplane/cache/eviction.h"

#include <bit>

namespace swarmdns::cache {

namespace {

constexpr std::uint64_t kEveryByte = 0x0101'0101'0101'0101;

// One bit (the lowest of the byte) for each of eight slots that is live and
// young, or live and old.
std::uint64_t of_interest(const std::uint8_t* flags, bool young) noexcept {
  const std::uint64_t word = detail::load64(reinterpret_cast<const std::byte*>(flags));
  const std::uint64_t is_young = word >> 1;
  return word & (young ? is_young : ~is_young) & kEveryByte;
}

// The hand has gone round: over whom next? A pass over none is left out.
void next_pass(Slab::ClassState& state) noexcept {
  constexpr std::uint32_t kMostYoungPasses = 64;  // when nothing is ever asked for again, the young stay many
  constexpr std::uint64_t kYoungShare = 8;
  const bool any_old = state.live > state.young;
  if (state.hand_on_young && any_old &&
      (state.young <= state.young_enough || ++state.young_passes >= kMostYoungPasses)) {
    state.hand_on_young = false;
    return;
  }
  if (!state.hand_on_young && state.young > 0) {
    state.hand_on_young = true;
    state.young_passes = 0;
    state.young_enough = state.young / kYoungShare;
  }
}

}  // namespace

Ref Eviction::next_victim(SizeClass c, unsigned& budget) noexcept {
  Slab::ClassState& state = slab_.state(c);
  if (state.live == 0) return 0;
  while (budget > 0) {
    if (state.hand_page >= state.pages.size()) {
      state.hand_page = 0;
      state.hand_slot = 0;
      next_pass(state);
    }
    const PageIndex index = state.pages[state.hand_page];
    const Page& page = slab_.page(index);
    const bool young = state.hand_on_young;
    if (page.leaving || state.hand_slot >= page.slots || (young ? page.young : page.live - page.young) == 0) {
      --budget;
      ++state.hand_page;
      state.hand_slot = 0;
      continue;
    }
    const std::uint8_t* flags = slab_.flags(index);
    // Whole groups of eight slots; those before the hand and behind the end are
    // masked out. The last load reaches into the deadlines behind the flags,
    // still inside the page.
    const std::uint32_t group = state.hand_slot & ~7U;
    std::uint64_t mask = of_interest(flags + group, young) & ~0ULL << (8 * (state.hand_slot & 7));
    if (page.slots - group < 8) mask &= (std::uint64_t{1} << (8 * (page.slots - group))) - 1;
    if (group + 8 < page.slots) {
      for (std::uint64_t ahead = of_interest(flags + group + 8, young); ahead != 0; ahead &= ahead - 1) {
        const std::uint32_t slot = group + 8 + static_cast<std::uint32_t>(std::countr_zero(ahead)) / 8;
        if (slot < page.slots) __builtin_prefetch(slab_.entry(slab_.ref({index, slot})));
      }
    }
    for (; mask != 0; mask &= mask - 1) {
      const SlotPlace at{index, group + static_cast<std::uint32_t>(std::countr_zero(mask)) / 8};
      const Ref ref = slab_.ref(at);
      state.hand_slot = at.slot + 1;
      if (budget > 0) --budget;
      auto& touched = slab_.entry(ref)->touched;
      if (touched.load(std::memory_order_relaxed) == 0) return ref;
      touched.store(0, std::memory_order_relaxed);
      if (young) slab_.set_old(at);
    }
    state.hand_slot = group + 8;
  }
  return 0;
}

}  // namespace swarmdns::cache
