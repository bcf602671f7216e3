#include "controlplane/ledger/store_db.h"

#include <filesystem>

#include <rocksdb/convenience.h>
#include <rocksdb/env.h>
#include <rocksdb/utilities/checkpoint.h>

#include <vector>

namespace swarmdns::controlplane {
namespace {

// In the order of Family; the first is RocksDB's own.
constexpr const char* kNames[kFamilies] = {"default",     "blocks",   "bodies",    "tiles", "state",
                                           "checkpoints", "segments", "mutations", "names"};

rocksdb::Slice slice(std::string_view octets) {
  return {octets.data(), octets.size()};
}
std::string_view view(const rocksdb::Slice& octets) {
  return {octets.data(), octets.size()};
}

rocksdb::DBOptions database_options(const StoreOptions& options) {
  rocksdb::DBOptions chosen;
  if (options.env != nullptr) chosen.env = options.env;
  chosen.create_if_missing = options.create;
  chosen.create_missing_column_families = true;
  // What the log has and the store has not is applied again: a torn or unsynced end of the WAL is no damage.
  chosen.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  chosen.max_total_wal_size = 64u << 20;
  chosen.info_log_level = rocksdb::WARN_LEVEL;
  chosen.keep_log_file_num = 2;
  return chosen;
}

rocksdb::ColumnFamilyOptions family_options() {
  rocksdb::ColumnFamilyOptions chosen;
  chosen.write_buffer_size = 16u << 20;
  return chosen;
}

}  // namespace

std::string end_of_prefix(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && static_cast<unsigned char>(end.back()) == 0xFF) end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(end.back() + 1);
  return end;
}

std::string StoreDb::sentence(const char* doing, const rocksdb::Status& status) const {
  std::string text = "the ledger's store " + options_.path + " " + doing + ": " + status.ToString();
  if (status.IsNoSpace())
    text += "; its disk is full: make room, it goes on by itself";
  else if (status.IsCorruption())
    text += "; the file is damaged: the node can fetch the store from a peer";
  return text;
}

std::expected<std::unique_ptr<StoreDb>, std::string> StoreDb::open(StoreOptions options) {
  std::unique_ptr<StoreDb> store(new StoreDb(std::move(options)));
  if (const auto opened = store->open_files(); !opened) return std::unexpected(opened.error());
  return store;
}

StoreResult StoreDb::open_files() {
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (const char* name : kNames) families.emplace_back(name, family_options());
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status =
      rocksdb::DB::Open(database_options(options_), options_.path, families, &handles, &db);
  if (!status.ok()) return std::unexpected(sentence("cannot be opened", status));
  db_.reset(db);
  std::copy(handles.begin(), handles.end(), handles_.begin());
  failed_ = false;
  return {};
}

void StoreDb::close() {
  if (!db_) return;
  for (rocksdb::ColumnFamilyHandle*& one : handles_) {
    // The handle only; the error of a handle that is in use elsewhere cannot come.
    static_cast<void>(db_->DestroyColumnFamilyHandle(one));
    one = nullptr;
  }
  static_cast<void>(db_->Close());
  db_.reset();
}

StoreDb::~StoreDb() {
  close();
}

std::expected<std::optional<std::string>, std::string> StoreDb::get(Family family,
                                                                    std::string_view key) const {
  std::string value;
  const rocksdb::Status status = db_->Get(rocksdb::ReadOptions(), handle(family), slice(key), &value);
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) return std::unexpected(sentence("cannot be read", status));
  return value;
}

StoreResult StoreDb::scan(Family family, std::string_view from, std::string_view end,
                          const Visit& visit) const {
  rocksdb::ReadOptions options;
  const rocksdb::Slice bound = slice(end);
  if (!end.empty()) options.iterate_upper_bound = &bound;
  const std::unique_ptr<rocksdb::Iterator> rows(db_->NewIterator(options, handle(family)));
  for (rows->Seek(slice(from)); rows->Valid(); rows->Next()) {
    if (!visit(view(rows->key()), view(rows->value()))) return {};
  }
  if (!rows->status().ok()) return std::unexpected(sentence("cannot be read", rows->status()));
  return {};
}

std::expected<std::optional<std::pair<std::string, std::string>>, std::string> StoreDb::last(
    Family family, std::string_view from, std::string_view end) const {
  rocksdb::ReadOptions options;
  const rocksdb::Slice bound = slice(end);
  if (!end.empty()) options.iterate_upper_bound = &bound;
  const std::unique_ptr<rocksdb::Iterator> rows(db_->NewIterator(options, handle(family)));
  rows->SeekToLast();
  if (!rows->status().ok()) return std::unexpected(sentence("cannot be read", rows->status()));
  if (!rows->Valid() || view(rows->key()) < from) return std::nullopt;
  return std::pair(rows->key().ToString(), rows->value().ToString());
}

void StoreDb::put(rocksdb::WriteBatch& batch, Family family, std::string_view key, std::string_view value) {
  static_cast<void>(batch.Put(handle(family), slice(key), slice(value)));
}

void StoreDb::remove(rocksdb::WriteBatch& batch, Family family, std::string_view key) {
  static_cast<void>(batch.Delete(handle(family), slice(key)));
}

void StoreDb::remove_range(rocksdb::WriteBatch& batch, Family family, std::string_view from,
                           std::string_view end) {
  static_cast<void>(batch.DeleteRange(handle(family), slice(from), slice(end)));
}

StoreResult StoreDb::write(rocksdb::WriteBatch& batch) {
  if (failed_) {
    const rocksdb::Status resumed = db_->Resume();
    if (!resumed.ok()) return std::unexpected(sentence("cannot be written", resumed));
    failed_ = false;
  }
  const rocksdb::Status status = db_->Write(rocksdb::WriteOptions(), &batch);
  if (!status.ok()) {
    failed_ = true;
    return std::unexpected(sentence("cannot be written", status));
  }
  return {};
}

StoreResult StoreDb::sync() {
  const rocksdb::Status status = db_->SyncWAL();
  if (!status.ok()) {
    failed_ = true;
    return std::unexpected(sentence("cannot be synced", status));
  }
  return {};
}

StoreResult StoreDb::recover() {
  close();
  return open_files();
}

StoreResult StoreDb::adopt(const std::string& folder) {
  namespace fs = std::filesystem;
  const std::string aside = options_.path + ".old";
  std::error_code error;
  fs::remove_all(aside, error);
  close();
  fs::rename(options_.path, aside, error);
  if (!error) fs::rename(folder, options_.path, error);
  auto opened = error ? StoreResult(std::unexpected("cannot put " + folder + " in place of " + options_.path +
                                                    ": " + error.message()))
                      : open_files();
  if (opened) {
    fs::remove_all(aside, error);
    return {};
  }
  close();
  if (fs::exists(aside, error)) {
    fs::remove_all(options_.path, error);
    fs::rename(aside, options_.path, error);
  }
  if (auto again = open_files(); !again) return std::unexpected(opened.error() + "; " + again.error());
  return opened;
}

StoreResult StoreDb::scrub() {
  // A row that is not yet in a file makes RocksDB begin a new WAL when all families are flushed; the old one,
  // which has what was overwritten, goes then.
  rocksdb::WriteBatch batch;
  put(batch, Family::kMeta, "scrub", "");
  if (const auto written = write(batch); !written) return written;
  const std::vector<rocksdb::ColumnFamilyHandle*> all(handles_.begin(), handles_.end());
  rocksdb::FlushOptions flush;
  rocksdb::Status status = db_->Flush(flush, all);
  rocksdb::CompactRangeOptions compact;
  compact.exclusive_manual_compaction = false;
  compact.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
  for (const Family family : {Family::kBodies, Family::kMutations, Family::kSegments, Family::kNames}) {
    if (status.ok()) status = db_->CompactRange(compact, handle(family), nullptr, nullptr);
  }
  if (!status.ok()) return std::unexpected(sentence("cannot be compacted", status));
  return {};
}

StoreResult StoreDb::copy_to(const std::string& path) const {
  rocksdb::Checkpoint* made = nullptr;
  rocksdb::Status status = rocksdb::Checkpoint::Create(db_.get(), &made);
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
  if (status.ok()) status = checkpoint->CreateCheckpoint(path);
  if (!status.ok()) return std::unexpected(sentence(("cannot be copied to " + path).c_str(), status));
  return {};
}

StoreResult StoreDb::verify_files() const {
  const rocksdb::Status status = db_->VerifyChecksum();
  if (!status.ok()) return std::unexpected(sentence("is damaged", status));
  return {};
}

}  // namespace swarmdns::controlplane
