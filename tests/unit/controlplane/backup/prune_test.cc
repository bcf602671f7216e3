#include "controlplane/backup/prune.h"

#include <gtest/gtest.h>

#include "controlplane/backup/names.h"
#include "tests/unit/controlplane/backup/samples.h"

namespace swarmdns::controlplane {
namespace {

constexpr std::int64_t kHour = 3'600'000;
constexpr std::int64_t kDay = 24 * kHour;
constexpr std::int64_t kNow = 1'795'391'885'000;  // Sunday, 2026-11-22 23:58:05 UTC

std::string pack(unsigned number) {
  return pack_name(samples::root_key(1).commitment(), *array_from<32>(samples::filled(32, number)));
}
const std::string kEpoch = samples::root_key(1).name();

SnapshotRecord record(std::int64_t created_ms, std::vector<std::string> packs = {}, std::uint64_t node = 1) {
  SnapshotId id{};
  id[0] = static_cast<std::byte>(node);
  return {snapshot_name(created_ms, id), node, created_ms, kEpoch, std::move(packs), {}};
}

// Ages of those kept, in hours.
std::set<std::int64_t> kept(const std::vector<std::int64_t>& hours, const KeepPolicy& policy) {
  std::vector<SnapshotRecord> all;
  std::map<std::string, std::int64_t> age;
  for (const std::int64_t hour : hours) {
    all.push_back(record(kNow - hour * kHour));
    age[all.back().name] = hour;
  }
  std::set<std::int64_t> ages;
  const auto names = select_kept(all, policy);
  for (const std::string& name : *names) ages.insert(age[name]);
  return ages;
}

TEST(KeepPolicy, KeepsTheNewestOfEachPeriod) {
  using Ages = std::set<std::int64_t>;
  EXPECT_EQ(kept({0, 1, 2, 3}, {.last = 2}), (Ages{0, 1}));
  EXPECT_EQ(kept({0, 1, 2, 30}, {.last = 0, .hourly = 3}), (Ages{0, 1, 2}));
  EXPECT_EQ(kept({0, 1, 23, 24, 25, 100}, {.last = 0, .daily = 3}), (Ages{0, 24, 100}));
  // 22 November is a Sunday: six days before is the same week, seven another.
  EXPECT_EQ(kept({0, 6 * 24, 7 * 24, 20 * 24}, {.last = 0, .weekly = 2}), (Ages{0, 7 * 24}));
  EXPECT_EQ(kept({0, 21 * 24, 22 * 24, 60 * 24}, {.last = 0, .monthly = 2}), (Ages{0, 22 * 24}));
  EXPECT_EQ(kept({0, 300 * 24, 400 * 24, 800 * 24}, {.last = 0, .yearly = 2}), (Ages{0, 400 * 24}));
  EXPECT_EQ(kept({5, 48}, {.last = 1, .daily = 7}), (Ages{5, 48}));
}

TEST(KeepPolicy, EachNodeKeepsItsOwn) {
  const std::vector<SnapshotRecord> all = {record(kNow, {}, 1), record(kNow - kDay, {}, 1),
                                           record(kNow - 9 * kDay, {}, 2)};
  EXPECT_EQ(*select_kept(all, {.last = 1}), (std::set{all[0].name, all[2].name}));
}

TEST(KeepPolicy, ThatKeepsNothingIsRefused) {
  EXPECT_FALSE(select_kept({}, {.last = 0}));
}

class PruneTest : public testing::Test {
 protected:
  PruneTest() {
    for (const SnapshotRecord& one : snapshots_) objects_.push_back({.name = one.name, .bytes = 10});
    for (const unsigned number : {1, 2, 3, 4}) objects_.push_back({.name = pack(number), .bytes = 1000});
    objects_.push_back({.name = "epochs/" + kEpoch, .bytes = 100});
    objects_.push_back({.name = "somebody/else", .bytes = 1});
  }

  PrunePlan plan() {
    input_.snapshots = snapshots_;
    input_.objects = objects_;
    input_.kept = {snapshots_[0].name};
    const auto made = plan_prune(input_);
    EXPECT_TRUE(made) << made.error();
    return made ? *made : PrunePlan{};
  }
  // Again so much later.
  PrunePlan next(const PrunePlan& before, std::int64_t later_ms) {
    input_.marks = before.marks;
    input_.now_ms += later_ms;
    return plan();
  }

  std::vector<SnapshotRecord> snapshots_ = {record(kNow, {pack(1), pack(2)}),
                                            record(kNow - kDay, {pack(2), pack(3)})};
  std::vector<ObjectInfo> objects_;  // and pack 4, which a run left that ended early
  PruneInput input_{.now_ms = kNow, .grace_ms = kDay};
};

TEST_F(PruneTest, MarksThenRemovesManifestsFirst) {
  const PrunePlan first = plan();
  EXPECT_TRUE(first.remove.empty());
  EXPECT_EQ(first.marked, 3u);
  EXPECT_TRUE(next(first, kDay - 1).remove.empty());
  const PrunePlan second = next(first, 1);
  EXPECT_EQ(second.remove, (std::vector{snapshots_[1].name, pack(3), pack(4)}));
  EXPECT_EQ(second.octets, 2010u);
  EXPECT_TRUE(second.marks.empty());
}

TEST_F(PruneTest, WhatIsNeededAgainStays) {
  const PrunePlan first = plan();
  ASSERT_TRUE(first.marks.contains(pack(4)));
  snapshots_[0].packs.push_back(pack(4));
  const PrunePlan second = next(first, kDay);
  EXPECT_EQ(second.unmarked, 1u);
  EXPECT_EQ(second.remove, (std::vector{snapshots_[1].name, pack(3)}));
}

TEST_F(PruneTest, NothingThatARunningUploadMayReuseIsRemoved) {
  const PrunePlan first = plan();
  input_.oldest_upload_ms = kNow - 5 * kHour;
  PrunePlan held = next(first, 10 * kDay);
  EXPECT_TRUE(held.remove.empty());
  EXPECT_EQ(held.marks, first.marks);
  input_.oldest_upload_ms = kNow + input_.clock_skew_ms;  // its clock may be behind
  EXPECT_TRUE(next(first, 0).remove.empty());
  input_.oldest_upload_ms = kNow + input_.clock_skew_ms + 1;  // was told to avoid them
  EXPECT_EQ(next(first, 0).remove.size(), 3u);
}

TEST_F(PruneTest, WhatWasPutAgainBeginsAnew) {
  const PrunePlan first = plan();
  for (ObjectInfo& object : objects_)
    if (object.name == pack(4)) object.modified_ms = kNow + kHour;
  const PrunePlan second = next(first, kDay);
  EXPECT_EQ(second.remove, (std::vector{snapshots_[1].name, pack(3)}));
  EXPECT_EQ(second.marks, (PruneMarks{{pack(4), kNow + kDay}}));
}

TEST_F(PruneTest, ManifestThatCannotBeReadEndsIt) {
  const std::vector<std::string> bad = {"snapshots/20261122t235805z-0000000000000000"};
  input_.unreadable = bad;
  const auto refused = plan_prune(input_);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().find(bad[0] + " cannot be read"), std::string::npos);
}

TEST_F(PruneTest, ManifestThatHasJustComeStays) {
  objects_.push_back({.name = snapshot_name(kNow + 1, SnapshotId{}), .bytes = 10});
  const PrunePlan first = plan();
  EXPECT_FALSE(first.marks.contains(objects_.back().name));
}

TEST_F(PruneTest, EnvelopesGoWithTheirLastSnapshot) {
  const std::string day = "days/" + kEpoch + "/2026-11-20";
  objects_.push_back({.name = day, .bytes = 100});
  objects_.push_back({.name = "epochs/00112233445566aa", .bytes = 100});
  input_.open_epochs = {kEpoch};
  PrunePlan first = plan();
  EXPECT_FALSE(first.marks.contains(day));
  EXPECT_TRUE(first.marks.contains("epochs/00112233445566aa"));
  input_.open_epochs.clear();
  first = plan();
  EXPECT_TRUE(first.marks.contains(day));
  EXPECT_FALSE(first.marks.contains("epochs/" + kEpoch));
  snapshots_[0].days.push_back(day);
  EXPECT_FALSE(plan().marks.contains(day));
}

}  // namespace
}  // namespace swarmdns::controlplane
