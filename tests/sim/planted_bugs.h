// Bugs that the simulation plants on purpose, to see that it finds them: all are switches of its own parts or
// of what it puts between them and the program, none of the program.
#pragma once

#include <cstdint>
#include <string_view>

namespace swarmdns::sim {

enum class Bug : std::uint8_t {
  kNone,
  kLogAcksEarly,
  kEntrySkipped,
  kEntriesSwapped,
  kEntryAltered,
  kAppliedIndexLost,
  kStoreNotSynced,
  kBundlesForgotten,
  kReadWithoutRound,
  kUnknownIsDone,
  kCosignsTwice,
  kTilesLost,
  kCopyUnchecked,
  kFenceIgnored,
  kFencePurgesTooMuch,
  kAdKept,
  kOtherRegion,
  kSegmentsNotSynced,
};

struct PlantedBug {
  Bug bug = Bug::kNone;
  const char* name = nullptr;  // for --bug
  const char* what = nullptr;
  std::uint64_t seeds = 0;  // it is found among the first so many
};

inline constexpr PlantedBug kPlantedBugs[] = {
    {Bug::kLogAcksEarly, "log-acks-early", "the log's disk acknowledges entries 200 ms before they are there",
     20},
    {Bug::kEntrySkipped, "entry-skipped", "node 2 leaves out 1 of 100 entries", 20},
    {Bug::kEntriesSwapped, "entries-swapped", "node 2 takes 1 of 50 entries after the one behind it", 20},
    {Bug::kEntryAltered, "entry-altered", "the time in 1 of 100 entries is another one on node 2", 20},
    {Bug::kAppliedIndexLost, "applied-index-lost",
     "a store that is opened again says that nothing was applied", 20},
    {Bug::kStoreNotSynced, "store-not-synced", "syncs of the ledger's store do nothing", 20},
    {Bug::kBundlesForgotten, "bundles-forgotten", "the state does not know which bundles it has seen", 20},
    {Bug::kReadWithoutRound, "read-without-round", "reads are answered without asking anybody", 120},
    {Bug::kUnknownIsDone, "unknown-is-done", "what nobody confirmed in time counts as acknowledged", 20},
    {Bug::kCosignsTwice, "cosigns-twice", "node 2 cosigns whatever block it is asked for", 20},
    {Bug::kTilesLost, "tiles-lost", "1 of 50 writes leaves a tile of the tree out", 20},
    {Bug::kCopyUnchecked, "copy-unchecked", "an old copy of the ledger is installed unchecked", 40},
    {Bug::kFenceIgnored, "fence-ignored", "a data plane says that it has carried out a fence, and has not",
     20},
    {Bug::kFencePurgesTooMuch, "fence-purges-too-much",
     "a fence removes all of a node of which anything is dead", 20},
    {Bug::kAdKept, "ad-kept", "entries of other nodes are taken with AD", 20},
    {Bug::kOtherRegion, "other-region",
     "segments go to the nodes of other regions, which believe them to be near", 20},
    {Bug::kSegmentsNotSynced, "segments-not-synced", "syncs of the segments' store do nothing", 20},
};

}  // namespace swarmdns::sim
