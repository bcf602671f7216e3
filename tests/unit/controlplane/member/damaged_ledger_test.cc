#include "controlplane/member/damaged_ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/env.h>

#include <filesystem>
#include <fstream>

#include "controlplane/chain/chain.h"
#include "tests/unit/controlplane/support/chain_node.h"
#include "tests/unit/controlplane/support/temp_dir.h"

namespace swarmdns::controlplane {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr std::uint64_t kNow = 1784822400;

class DamagedLedgerTest : public testing::Test {
 protected:
  DamagedLedgerTest() {
    options.path = dir / "ledger";
    make(options.path);
  }
  // Two blocks, in files.
  static void make(const std::string& path) {
    StoreOptions where;
    where.path = path;
    auto store = std::move(*LedgerStore::open(where));
    auto chain = std::move(*Chain::open(*store));
    std::uint64_t index = 0;
    for (const std::string& entry : beginning(3, 3)) EXPECT_TRUE(chain->apply(++index, as_octets(entry)));
    EXPECT_TRUE(store->scrub());
  }
  // In every table file: one of them has the state.
  void damage() const {
    for (const auto& entry : fs::directory_iterator(options.path)) {
      if (entry.path().extension() != ".sst") continue;
      std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
      const auto place = static_cast<std::streamoff>(entry.file_size() / 3);
      file.seekg(place);
      const int octet = file.get();
      file.seekp(place);
      file.put(static_cast<char>(octet ^ 0x10));
    }
  }
  std::vector<DamagedLedger> kept() const { return damaged_ledgers(*rocksdb::Env::Default(), options.path); }

  TempDir dir;
  StoreOptions options;
};

TEST_F(DamagedLedgerTest, ASoundOneIsOpened) {
  const auto opened = open_ledger(options, true, kNow);
  ASSERT_TRUE(opened) << opened.error();
  EXPECT_EQ(opened->damage, "");
  EXPECT_EQ(opened->store->tip()->height, 2U);
  EXPECT_TRUE(kept().empty());
}

TEST_F(DamagedLedgerTest, ADamagedOneMakesRoomForAnEmptyOneAndIsKept) {
  damage();
  const auto opened = open_ledger(options, true, kNow);
  ASSERT_TRUE(opened) << opened.error();
  EXPECT_THAT(opened->damage, HasSubstr(".sst"));
  EXPECT_EQ(opened->kept_as, options.path + ".damaged-1784822400");
  EXPECT_EQ(opened->store->applied_index(), 0U);
  EXPECT_EQ(opened->store->damage(), "");
  ASSERT_EQ(kept().size(), 1U);
  EXPECT_EQ(kept()[0].path, opened->kept_as);
  EXPECT_EQ(kept()[0].what, opened->damage);
  EXPECT_TRUE(fs::exists(opened->kept_as + "/CURRENT"));
}

TEST_F(DamagedLedgerTest, WithNobodyToFetchItFromItIsLeftAlone) {
  damage();
  const auto opened = open_ledger(options, false, kNow);
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error(), HasSubstr("knows of no other member"));
  EXPECT_THAT(opened.error(), HasSubstr("Nothing was changed"));
  EXPECT_TRUE(kept().empty());
  EXPECT_TRUE(fs::exists(options.path + "/CURRENT"));
}

TEST_F(DamagedLedgerTest, AFileWhoseNameWasAlteredIsDamage) {
  std::ofstream(options.path + "/CURRENT") << "MANIFEST-999999\n";
  const auto opened = open_ledger(options, true, kNow);
  ASSERT_TRUE(opened) << opened.error();
  EXPECT_NE(opened->damage, "");
  EXPECT_EQ(kept().size(), 1U);
}

// As an octet that RocksDB does not miss leaves it: all files are sound, and a row is gone.
TEST_F(DamagedLedgerTest, ATileThatIsGoneIsDamage) {
  {
    auto store = std::move(*LedgerStore::open(options));
    rocksdb::WriteBatch batch;
    store->db().remove(batch, Family::kTiles, std::string(9, '\0'));
    ASSERT_TRUE(store->db().write(batch));
  }
  const auto opened = open_ledger(options, true, kNow);
  ASSERT_TRUE(opened) << opened.error();
  EXPECT_THAT(opened->damage, HasSubstr("hash tile 0 of level 0 is not there"));
  EXPECT_EQ(kept().size(), 1U);
}

TEST_F(DamagedLedgerTest, WhatIsNoDamageIsNotMovedAside) {
  {
    auto store = std::move(*LedgerStore::open(options));
    // Somebody else has it open.
    EXPECT_FALSE(open_ledger(options, true, kNow));
    rocksdb::WriteBatch batch;
    store->db().put(batch, Family::kMeta, "format", "2");
    ASSERT_TRUE(store->db().write(batch));
  }
  const auto opened = open_ledger(options, true, kNow);
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error(), HasSubstr("format 2"));
  EXPECT_TRUE(kept().empty());
}

TEST_F(DamagedLedgerTest, NotMoreThanAFewAreKept) {
  // One of them is of a time to come: the clock was set back.
  for (std::uint64_t i = 0; i < kDamagedKept + 1; ++i)
    fs::create_directory(options.path + ".damaged-" + std::to_string(kNow + i));
  damage();
  const auto opened = open_ledger(options, true, kNow);
  ASSERT_TRUE(opened) << opened.error();
  EXPECT_EQ(opened->kept_as, options.path + ".damaged-" + std::to_string(kNow + kDamagedKept + 1));
  ASSERT_EQ(kept().size(), kDamagedKept);
  EXPECT_EQ(kept().back().path, opened->kept_as);
  EXPECT_EQ(kept().front().path, options.path + ".damaged-" + std::to_string(kNow + kDamagedKept));
}

TEST_F(DamagedLedgerTest, ACopyTakesThePlaceOfADamagedOneAndThatIsKept) {
  make(dir / "copy");
  make(dir / "another");
  auto store = std::move(*LedgerStore::open(options));
  store->note_damage("file 7");
  ASSERT_TRUE(replace_ledger(*store, dir / "copy", kNow));
  EXPECT_EQ(store->damage(), "");
  EXPECT_EQ(store->tip()->height, 2U);
  ASSERT_EQ(kept().size(), 1U);
  EXPECT_EQ(kept()[0].what, "file 7");
  // Of a sound one nothing is kept.
  ASSERT_TRUE(replace_ledger(*store, dir / "another", kNow));
  EXPECT_EQ(kept().size(), 1U);
  // A copy that is not there changes nothing.
  store->note_damage("file 8");
  EXPECT_FALSE(replace_ledger(*store, dir / "none", kNow));
  EXPECT_EQ(store->damage(), "file 8");
  EXPECT_EQ(store->tip()->height, 2U);
  EXPECT_EQ(kept().size(), 1U);
}

}  // namespace
}  // namespace swarmdns::controlplane
