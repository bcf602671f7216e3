// A store in a folder of its own, with a ledger of as many blocks as a test wants, and a file system that
// fails when it is told to.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include "controlplane/ledger/state_tree.h"
#include "controlplane/ledger/store.h"
#include "tests/unit/controlplane/ledger/samples.h"

namespace swarmdns::controlplane {

class FailingFile : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  FailingFile(std::unique_ptr<rocksdb::FSWritableFile>&& file, const rocksdb::IOStatus& fault)
      : FSWritableFileOwnerWrapper(std::move(file)), fault_(fault) {}
  using FSWritableFileOwnerWrapper::Append;
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* context) override {
    return fault_.ok() ? FSWritableFileOwnerWrapper::Append(data, options, context) : fault_;
  }
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           const rocksdb::DataVerificationInfo& info,
                           rocksdb::IODebugContext* context) override {
    return fault_.ok() ? FSWritableFileOwnerWrapper::Append(data, options, info, context) : fault_;
  }
  rocksdb::IOStatus Sync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* context) override {
    return fault_.ok() ? FSWritableFileOwnerWrapper::Sync(options, context) : fault_;
  }

 private:
  const rocksdb::IOStatus& fault_;
};

class FailingFileSystem : public rocksdb::FileSystemWrapper {
 public:
  FailingFileSystem() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "failing"; }
  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* context) override {
    if (!fault.ok()) return fault;
    std::unique_ptr<rocksdb::FSWritableFile> below;
    auto status = FileSystemWrapper::NewWritableFile(name, options, &below, context);
    if (status.ok()) *file = std::make_unique<FailingFile>(std::move(below), fault);
    return status;
  }

  rocksdb::IOStatus fault = rocksdb::IOStatus::OK();  // of every write, from now on
};

class StoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "swarmdns-store-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    open();
  }
  void TearDown() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  std::string path() const { return folder_ / "ledger"; }
  static StoreOptions options(std::string path, bool create = true, rocksdb::Env* env = nullptr) {
    return {.path = std::move(path), .env = env, .create = create};
  }
  void open() {
    store_.reset();
    auto opened = LedgerStore::open(options(path(), true, env_.get()));
    ASSERT_TRUE(opened) << opened.error().text;
    store_ = std::move(*opened);
    tree_ = *TileWriter::read(*store_, store_->tip() ? store_->tip()->tree_size : 0);
    state_ = *StateTree::read(*store_);
  }

  static std::string body(std::uint64_t leaf) { return samples::transaction(leaf); }

  // What apply would write for the next block, with transactions of its own or these.
  BlockWrite next_block(unsigned leaves, std::vector<std::string> bodies = {}) {
    BlockWrite block;
    const auto tip = store_->tip();
    BlockHeader header{.swarm = samples::kSwarm, .incarnation = 1};
    header.height = tip ? tip->height + 1 : 1;
    if (tip) header.previous = block_hash(*tip);
    header.time_ms = 1'700'000'000'000 + header.height * 100;
    header.first_leaf = tree_.size();
    header.leaf_count = leaves;
    TileWriter tree = tree_;
    for (unsigned i = 0; i < leaves; ++i) {
      v1::Leaf leaf;
      leaf.set_salt(as_string(samples::salt(header.first_leaf + i)));
      leaf.set_transaction(i < bodies.size() ? bodies[i] : body(header.first_leaf + i));
      const Hash commitment =
          leaf_commitment(samples::salt(header.first_leaf + i), as_octets(leaf.transaction()));
      block.record.add_commitments(as_string(commitment));
      tree.append(merkle_leaf_hash(commitment));
      block.leaves.push_back(leaf);
    }
    block.state["height"] = std::to_string(header.height);
    block.state["block/" + std::to_string(header.height)] = "made";
    if (header.height > 3) block.state["block/" + std::to_string(header.height - 3)] = std::nullopt;
    header.tree_size = tree.size();
    header.tree_root = tree.root();
    header.state_root = root_with(block.state);
    block.log_index = store_->applied_index() + 2;
    block.header = header;
    block.record.set_header(encode_block_header(header));
    block.record.set_log_index(block.log_index);
    block.tiles = tree.take_changed();
    return block;
  }
  StoreResult write(const BlockWrite& block) {
    auto written = store_->write(block);
    if (!written) return written;
    tree_ = *TileWriter::read(*store_, block.header->tree_size);
    state_ = *StateTree::read(*store_);
    return {};
  }
  void add_blocks(unsigned count, unsigned leaves) {
    for (unsigned i = 0; i < count; ++i) {
      const auto written = write(next_block(leaves));
      ASSERT_TRUE(written) << written.error();
    }
  }
  CheckpointNote cosigned_tip() {
    const Checkpoint checkpoint = checkpoint_of(*store_->tip());
    CheckpointNote made{checkpoint, {format_checkpoint(checkpoint), {}}};
    for (const unsigned voter : {1u, 2u})
      made.note.signatures.push_back(
          cosign(made.note.text, "n" + std::to_string(voter), samples::keys(voter), 1'700'000'000));
    return made;
  }
  void keep_checkpoint() {
    const auto kept = store_->put_checkpoint(store_->tip()->height, format_note(cosigned_tip().note));
    ASSERT_TRUE(kept) << kept.error();
  }

  // Files of the store that have these octets.
  unsigned files_with(const std::string& octets) const {
    unsigned found = 0;
    for (const auto& entry : std::filesystem::directory_iterator(path())) {
      if (!entry.is_regular_file()) continue;
      std::ifstream in(entry.path(), std::ios::binary);
      const std::string content{std::istreambuf_iterator<char>(in), {}};
      if (content.find(octets) != std::string::npos) ++found;
    }
    return found;
  }
  // No compression finds anything in it.
  static std::string marker(unsigned seed) {
    std::mt19937 random(seed);
    std::string text(40, ' ');
    for (char& c : text) c = static_cast<char>('A' + random() % 26);
    return text;
  }

  std::filesystem::path folder_;
  std::shared_ptr<FailingFileSystem> files_ = std::make_shared<FailingFileSystem>();
  std::unique_ptr<rocksdb::Env> env_ = rocksdb::NewCompositeEnv(files_);
  std::unique_ptr<LedgerStore> store_;
  TileWriter tree_;
  StateTree state_;

 private:
  // The state as it will be.
  struct Overlay : StateReader {
    Overlay(const LedgerStore& under, const StateView::Changes& over) : below(under), changes(over) {}
    StoreResult scan_bucket(std::uint16_t bucket, const Row& row) const override {
      std::map<std::string, Hash> rows;
      const auto scanned = below.scan_bucket(bucket, [&](Bytes key, const Hash& hash) {
        rows[as_string(key)] = hash;
        return true;
      });
      if (!scanned) return scanned;
      for (const auto& [key, value] : changes) {
        if (state_bucket(as_octets(key)) != bucket) continue;
        if (value)
          rows[key] = sha256({as_octets(*value)});
        else
          rows.erase(key);
      }
      for (const auto& [key, hash] : rows) row(as_octets(key), hash);
      return {};
    }
    const LedgerStore& below;
    const StateView::Changes& changes;
  };
  Hash root_with(const StateView::Changes& changes) {
    std::set<std::uint16_t> touched;
    for (const auto& [key, value] : changes) touched.insert(state_bucket(as_octets(key)));
    return state_.prepare(Overlay(*store_, changes), touched)->root;
  }
};

}  // namespace swarmdns::controlplane
