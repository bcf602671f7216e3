#include "controlplane/backup/names.h"

#include "tests/unit/controlplane/backup/samples.h"

namespace swarmdns::controlplane {
namespace {

TEST(BackupNames, SnapshotIsNamedByItsTime) {
  const SnapshotId id = *array_from<8>(samples::filled(8, 0xa0));
  const std::string name = snapshot_name(1'795'391'885'999, id);
  EXPECT_EQ(name, "snapshots/20261122t235805z-a0a1a2a3a4a5a6a7");
  const auto read = parse_snapshot_name(name);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->created_s, 1'795'391'885);
  EXPECT_EQ(read->id, id);
  EXPECT_EQ(snapshot_name(0, id).substr(10, 16), "19700101t000000z");
}

TEST(BackupNames, WrongOnesAreNotRead) {
  for (const char* name :
       {"snapshots/20261122t235805z-a0a1a2a3a4a5a6a", "snapshots/20261122t235805z-A0a1a2a3a4a5a6a7",
        "snapshots/20261322t235805z-a0a1a2a3a4a5a6a7", "snapshots/20261122t245805z-a0a1a2a3a4a5a6a7",
        "snapshots/20260230t235805z-a0a1a2a3a4a5a6a7", "snapshots/2026112 t235805z-a0a1a2a3a4a5a6a7", "",
        "packs/20261122t235805z-a0a1a2a3a4a5a6a7"}) {
    EXPECT_FALSE(parse_snapshot_name(name)) << name;
  }
}

TEST(BackupNames, PackIsNamedByEpochAndHash) {
  const RootKey key = samples::root_key(1);
  const Digest hash = plain_blake(as_octets("x"));
  const std::string name = pack_name(key.commitment(), hash);
  EXPECT_EQ(name, "packs/" + key.name() + "/" + to_hex(hash));
  const auto read = parse_pack_name(name);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->epoch, key.id());
  EXPECT_EQ(read->hash, hash);
  EXPECT_FALSE(parse_pack_name(name + "0"));
  EXPECT_FALSE(parse_pack_name(name.substr(1)));
  EXPECT_FALSE(parse_pack_name("packs/"));
}

TEST(BackupNames, DaysAreThoseOfTheCalendar) {
  EXPECT_TRUE(valid_day("2028-02-29"));
  for (const char* day :
       {"2026-02-29", "2026-2-29", "2026/02/28", "26-02-28", "", "1969-12-31", "2026-00-01"})
    EXPECT_FALSE(valid_day(day)) << day;
  EXPECT_EQ(day_of(1'795'391'885'999), "2026-11-22");
}

}  // namespace
}  // namespace swarmdns::controlplane
