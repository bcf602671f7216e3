#include "controlplane/ledger/store_db.h"

#include <rocksdb/convenience.h>
#include <rocksdb/env.h>
#include <rocksdb/listener.h>
#include <rocksdb/sst_file_reader.h>
#include <rocksdb/utilities/checkpoint.h>

#include <algorithm>
#include <mutex>
#include <vector>

namespace swarmdns::controlplane {
namespace {

// In the order of Family; the first is RocksDB's own.
constexpr const char* kNames[kFamilies] = {"default", "blocks", "bodies", "tiles", "state", "checkpoints"};
// Stores of before segments had a database of their own have these two, empty: they are opened and dropped.
constexpr const char* kFormerNames[] = {"segments", "mutations"};

// What must fit on a disk that was full before it is written again: more than the memory tables hold.
constexpr std::size_t kRoom = 16u << 20;

rocksdb::Slice slice(std::string_view octets) {
  return {octets.data(), octets.size()};
}
std::string_view view(const rocksdb::Slice& octets) {
  return {octets.data(), octets.size()};
}

// RocksDB would try every few seconds, on a thread of its own, whether a full disk has room again, and answer
// "busy" meanwhile. Here the next write tries.
class NoRetries final : public rocksdb::EventListener {
 public:
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason /*reason*/, rocksdb::Status /*error*/,
                            bool* auto_recovery) override {
    *auto_recovery = false;
  }
};

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
  chosen.listeners.push_back(std::make_shared<NoRetries>());
  return chosen;
}

// With all that is in it. What cannot be removed stays.
void remove_folder(rocksdb::Env& env, const std::string& folder) {
  std::vector<std::string> names;
  if (!env.GetChildren(folder, &names).ok()) return;
  for (const std::string& name : names) {
    if (name == "." || name == "..") continue;
    const std::string path = folder + "/" + name;
    bool is_folder = false;
    if (env.IsDirectory(path, &is_folder).ok() && is_folder) {
      remove_folder(env, path);
    } else {
      static_cast<void>(env.DeleteFile(path));
    }
  }
  static_cast<void>(env.DeleteDir(folder));
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
  if (status.IsNoSpace()) text += "; its disk is full: make room, it goes on by itself";
  if (status.IsCorruption()) {
    text += "; the file is damaged";
    note_damage(text);
  }
  return text;
}

std::expected<std::unique_ptr<StoreDb>, StoreFault> StoreDb::open(StoreOptions options) {
  std::unique_ptr<StoreDb> store(new StoreDb(std::move(options)));
  if (const auto opened = store->open_files(); !opened)
    return std::unexpected(StoreFault{opened.error(), !store->damage().empty()});
  return store;
}

rocksdb::Env& StoreDb::env() const {
  return *(options_.env != nullptr ? options_.env : rocksdb::Env::Default());
}

std::string StoreDb::damage() const {
  const std::scoped_lock lock(damage_mutex_);
  return damage_;
}

void StoreDb::note_damage(const std::string& what) const {
  const std::scoped_lock lock(damage_mutex_);
  if (damage_.empty()) damage_ = what;
}

StoreResult StoreDb::open_files() {
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (const char* name : kNames) families.emplace_back(name, family_options());
  std::vector<std::string> there;
  // Of a store that is not there yet there is no list.
  static_cast<void>(rocksdb::DB::ListColumnFamilies(database_options(options_), options_.path, &there));
  for (const char* former : kFormerNames) {
    if (std::ranges::find(there, former) != there.end()) families.emplace_back(former, family_options());
  }
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status =
      rocksdb::DB::Open(database_options(options_), options_.path, families, &handles, &db);
  if (!status.ok()) {
    failure_ = sentence("cannot be opened", status);
    // A name in one of them may be what was altered.
    if (status.IsPathNotFound()) note_damage(failure_);
    return std::unexpected(failure_);
  }
  db_.reset(db);
  std::copy_n(handles.begin(), kFamilies, handles_.begin());
  failure_.clear();
  for (std::size_t i = kFamilies; i < handles.size(); ++i) {
    const rocksdb::Status dropped = db_->DropColumnFamily(handles[i]);
    static_cast<void>(db_->DestroyColumnFamilyHandle(handles[i]));
    if (!dropped.ok())
      return std::unexpected(sentence("cannot be freed of what it no longer keeps", dropped));
  }
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
  if (!db_) return std::unexpected(failure_);
  std::string value;
  const rocksdb::Status status = db_->Get(rocksdb::ReadOptions(), handle(family), slice(key), &value);
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) return std::unexpected(sentence("cannot be read", status));
  return value;
}

StoreResult StoreDb::scan(Family family, std::string_view from, std::string_view end,
                          const Visit& visit) const {
  if (!db_) return std::unexpected(failure_);
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
  if (!db_) return std::unexpected(failure_);
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

bool StoreDb::has_room() const {
  const std::string name = options_.path + "/room";
  const bool room = rocksdb::WriteStringToFile(db_->GetEnv(), std::string(kRoom, '\0'), name, true).ok();
  static_cast<void>(db_->GetEnv()->DeleteFile(name));
  return room;
}

StoreResult StoreDb::write(rocksdb::WriteBatch& batch) {
  if (!db_) return std::unexpected(failure_);
  // Resume() would say that all is well, and the next write end the process by RocksDB's assertions.
  if (!failure_.empty()) return std::unexpected(failure_);
  const rocksdb::Status status = db_->Write(rocksdb::WriteOptions(), &batch);
  if (!status.ok()) {
    failure_ = sentence("cannot be written", status);
    return std::unexpected(failure_);
  }
  return {};
}

StoreResult StoreDb::sync() {
  // Debian's RocksDB has its assertions: syncing a log that could not be written would end the process.
  if (!failure_.empty()) return std::unexpected(failure_);
  const rocksdb::Status status = db_->SyncWAL();
  if (!status.ok()) {
    failure_ = sentence("cannot be synced", status);
    return std::unexpected(failure_);
  }
  return {};
}

StoreResult StoreDb::recover() {
  const std::unique_lock lock(files_);
  // As long as its disk cannot be written it is better read than closed.
  if (db_ && !failure_.empty() && !has_room()) return std::unexpected(failure_);
  close();
  return open_files();
}

StoreResult StoreDb::adopt(const std::string& folder, const std::string& keep_as) {
  const std::unique_lock lock(files_);
  rocksdb::Env& env = this->env();
  const std::string aside = keep_as.empty() ? options_.path + ".old" : keep_as;
  const std::string damage_before = damage();
  remove_folder(env, aside);
  close();
  rocksdb::Status moved = env.RenameFile(options_.path, aside);
  if (moved.ok()) moved = env.RenameFile(folder, options_.path);
  std::unique_ptr<rocksdb::Directory> above;
  if (env.NewDirectory(options_.path.substr(0, options_.path.rfind('/')), &above).ok())
    static_cast<void>(above->Fsync());
  auto opened = moved.ok() ? open_files()
                           : StoreResult(std::unexpected("cannot put " + folder + " in place of " +
                                                         options_.path + ": " + moved.ToString()));
  {
    const std::scoped_lock damage_lock(damage_mutex_);
    damage_ = opened ? "" : damage_before;
  }
  if (opened) {
    if (keep_as.empty()) remove_folder(env, aside);
    return {};
  }
  close();
  if (env.FileExists(aside).ok()) {
    remove_folder(env, options_.path);
    static_cast<void>(env.RenameFile(aside, options_.path));
  }
  if (auto again = open_files(); !again) return std::unexpected(opened.error() + "; " + again.error());
  return opened;
}

StoreResult StoreDb::scrub() {
  const std::shared_lock lock(files_);
  // A row that is not yet in a file makes RocksDB begin a new WAL when all families are flushed; the old one,
  // which has what was overwritten, goes then.
  if (!db_) return std::unexpected(failure_);
  const std::vector<rocksdb::ColumnFamilyHandle*> all(handles_.begin(), handles_.end());
  rocksdb::Status status = db_->Put(rocksdb::WriteOptions(), handle(Family::kMeta), "scrub", "");
  if (status.ok()) status = db_->Flush(rocksdb::FlushOptions(), all);
  rocksdb::CompactRangeOptions compact;
  compact.exclusive_manual_compaction = false;
  compact.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
  if (status.ok()) status = db_->CompactRange(compact, handle(Family::kBodies), nullptr, nullptr);
  if (!status.ok()) return std::unexpected(sentence("cannot be compacted", status));
  return {};
}

StoreResult StoreDb::copy_to(const std::string& path) const {
  const std::shared_lock lock(files_);
  if (!db_) return std::unexpected(failure_);
  rocksdb::Checkpoint* made = nullptr;
  rocksdb::Status status = rocksdb::Checkpoint::Create(db_.get(), &made);
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
  if (status.ok()) status = checkpoint->CreateCheckpoint(path);
  if (!status.ok()) return std::unexpected(sentence(("cannot be copied to " + path).c_str(), status));
  return {};
}

StoreResult StoreDb::verify_files() const {
  std::vector<std::string> names;
  {
    const std::shared_lock lock(files_);
    if (!db_) return std::unexpected(failure_);
    std::vector<rocksdb::LiveFileMetaData> live;
    db_->GetLiveFilesMetaData(&live);
    for (const rocksdb::LiveFileMetaData& file : live) names.push_back(file.db_path + file.name);
  }
  rocksdb::Options options;
  options.env = &env();
  for (const std::string& name : names) {
    // Whoever puts another database here does not have to wait for all of them.
    const std::shared_lock lock(files_);
    if (!db_) return std::unexpected(failure_);
    if (options.env->FileExists(name).IsNotFound()) continue;  // compacted meanwhile
    rocksdb::SstFileReader reader(options);
    rocksdb::Status status = reader.Open(name);
    if (status.ok()) status = reader.VerifyChecksum(rocksdb::ReadOptions());
    if (!status.ok()) return std::unexpected(sentence(("is damaged in " + name).c_str(), status));
  }
  return {};
}

}  // namespace swarmdns::controlplane
