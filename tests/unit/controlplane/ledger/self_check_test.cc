#include "controlplane/ledger/self_check.h"

#include <gtest/gtest.h>

#include "tests/unit/controlplane/ledger/store_fixture.h"

namespace swarmdns::controlplane {
namespace {

class SelfCheckTest : public StoreTest {
 protected:
  SelfCheckResult check() {
    return check_store(*store_,
                       {.trusted = [](const CheckpointNote& note) -> std::expected<void, std::string> {
                          const auto names = check_trusted(note, samples::trust());
                          if (!names) return std::unexpected(names.error());
                          return {};
                        },
                        .progress = {}});
  }
  // Past the checksums of RocksDB: as somebody would who can write to the store.
  void alter(Family family, const std::string& key, std::size_t at) {
    auto value = store_->db().get(family, key);
    ASSERT_TRUE(value && *value);
    ASSERT_LT(at, (*value)->size());
    (**value)[at] = static_cast<char>((**value)[at] ^ 0x01);
    rocksdb::WriteBatch batch;
    store_->db().put(batch, family, key, **value);
    ASSERT_TRUE(store_->db().write(batch));
  }
  static std::string tile_key(unsigned level, std::uint64_t index) {
    return std::string(1, static_cast<char>(level)) + key64(index);
  }
};

TEST_F(SelfCheckTest, AGoodStoreHasNoFinding) {
  EXPECT_EQ(check().finding, "");
  add_blocks(3, 100);
  SelfCheckResult result = check();
  EXPECT_EQ(result.finding, "");
  EXPECT_EQ(result.checkpoint_height, std::nullopt);
  keep_checkpoint();
  add_blocks(2, 200);
  result = check();
  EXPECT_EQ(result.finding, "");
  EXPECT_EQ(result.checkpoint_height, 3u);
  EXPECT_EQ(result.blocks, 5u);
  EXPECT_EQ(result.leaves, 700u);
  EXPECT_EQ(result.tiles, 4u);
  EXPECT_EQ(result.keys, 4u);
  // Pruned and erased is not damaged.
  keep_checkpoint();
  ASSERT_TRUE(store_->prune(5));
  ASSERT_TRUE(store_->erase_leaves(std::array<std::uint64_t, 2>{600, 601}));
  result = check();
  EXPECT_EQ(result.finding, "");
  EXPECT_EQ(result.blocks, 1u);
  EXPECT_EQ(result.leaves, 200u);
}

TEST_F(SelfCheckTest, NamesTheFirstAlteredRecord) {
  add_blocks(5, 100);
  keep_checkpoint();
  ASSERT_EQ(check().finding, "");
  const auto finding_of = [&](Family family, const std::string& key, std::size_t at) {
    alter(family, key, at);
    const std::string finding = check().finding;
    alter(family, key, at);  // back again
    return finding;
  };
  const std::string body_row = **store_->db().get(Family::kBodies, key64(123));
  for (std::size_t at = 0; at < body_row.size(); ++at) {
    const std::string finding = finding_of(Family::kBodies, key64(123), at);
    EXPECT_NE(finding.find("leaf 123"), std::string::npos) << at << ": " << finding;
  }
  EXPECT_EQ(finding_of(Family::kTiles, tile_key(0, 0), 32 * 200 + 5),
            "leaf 200 (block 3): its commitment and hash tile 0 of level 0 differ");
  EXPECT_EQ(finding_of(Family::kTiles, tile_key(1, 0), 3),
            "hash tile 0 of level 1 and hash tile 0 of level 0 differ");
  const std::string block_row = **store_->db().get(Family::kBlocks, key64(2));
  const std::size_t header_at = block_row.find("swarmdns block v1");
  ASSERT_NE(header_at, std::string::npos);
  for (std::size_t at = 0; at < kBlockHeaderOctets; ++at) {
    const std::string finding = finding_of(Family::kBlocks, key64(2), header_at + at);
    EXPECT_TRUE(finding.find("block 2") != std::string::npos || finding.find("block 3") != std::string::npos)
        << at << ": " << finding;
  }
  EXPECT_EQ(finding_of(Family::kState, "kheight", 0), "the state's key \"height\" is not what its hash says");
  const std::string note = **store_->checkpoint(UINT64_MAX);
  EXPECT_NE(finding_of(Family::kCheckpoints, key64(5), note.size() - 10).find("the newest checkpoint"),
            std::string::npos);
  EXPECT_EQ(check().finding, "");
}

TEST_F(SelfCheckTest, AStateThatWasMadeAnewIsFound) {
  add_blocks(2, 3);
  keep_checkpoint();
  // Value and hash together: only the root can tell.
  BlockWrite forged;
  forged.log_index = store_->applied_index();
  forged.header = store_->tip();
  forged.record = **store_->block(2);
  for (std::uint64_t leaf = 3; leaf < 6; ++leaf) forged.leaves.push_back(**store_->leaf(leaf));
  forged.state["member/9"] = "an intruder";
  ASSERT_TRUE(store_->write(forged));
  EXPECT_EQ(check().finding, "the state has another root than block 2 says");
}

TEST_F(SelfCheckTest, AHistoryThatWasMadeAnewIsFound) {
  add_blocks(2, 3);
  keep_checkpoint();
  const std::string note = **store_->checkpoint(UINT64_MAX);
  store_.reset();
  std::filesystem::remove_all(path());
  open();
  ASSERT_TRUE(write(next_block(3, {"another transaction"})));
  add_blocks(3, 3);
  ASSERT_TRUE(store_->put_checkpoint(2, note));
  EXPECT_EQ(check().finding, "block 2 is not the one that the voters have cosigned");
}

TEST_F(SelfCheckTest, AMissingRecordIsNamed) {
  add_blocks(5, 100);
  keep_checkpoint();
  const auto finding_without = [&](Family family, const std::string& key) {
    const std::string value = **store_->db().get(family, key);
    rocksdb::WriteBatch batch;
    store_->db().remove(batch, family, key);
    EXPECT_TRUE(store_->db().write(batch));
    const std::string finding = check().finding;
    rocksdb::WriteBatch back;
    store_->db().put(back, family, key, value);
    EXPECT_TRUE(store_->db().write(back));
    return finding;
  };
  EXPECT_NE(finding_without(Family::kBlocks, key64(3)).find("block 3 is not there"), std::string::npos);
  EXPECT_NE(finding_without(Family::kBodies, key64(3)).find("leaf 3 cannot be read"), std::string::npos);
  EXPECT_NE(finding_without(Family::kTiles, tile_key(0, 1)).find("hash tile 1 of level 0 is not there"),
            std::string::npos);
  EXPECT_NE(finding_without(Family::kState, "kheight").find("the state's key \"height\""), std::string::npos);
}

// An altered byte in a file, where RocksDB's own checksums tell.
TEST_F(SelfCheckTest, AnAlteredByteOfAFileIsFound) {
  add_blocks(20, 100);
  keep_checkpoint();
  ASSERT_TRUE(store_->scrub());
  open();
  ASSERT_EQ(check().finding, "");
  std::filesystem::path largest;
  for (const auto& entry : std::filesystem::directory_iterator(path())) {
    if (entry.path().extension() == ".sst" &&
        (largest.empty() || entry.file_size() > std::filesystem::file_size(largest)))
      largest = entry.path();
  }
  store_.reset();
  {
    std::fstream file(largest, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(1000);
    const int octet = file.get();
    file.seekp(1000);
    file.put(static_cast<char>(octet ^ 0x10));
  }
  // Already opening reads the right edge of the tree and the state, maybe from that file.
  auto opened = LedgerStore::open(options(path()));
  std::string finding = opened ? "" : opened.error().text;
  if (opened) {
    store_ = std::move(*opened);
    finding = check().finding;
  }
  EXPECT_NE(finding.find(largest.filename().string()), std::string::npos) << finding;
  EXPECT_NE(finding.find("the file is damaged"), std::string::npos) << finding;
  EXPECT_TRUE(!opened || !store_->damage().empty());
}

TEST_F(SelfCheckTest, WhatNobodyVouchesForIsNotDamaged) {
  add_blocks(3, 10);
  keep_checkpoint();
  const SelfCheck check{
      .trusted =
          [](const CheckpointNote&) { return std::expected<void, std::string>(std::unexpected("who?")); },
      .progress = {}};
  const SelfCheckResult untrusted = check_store(*store_, check);
  EXPECT_NE(untrusted.finding, "");
  EXPECT_FALSE(untrusted.damaged);
  alter(Family::kState, "kheight", 0);
  EXPECT_TRUE(this->check().damaged);
}

// Also where opening it reads nothing.
TEST_F(SelfCheckTest, EveryTableFileIsReadAndNamed) {
  add_blocks(20, 100);
  ASSERT_TRUE(store_->scrub());
  EXPECT_TRUE(store_->db().verify_files());
  EXPECT_EQ(store_->damage(), "");
  std::filesystem::path altered;
  for (const auto& entry : std::filesystem::directory_iterator(path())) {
    if (entry.path().extension() == ".sst" && entry.file_size() > 4000) altered = entry.path();
  }
  ASSERT_NE(altered, "");
  {
    std::fstream file(altered, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(700);
    const int octet = file.get();
    file.seekp(700);
    file.put(static_cast<char>(octet ^ 0x10));
  }
  const auto verified = store_->db().verify_files();
  ASSERT_FALSE(verified);
  EXPECT_NE(verified.error().find(altered.filename().string()), std::string::npos) << verified.error();
  EXPECT_EQ(store_->damage(), verified.error());
}

}  // namespace
}  // namespace swarmdns::controlplane
