// Whom to evict: SIEVE, without its list.
//
// SIEVE keeps entries in the order of their insertion. A hand goes from the
// oldest to the newest; an entry that was asked for since the hand last came by
// is spared (its mark is taken back), any other is evicted; new entries join at
// the newest end, and only when the hand has got there does it begin anew. What
// makes it resist scans is that the hand comes to the new entries soon, and
// often: those nobody asked for again go first.
//
// Here the hand goes over the slots of a size class as they lie in memory, in
// turns: passes over the young (those inserted since the last one, which a pass
// makes old) until few of them are left, as the hand of the list catches up
// with its newest end, then one pass over the old. So it needs a bit per entry
// where the list needs two links, and walks memory in order. What differs from
// the list is the order within a pass; the hit ratio does not
// (eviction_test.cc).
//
// Writer thread only. Reads the entries' marks, which readers set.
#pragma once

#include "dataplane/cache/slab.h"

namespace swarmdns::cache {

class Eviction {
 public:
  explicit Eviction(Slab& slab) noexcept : slab_(slab) {}

  // The next entry of the class to evict, which the caller then takes out; 0:
  // none was found within `budget` steps (a step looks at one entry, or passes
  // over one page without any of interest). Steps taken are taken off `budget`.
  [[nodiscard]] Ref next_victim(SizeClass c, unsigned& budget) noexcept;

 private:
  Slab& slab_;
};

}  // namespace swarmdns::cache
