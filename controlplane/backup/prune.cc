#include "controlplane/backup/prune.h"

#include <algorithm>
#include <chrono>
#include <functional>

#include "controlplane/backup/names.h"

namespace swarmdns::controlplane {
namespace {

using std::chrono::days;
using std::chrono::sys_days;

// The number of the hour, day, … that a time is in.
std::int64_t hour_of(std::int64_t ms) {
  return ms / 3'600'000;
}
std::int64_t day_number(std::int64_t ms) {
  return ms / 86'400'000;
}
std::int64_t week_of(std::int64_t ms) {
  return (day_number(ms) + 3) / 7;  // 1 January 1970 was a Thursday
}
std::chrono::year_month_day date_of(std::int64_t ms) {
  return sys_days(days(day_number(ms)));
}
std::int64_t month_of(std::int64_t ms) {
  const auto date = date_of(ms);
  return static_cast<int>(date.year()) * 12 + static_cast<int>(static_cast<unsigned>(date.month()));
}
std::int64_t year_of(std::int64_t ms) {
  return static_cast<int>(date_of(ms).year());
}

// Of the newest first.
void keep_newest_of_each(std::span<const SnapshotRecord* const> snapshots, unsigned count,
                         const std::function<std::int64_t(std::int64_t)>& period,
                         std::set<std::string>& kept) {
  std::optional<std::int64_t> before;
  for (const SnapshotRecord* snapshot : snapshots) {
    const std::int64_t in = period(snapshot->created_ms);
    if (in == before) continue;
    if (count-- == 0) return;
    before = in;
    kept.insert(snapshot->name);
  }
}

enum class Sort : std::uint8_t { kManifest, kPack, kEnvelope, kOther };

Sort sort_of(const std::string& name) {
  if (parse_snapshot_name(name)) return Sort::kManifest;
  if (parse_pack_name(name)) return Sort::kPack;
  if (name.starts_with(kEpochsPrefix) || name.starts_with(kDaysPrefix)) return Sort::kEnvelope;
  return Sort::kOther;
}

}  // namespace

std::expected<std::set<std::string>, std::string> select_kept(std::span<const SnapshotRecord> snapshots,
                                                              const KeepPolicy& policy) {
  if (policy.last + policy.hourly + policy.daily + policy.weekly + policy.monthly + policy.yearly == 0)
    return std::unexpected("the policy keeps nothing: set `keep.last` to 1 at least");
  std::map<std::uint64_t, std::vector<const SnapshotRecord*>> of_nodes;
  for (const SnapshotRecord& snapshot : snapshots) of_nodes[snapshot.node].push_back(&snapshot);
  std::set<std::string> kept;
  for (auto& [node, all] : of_nodes) {
    std::ranges::sort(all, std::greater(), [](const SnapshotRecord* one) {
      return std::pair(one->created_ms, std::string_view(one->name));
    });
    for (std::size_t i = 0; i < std::min<std::size_t>(policy.last, all.size()); ++i)
      kept.insert(all[i]->name);
    keep_newest_of_each(all, policy.hourly, hour_of, kept);
    keep_newest_of_each(all, policy.daily, day_number, kept);
    keep_newest_of_each(all, policy.weekly, week_of, kept);
    keep_newest_of_each(all, policy.monthly, month_of, kept);
    keep_newest_of_each(all, policy.yearly, year_of, kept);
  }
  return kept;
}

std::expected<PrunePlan, std::string> plan_prune(const PruneInput& input) {
  if (!input.unreadable.empty()) {
    return std::unexpected("the manifest " + input.unreadable.front() +
                           " cannot be read, so what it needs is not known and nothing is pruned: verify it, "
                           "bring it from another target, or remove it");
  }
  std::set<std::string> needed = input.kept;
  for (const std::string& epoch : input.open_epochs) needed.insert(std::string(kEpochsPrefix) + epoch);
  for (const SnapshotRecord& snapshot : input.snapshots) {
    if (!input.kept.contains(snapshot.name)) continue;
    needed.insert(snapshot.packs.begin(), snapshot.packs.end());
    needed.insert(snapshot.days.begin(), snapshot.days.end());
    needed.insert(std::string(kEpochsPrefix) + snapshot.epoch);
  }
  std::set<std::string> known;
  for (const SnapshotRecord& snapshot : input.snapshots) known.insert(snapshot.name);

  PrunePlan plan;
  std::map<Sort, std::vector<std::string>> remove;
  for (const ObjectInfo& object : input.objects) {
    const Sort sort = sort_of(object.name);
    // A manifest that came after the snapshots were read is a running upload's.
    if (sort == Sort::kOther || (sort == Sort::kManifest && !known.contains(object.name))) continue;
    const bool of_open_epoch = std::ranges::any_of(input.open_epochs, [&](const std::string& epoch) {
      return object.name.starts_with(std::string(kDaysPrefix) + epoch + "/");
    });
    const auto mark = input.marks.find(object.name);
    if (needed.contains(object.name) || of_open_epoch) {
      if (mark != input.marks.end()) ++plan.unmarked;
      continue;
    }
    // Put again since it was marked: somebody wants it.
    if (mark == input.marks.end() || object.modified_ms > mark->second) {
      plan.marks[object.name] = input.now_ms;
      ++plan.marked;
      continue;
    }
    const bool old = input.now_ms - mark->second >= input.grace_ms;
    const bool may_be_reused =
        input.oldest_upload_ms && *input.oldest_upload_ms <= mark->second + input.clock_skew_ms;
    if (!old || may_be_reused) {
      plan.marks.insert(*mark);
      continue;
    }
    remove[sort].push_back(object.name);
    plan.octets += object.bytes;
  }
  // A manifest goes before what it needs: a crash leaves none that lacks something.
  for (const auto& [sort, names] : remove) plan.remove.insert(plan.remove.end(), names.begin(), names.end());
  return plan;
}

}  // namespace swarmdns::controlplane
