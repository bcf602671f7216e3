#include "controlplane/ledger/store.h"

#include <gtest/gtest.h>

#include "controlplane/ledger/prove.h"
#include "controlplane/ledger/verify.h"
#include "tests/unit/controlplane/ledger/store_fixture.h"

namespace swarmdns::controlplane {
namespace {

class LedgerStoreTest : public StoreTest {
 protected:
  Verdict judge(const std::expected<Proof, std::string>& proof) {
    if (!proof) return {.holds = false, .sentence = proof.error(), .steps = {}, .proof = {}};
    return verify_proof(format_proof(*proof), format_trust(samples::trust()));
  }
};

TEST_F(LedgerStoreTest, BeginsEmpty) {
  EXPECT_EQ(store_->tip(), std::nullopt);
  EXPECT_EQ(store_->applied_index(), 0u);
  EXPECT_EQ(*store_->block(1), std::nullopt);
  EXPECT_FALSE(store_->leaf(0)->has_value());
  EXPECT_EQ(*store_->get("height"), std::nullopt);
  EXPECT_EQ(*store_->checkpoint(UINT64_MAX), std::nullopt);
  EXPECT_EQ(*store_->height_at(UINT64_MAX), std::nullopt);
  EXPECT_EQ(state_.root(), StateTree().root());
}

TEST_F(LedgerStoreTest, KeepsWhatABlockWrites) {
  add_blocks(5, 3);
  const auto tip = store_->tip();
  ASSERT_TRUE(tip);
  EXPECT_EQ(tip->height, 5u);
  EXPECT_EQ(tip->tree_size, 15u);
  EXPECT_EQ(store_->applied_index(), 10u);
  EXPECT_EQ(**store_->get("height"), "5");
  EXPECT_EQ(*store_->get("block/2"), std::nullopt);
  std::vector<std::string> keys;
  ASSERT_TRUE(store_->scan("block/", [&](std::string_view key, std::string_view value) {
    EXPECT_EQ(value, "made");
    keys.emplace_back(key);
    return true;
  }));
  EXPECT_EQ(keys, (std::vector<std::string>{"block/3", "block/4", "block/5"}));
  EXPECT_EQ(state_.root(), tip->state_root);
  EXPECT_EQ(tree_.root(), tip->tree_root);
  EXPECT_EQ((*store_->leaf(7))->transaction(), body(7));
  EXPECT_FALSE(store_->leaf(15)->has_value());
  EXPECT_EQ(*decode_block_header(as_octets((*store_->block(5))->header())), *tip);
  const auto header = store_->header(3);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->first_leaf, 6u);
}

TEST_F(LedgerStoreTest, IsTheSameWhenOpenedAgain) {
  add_blocks(4, 100);
  const auto tip = store_->tip();
  open();
  EXPECT_EQ(store_->tip(), tip);
  EXPECT_EQ(store_->applied_index(), 8u);
  EXPECT_EQ(tree_.root(), tip->tree_root);
  EXPECT_EQ(state_.root(), tip->state_root);
  add_blocks(1, 1);
  EXPECT_EQ(store_->tip()->tree_size, 401u);
}

TEST_F(LedgerStoreTest, AnEntryWithoutBlockMovesTheIndexOnly) {
  add_blocks(1, 1);
  const auto tip = store_->tip();
  BlockWrite nothing;
  nothing.log_index = 9;
  ASSERT_TRUE(store_->write(nothing));
  EXPECT_EQ(store_->applied_index(), 9u);
  EXPECT_EQ(store_->tip(), tip);
  open();
  EXPECT_EQ(store_->applied_index(), 9u);
  EXPECT_EQ(store_->tip(), tip);
}

TEST_F(LedgerStoreTest, FindsHeights) {
  add_blocks(6, 3);
  add_blocks(2, 0);
  add_blocks(1, 2);
  EXPECT_EQ(*store_->height_of_leaf(0), 1u);
  EXPECT_EQ(*store_->height_of_leaf(2), 1u);
  EXPECT_EQ(*store_->height_of_leaf(3), 2u);
  EXPECT_EQ(*store_->height_of_leaf(17), 6u);
  EXPECT_EQ(*store_->height_of_leaf(18), 9u);
  EXPECT_EQ(*store_->height_of_leaf(20), std::nullopt);
  EXPECT_EQ(*store_->height_at(1'700'000'000'099), std::nullopt);
  EXPECT_EQ(*store_->height_at(1'700'000'000'100), 1u);
  EXPECT_EQ(*store_->height_at(1'700'000'000'350), 3u);
  EXPECT_EQ(*store_->height_at(UINT64_MAX), 9u);
}

TEST_F(LedgerStoreTest, CheckpointsAreFoundByHeight) {
  ASSERT_TRUE(store_->put_checkpoint(3, "three"));
  ASSERT_TRUE(store_->put_checkpoint(7, "seven"));
  EXPECT_EQ(*store_->checkpoint(2), std::nullopt);
  EXPECT_EQ(*store_->checkpoint(3), "three");
  EXPECT_EQ(*store_->checkpoint(6), "three");
  EXPECT_EQ(*store_->checkpoint(UINT64_MAX), "seven");
}

TEST_F(LedgerStoreTest, ProofsVerify) {
  add_blocks(3, 200);
  keep_checkpoint();
  add_blocks(2, 50);
  keep_checkpoint();
  add_blocks(1, 5);
  for (const std::uint64_t leaf : {0u, 199u, 200u, 255u, 256u, 511u, 599u, 699u}) {
    const Verdict verdict = judge(prove_inclusion(*store_, leaf));
    EXPECT_TRUE(verdict.holds) << leaf << ": " << verdict.sentence;
  }
  EXPECT_EQ(judge(prove_inclusion(*store_, 700)).sentence,
            "leaf 700 is not in the newest checkpoint, which has 700 leaves: ask again in a moment");
  for (const std::uint64_t size : {1u, 200u, 256u, 600u, 650u, 700u}) {
    const auto proof = prove_consistency(*store_, size);
    EXPECT_TRUE(judge(proof).holds) << size << ": " << judge(proof).sentence;
    ASSERT_TRUE(proof);
    EXPECT_EQ(std::get<ConsistencyProof>(*proof).old_checkpoint.has_value(), size == 600 || size == 700)
        << size;
  }
  EXPECT_FALSE(prove_consistency(*store_, 0));
  EXPECT_FALSE(prove_consistency(*store_, 701));
}

TEST_F(LedgerStoreTest, WithoutACheckpointNothingIsProved) {
  add_blocks(1, 1);
  EXPECT_EQ(prove_inclusion(*store_, 0).error(),
            "there is no checkpoint yet: no majority of the voters has cosigned one");
}

TEST_F(LedgerStoreTest, WhatIsKeptCanBeProvedBehindPruning) {
  add_blocks(10, 200);
  keep_checkpoint();
  EXPECT_FALSE(store_->prune(11));
  ASSERT_TRUE(store_->prune(8));  // leaves from 1400 on: five tiles of 256 are behind it
  EXPECT_EQ(store_->lowest_height(), 8u);
  EXPECT_EQ(store_->lowest_leaf(), 1400u);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(*store_->block(7), std::nullopt);
    EXPECT_TRUE(store_->block(8)->has_value());
    EXPECT_EQ((*store_->leaf(1399))->transaction(), "");
    EXPECT_EQ((*store_->leaf(1400))->transaction(), body(1400));
    EXPECT_EQ(store_->tile({0, 4}).error(), "hash tile 4 of level 0 was pruned");
    EXPECT_TRUE(store_->tile({0, 5}));
    EXPECT_TRUE(store_->tile({1, 0}));
    for (std::uint64_t leaf = 1400; leaf < 2000; leaf += 7) {
      const Verdict verdict = judge(prove_inclusion(*store_, leaf));
      EXPECT_TRUE(verdict.holds) << leaf << ": " << verdict.sentence;
      EXPECT_TRUE(judge(prove_consistency(*store_, leaf)).holds) << leaf;
    }
    EXPECT_EQ(judge(prove_inclusion(*store_, 1399)).sentence,
              "leaf 1399 was pruned: leaves from 1400 on are kept");
    EXPECT_EQ(judge(prove_consistency(*store_, 1399)).sentence,
              "the tree of 1399 leaves was pruned: sizes from 1400 on can be proved");
    open();
    EXPECT_EQ(store_->lowest_height(), 8u);
    EXPECT_EQ(store_->lowest_leaf(), 1400u);
  }
  add_blocks(3, 200);  // it grows as before
  keep_checkpoint();
  EXPECT_TRUE(judge(prove_inclusion(*store_, 2500)).holds);
  EXPECT_TRUE(judge(prove_inclusion(*store_, 1400)).holds);
  EXPECT_TRUE(store_->prune(5));  // less than was pruned already
  EXPECT_EQ(store_->lowest_height(), 8u);
}

TEST_F(LedgerStoreTest, PruningNeedsACheckpoint) {
  add_blocks(3, 1);
  EXPECT_EQ(store_->prune(2).error(),
            "blocks below 2 cannot be pruned: there is no checkpoint at or above that height");
  EXPECT_TRUE(store_->block(1)->has_value());
}

TEST_F(LedgerStoreTest, OldCheckpointsAreThinnedOut) {
  add_blocks(40, 1);  // one each 100 ms, from 1,700,000,000,100 on
  for (std::uint64_t height = 1; height <= 40; ++height)
    ASSERT_TRUE(store_->put_checkpoint(height, std::to_string(height)));
  const auto kept = [&] {
    std::string all;
    for (std::uint64_t height = 1;; ++height) {
      const auto found = *store_->checkpoint_from(height);
      if (!found) return all;
      height = found->first;
      all += found->second + " ";
    }
  };
  // Of those before the 31st, one a second; five are looked at in one go.
  std::uint64_t from = 0;
  int rounds = 0;
  do {
    from = *store_->thin_checkpoints(from, 1'700'000'003'100, 1000, 5);
  } while (from != 0 && ++rounds < 100);
  EXPECT_GT(rounds, 3);
  EXPECT_EQ(kept(), "1 10 20 30 31 32 33 34 35 36 37 38 39 40 ");
  EXPECT_EQ(*store_->thin_checkpoints(0, 1'700'000'003'100, 1000, 5), 0U);
  EXPECT_EQ(*store_->checkpoint(29), "20");
}

TEST_F(LedgerStoreTest, FamiliesOfFormerVersionsAreDropped) {
  add_blocks(2, 3);
  store_.reset();
  {
    std::vector<std::string> names;
    ASSERT_TRUE(rocksdb::DB::ListColumnFamilies({}, path(), &names).ok());
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (const std::string& name : names) families.emplace_back(name, rocksdb::ColumnFamilyOptions());
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* db = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open({}, path(), families, &handles, &db).ok());
    for (const char* former : {"segments", "mutations"}) {
      rocksdb::ColumnFamilyHandle* made = nullptr;
      ASSERT_TRUE(db->CreateColumnFamily({}, former, &made).ok());
      handles.push_back(made);
    }
    for (rocksdb::ColumnFamilyHandle* handle : handles) db->DestroyColumnFamilyHandle(handle);
    delete db;
  }
  for (int round = 0; round < 2; ++round) {
    open();
    EXPECT_EQ(store_->tip()->height, 2u);
    store_.reset();
    std::vector<std::string> names;
    ASSERT_TRUE(rocksdb::DB::ListColumnFamilies({}, path(), &names).ok());
    EXPECT_EQ(names.size(), kFamilies);
  }
}

TEST_F(LedgerStoreTest, ErasedBodiesAreInNoFile) {
  const std::string secret = marker(1);
  const std::string other = marker(2);
  ASSERT_TRUE(write(next_block(3, {"before " + secret, secret, other})));
  // Some in a file already, some in the log only.
  ASSERT_TRUE(store_->scrub());
  ASSERT_TRUE(write(next_block(1, {"again " + secret})));
  keep_checkpoint();
  ASSERT_GE(files_with(secret), 2u);

  ASSERT_TRUE(store_->erase_leaves(std::array<std::uint64_t, 4>{0, 1, 3, 99}));
  ASSERT_GE(files_with(secret), 1u);  // overwritten only
  ASSERT_TRUE(store_->scrub());
  EXPECT_EQ(files_with(secret), 0u);
  EXPECT_GE(files_with(other), 1u);

  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ((*store_->leaf(0))->transaction(), "");
    EXPECT_EQ((*store_->leaf(0))->salt(), "");
    EXPECT_EQ((*store_->leaf(2))->transaction(), other);
    // Its existence and its neighbours can still be proved.
    const Verdict verdict = judge(prove_inclusion(*store_, 1));
    EXPECT_TRUE(verdict.holds) << verdict.sentence;
    EXPECT_TRUE(verdict.sentence.starts_with("an erased transaction is leaf 1")) << verdict.sentence;
    EXPECT_TRUE(judge(prove_inclusion(*store_, 2)).holds);
    open();
    EXPECT_EQ(files_with(secret), 0u);
  }
}

TEST_F(LedgerStoreTest, MutationsAreProved) {
  const samples::Chain chain(5);
  ASSERT_TRUE(write(next_block(3, {"a", chain.head(4), chain.head(2)})));
  keep_checkpoint();
  v1::SegmentBody segment;
  segment.mutable_segment()->set_header(chain.headers[1]);
  segment.set_salt_seed(as_string(samples::Chain::seed(2)));
  std::vector<Hash> commitments;
  for (const std::string& mutation : chain.mutations[1]) {
    const auto position = static_cast<std::uint32_t>(commitments.size());
    commitments.push_back(
        mutation_commitment(mutation_salt(samples::Chain::seed(2), position), as_octets(mutation)));
    segment.add_leaves()->set_mutation(mutation);
  }
  const std::vector<std::string> behind = {chain.headers[2], chain.headers[3]};
  const auto prove = [&](std::uint32_t position, const std::vector<std::string>& headers,
                         std::uint64_t head) {
    return judge(prove_mutation(*store_, segment, commitments, position, headers, head)).sentence;
  };
  const std::string proved =
      "mutation is number 3 of segment 2 of node 7, which the ledger has ordered by height 1";
  EXPECT_EQ(prove(3, behind, 1), "the " + proved);
  EXPECT_EQ(prove(3, {}, 2), "the " + proved);
  EXPECT_EQ(prove(3, behind, 2), "leaf 2 is not the head of the chain from segment 2 of node 7");
  EXPECT_EQ(prove(3, behind, 0), "leaf 0 is not the head of a chain of segments");
  EXPECT_EQ(prove(4, behind, 1), "segment 2 of node 7 has no mutation 4 here");

  // One is erased: the others have salts of their own.
  for (std::uint32_t i = 0; i < commitments.size(); ++i)
    segment.mutable_leaves(static_cast<int>(i))
        ->set_salt(as_string(mutation_salt(samples::Chain::seed(2), i)));
  segment.clear_salt_seed();
  segment.mutable_leaves(3)->Clear();
  segment.mutable_leaves(3)->set_commitment(as_string(commitments[3]));
  EXPECT_EQ(prove(3, behind, 1), "an erased " + proved);
  EXPECT_TRUE(prove(2, behind, 1).starts_with("the mutation is number 2 of segment 2"));
}

TEST_F(LedgerStoreTest, CopiesOpenByThemselves) {
  add_blocks(3, 100);
  keep_checkpoint();
  const std::string copy = folder_ / "copy";
  ASSERT_TRUE(store_->copy_to(copy));
  add_blocks(2, 10);
  auto opened = LedgerStore::open(options(copy, false));
  ASSERT_TRUE(opened) << opened.error().text;
  EXPECT_EQ((*opened)->tip()->height, 3u);
  EXPECT_EQ((*opened)->applied_index(), 6u);
  EXPECT_TRUE(judge(prove_inclusion(**opened, 299)).holds);
  EXPECT_FALSE(store_->copy_to(copy));  // there is one already
}

TEST_F(LedgerStoreTest, AFullDiskIsNamedAndTheSameBlockGoesInLater) {
  add_blocks(2, 3);
  const auto tip = store_->tip();
  const BlockWrite block = next_block(3);
  files_->fault = rocksdb::IOStatus::NoSpace("no space left");
  for (int i = 0; i < 3; ++i) {
    const auto refused = store_->write(block);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().find("its disk is full: make room, it goes on by itself"), std::string::npos)
        << refused.error();
    EXPECT_EQ(store_->tip(), tip);
    EXPECT_EQ(store_->applied_index(), 4u);
    EXPECT_EQ(**store_->get("height"), "2");
    EXPECT_EQ((*store_->leaf(5))->transaction(), body(5));
  }
  EXPECT_FALSE(store_->mend());
  files_->fault = rocksdb::IOStatus::OK();
  ASSERT_EQ(store_->mend(), true);
  const auto written = write(block);
  ASSERT_TRUE(written) << written.error();
  EXPECT_EQ(store_->tip()->height, 3u);
  add_blocks(2, 3);
  open();
  EXPECT_EQ(store_->tip()->height, 5u);
  EXPECT_EQ(tree_.root(), store_->tip()->tree_root);
  EXPECT_EQ(state_.root(), store_->tip()->state_root);
}

TEST_F(LedgerStoreTest, AfterAFailingDiskItIsOpenedAgain) {
  add_blocks(2, 3);
  const BlockWrite block = next_block(3);
  files_->fault = rocksdb::IOStatus::IOError("input/output error");
  EXPECT_FALSE(store_->write(block));
  EXPECT_FALSE(store_->sync());
  EXPECT_FALSE(store_->recover());
  // As long as nothing can be written, what is there is read all the same.
  EXPECT_EQ(**store_->get("height"), "2");
  EXPECT_TRUE(store_->block(1));
  EXPECT_FALSE(store_->write(block));
  EXPECT_FALSE(store_->sync());
  EXPECT_FALSE(store_->copy_to(folder_ / "copy"));
  EXPECT_FALSE(store_->scrub());
  files_->fault = rocksdb::IOStatus::OK();
  const auto recovered = store_->recover();
  ASSERT_TRUE(recovered) << recovered.error();
  EXPECT_EQ(store_->tip()->height, 2u);
  EXPECT_EQ(**store_->get("height"), "2");
  tree_ = *TileWriter::read(*store_, store_->tip()->tree_size);
  ASSERT_TRUE(write(block));
  ASSERT_TRUE(store_->sync());
  EXPECT_EQ(store_->tip()->height, 3u);
}

TEST_F(LedgerStoreTest, DamageIsNamedWhenItIsOpened) {
  add_blocks(3, 10);
  ASSERT_TRUE(store_->scrub());
  store_.reset();
  const auto reopen_error = [&] {
    const auto opened = LedgerStore::open(options(path()));
    EXPECT_TRUE(opened || opened.error().damaged);
    return opened ? "" : opened.error().text;
  };
  ASSERT_EQ(reopen_error(), "");
  // Every table file in turn loses its end.
  unsigned tables = 0;
  for (const auto& entry : std::filesystem::directory_iterator(path())) {
    if (entry.path().extension() != ".sst") continue;
    ++tables;
    const auto size = std::filesystem::file_size(entry.path());
    const auto kept = folder_ / "kept";
    std::filesystem::copy_file(entry.path(), kept, std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(entry.path(), size / 2);
    const std::string error = reopen_error();
    EXPECT_NE(error.find("cannot be opened"), std::string::npos) << error;
    EXPECT_NE(error.find(entry.path().filename().string()), std::string::npos) << error;
    EXPECT_NE(error.find("the file is damaged"), std::string::npos) << error;
    std::filesystem::copy_file(kept, entry.path(), std::filesystem::copy_options::overwrite_existing);
  }
  EXPECT_GE(tables, 4u);
  EXPECT_EQ(reopen_error(), "");
}

TEST_F(LedgerStoreTest, AnotherFormatIsRefused) {
  rocksdb::WriteBatch batch;
  store_->db().put(batch, Family::kMeta, "format", "2");
  ASSERT_TRUE(store_->db().write(batch));
  store_.reset();
  const auto refused = LedgerStore::open(options(path()));
  ASSERT_FALSE(refused);
  EXPECT_FALSE(refused.error().damaged);
  EXPECT_EQ(refused.error().text,
            "the ledger's store " + path() +
                " has format 2, this version reads format 1; start the version that wrote it");
}

TEST_F(LedgerStoreTest, AStoreThatIsNotThereIsNotMade) {
  EXPECT_FALSE(LedgerStore::open(options(folder_ / "none", false)));
}

TEST(EndOfPrefix, IsTheFirstKeyBehind) {
  EXPECT_EQ(end_of_prefix("ab"), "ac");
  EXPECT_EQ(end_of_prefix("a\xff\xff"), "b");
  EXPECT_EQ(end_of_prefix("\xff"), "");
  EXPECT_EQ(end_of_prefix(""), "");
}

}  // namespace
}  // namespace swarmdns::controlplane
