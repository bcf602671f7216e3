// Which snapshots are kept, and what may be removed of a target. Computes only: it neither lists nor removes.
//
// Removal has two phases. What no kept snapshot needs is marked; what has been marked for the grace period,
// and still is not needed, is removed, but not while an upload is running that began before the mark: it may
// reuse the pack. An upload that begins later is told to avoid what is marked (WriterOptions::avoid). So the
// grace period is for clocks, stale listings and operators who change their minds. Pure; any thread.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "controlplane/targets/target.h"

namespace swarmdns::controlplane {

// How many hours, days, … (in UTC; weeks begin on Monday) keep their newest snapshot, counted from the newest
// back; those without a snapshot do not count. `last`: so many of the newest in any case.
struct KeepPolicy {
  unsigned last = 1;
  unsigned hourly = 0;
  unsigned daily = 0;
  unsigned weekly = 0;
  unsigned monthly = 0;
  unsigned yearly = 0;
};

struct SnapshotRecord {
  std::string name;  // of the object
  std::uint64_t node = 0;
  std::int64_t created_ms = 0;
  std::string epoch;               // 16 hex digits
  std::vector<std::string> packs;  // names of the objects
  std::vector<std::string> days;   // names of the envelopes that its parts need
};

// The names of those to keep, of each node by itself. An error when the policy keeps nothing at all.
std::expected<std::set<std::string>, std::string> select_kept(std::span<const SnapshotRecord> snapshots,
                                                              const KeepPolicy& policy);

// By object: when it was found that nobody needs it, Unix ms.
using PruneMarks = std::map<std::string, std::int64_t>;

struct PruneInput {
  std::int64_t now_ms = 0;
  std::int64_t grace_ms = 0;
  std::optional<std::int64_t>
      oldest_upload_ms;                 // when the oldest upload still running began, by its node's clock
  std::int64_t clock_skew_ms = 60'000;  // between nodes, at most
  std::span<const SnapshotRecord> snapshots;  // all whose manifest is in the target
  std::span<const std::string> unreadable;    // manifests in the target that could not be read
  std::set<std::string> kept;                 // of select_kept, and whatever else must stay
  std::span<const ObjectInfo> objects;        // all in the target
  std::set<std::string> open_epochs;          // 16 hex digits: their envelopes stay in any case
  PruneMarks marks;                           // of the run before
};

struct PrunePlan {
  PruneMarks marks;                 // to be kept for the next run
  std::vector<std::string> remove;  // in this order: manifests, packs, envelopes
  std::uint64_t octets = 0;         // of what is removed
  std::uint64_t marked = 0;         // newly
  std::uint64_t unmarked = 0;       // needed again
};
// Objects of names that are not a backup's are left alone. An error when a manifest could not be read: what
// it needs is not known.
std::expected<PrunePlan, std::string> plan_prune(const PruneInput& input);

}  // namespace swarmdns::controlplane
