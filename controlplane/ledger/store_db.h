// The ledger's RocksDB: opening it, its column families and keys, its errors as sentences. For the files of
// this folder that keep something (store.cc, segment_store.cc, ...); docs/formats/ledger.md has the layout.
// Reactor thread, but for what says otherwise.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include "controlplane/ledger/octets.h"

namespace swarmdns::controlplane {

enum class Family : std::uint8_t {
  kMeta,         // "format", "applied", "tip", "pruned"
  kBlocks,       // height be64: BlockRecord
  kBodies,       // leaf be64: Leaf; empty = erased
  kTiles,        // level (one octet), index be64: hashes
  kState,        // 'k' key: value; 'b' bucket be16 key: SHA-256(value)
  kCheckpoints,  // height be64: signed note
};
inline constexpr std::size_t kFamilies = 6;

inline std::string key64(std::uint64_t number) {
  std::string key;
  append_be64(key, number);
  return key;
}

using StoreResult = std::expected<void, std::string>;

// Why a store does not open.
struct StoreFault {
  std::string text;
  bool damaged = false;  // its files are not what was written; a full disk, rights, another format are none
};

struct StoreOptions {
  std::string path;             // a folder of its own
  rocksdb::Env* env = nullptr;  // file system, clock and threads; nullptr: the machine's
  bool create = true;           // when there is none yet
};

class StoreDb {
 public:
  static std::expected<std::unique_ptr<StoreDb>, StoreFault> open(StoreOptions options);
  ~StoreDb();
  StoreDb(const StoreDb&) = delete;
  StoreDb& operator=(const StoreDb&) = delete;

  // nullopt: no such key.
  std::expected<std::optional<std::string>, std::string> get(Family family, std::string_view key) const;
  // Keys from `from` on that are below `end` ("": no end), ascending; false ends it.
  using Visit = std::function<bool(std::string_view key, std::string_view value)>;
  StoreResult scan(Family family, std::string_view from, std::string_view end, const Visit& visit) const;
  // The last one below `end`, but not below `from`.
  std::expected<std::optional<std::pair<std::string, std::string>>, std::string> last(
      Family family, std::string_view from, std::string_view end) const;

  void put(rocksdb::WriteBatch& batch, Family family, std::string_view key, std::string_view value);
  void remove(rocksdb::WriteBatch& batch, Family family, std::string_view key);
  // [from, end)
  void remove_range(rocksdb::WriteBatch& batch, Family family, std::string_view from, std::string_view end);
  // Whole or not at all. After an error nothing is written any more until recover().
  StoreResult write(rocksdb::WriteBatch& batch);
  StoreResult sync();

  // Writing has failed: only recover() helps, when there is room again.
  bool stuck() const { return !failure_.empty(); }

  // Closes and opens it again: database() and handle() are others then. Reads may see the last write,
  // although it was reported as failed.
  StoreResult recover();
  // Moves another database's folder into the place of this one's and opens it. When that fails, this one
  // stands again. What was here is kept as `keep_as`, or not at all ("").
  StoreResult adopt(const std::string& folder, const std::string& keep_as = "");
  // Bodies that were removed or overwritten are in none of the files any more, nor in the log of writes. Any
  // thread.
  StoreResult scrub();
  // A copy in a new folder, openable by itself; files are linked where the file system can. Any thread.
  StoreResult copy_to(const std::string& path) const;
  // Reads every table file as it is on the disk and compares the checksums, one file after the other. Any
  // thread.
  StoreResult verify_files() const;

  // The first thing found that is not what was written: an octet that RocksDB's checksums do not fit, and
  // what others have noted; "" = nothing. Until another database is adopted. Any thread.
  std::string damage() const;
  void note_damage(const std::string& what) const;

  const std::string& path() const { return options_.path; }
  rocksdb::Env& env() const;
  rocksdb::ColumnFamilyHandle* handle(Family family) const {
    return handles_[static_cast<std::size_t>(family)];
  }

 private:
  explicit StoreDb(StoreOptions options) : options_(std::move(options)) {}
  StoreResult open_files();
  void close();
  bool has_room() const;
  std::string sentence(const char* doing, const rocksdb::Status& status) const;

  StoreOptions options_;
  mutable std::shared_mutex files_;  // held by whoever works with the open database for long
  std::unique_ptr<rocksdb::DB> db_;
  std::array<rocksdb::ColumnFamilyHandle*, kFamilies> handles_{};
  std::string failure_;  // why nothing can be written, or what keeps it closed; "" = nothing
  mutable std::mutex damage_mutex_;
  mutable std::string damage_;  // under it
};

// The first key that does not begin with `prefix`; "" when there is none.
std::string end_of_prefix(std::string_view prefix);

}  // namespace swarmdns::controlplane
