// A node's file system for RocksDB, in memory, that fails on purpose: a full disk, writes that fail, and a
// loss of power that takes what was not synced. Names (made, renamed, deleted) are durable at once, as on a
// file system with a journal; what was appended is so only once it was synced.
//
// RocksDB's own threads work on it, too: whoever goes on to another event calls quiesce() before, so that a
// fault never comes while they are at work, and the same seed goes the same way.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include <rocksdb/env.h>

#include "tests/sim/sim_reactor.h"

namespace swarmdns::sim {

class SimFiles final : public rocksdb::EnvWrapper {
 public:
  SimFiles();
  ~SimFiles() override;

  const char* Name() const override { return "SimFiles"; }

  // --- Faults; world thread, between events ---
  // Of the ledger's folder; RocksDB gets over these by itself where it may, but by the machine's clock.
  void set_full(bool full);        // appends and new files: no space
  void set_failing(bool failing);  // appends and syncs: an I/O error
  bool full() const { return full_; }
  bool failing() const { return failing_; }
  // Planted: syncs of the files of a folder say that they are done and are not.
  void lie_below(std::string folder) { lies_below_ = std::move(folder); }

  // What a loss of power leaves, as of this moment: of each log of writes some of what was not synced, of
  // other files nothing of it. To be restored when nobody has a file open any more.
  struct Remains;
  std::shared_ptr<const Remains> remains(SimWorld& world);
  void restore(const Remains& remains);

  // One octet of a file of that folder, drawn from the world's numbers, is another one from now on; of those
  // that the database reads. Nobody has a file open. False: there is none.
  bool alter(SimWorld& world, const std::string& folder);

  // Until RocksDB's threads have nothing to do.
  void quiesce();

  // A folder of this file system as a folder of another one; what is there goes.
  void copy_folder(const std::string& from, SimFiles& to_files, const std::string& to);
  void remove_folder(const std::string& name);

  // --- rocksdb::Env ---
  rocksdb::Status NewSequentialFile(const std::string& name, std::unique_ptr<rocksdb::SequentialFile>* file,
                                    const rocksdb::EnvOptions& options) override;
  rocksdb::Status NewRandomAccessFile(const std::string& name,
                                      std::unique_ptr<rocksdb::RandomAccessFile>* file,
                                      const rocksdb::EnvOptions& options) override;
  rocksdb::Status NewWritableFile(const std::string& name, std::unique_ptr<rocksdb::WritableFile>* file,
                                  const rocksdb::EnvOptions& options) override;
  rocksdb::Status ReopenWritableFile(const std::string& name, std::unique_ptr<rocksdb::WritableFile>* file,
                                     const rocksdb::EnvOptions& options) override;
  rocksdb::Status ReuseWritableFile(const std::string& name, const std::string& old_name,
                                    std::unique_ptr<rocksdb::WritableFile>* file,
                                    const rocksdb::EnvOptions& options) override;
  rocksdb::Status NewRandomRWFile(const std::string& name, std::unique_ptr<rocksdb::RandomRWFile>* file,
                                  const rocksdb::EnvOptions& options) override;
  rocksdb::Status NewDirectory(const std::string& name, std::unique_ptr<rocksdb::Directory>* folder) override;
  rocksdb::Status FileExists(const std::string& name) override;
  rocksdb::Status GetChildren(const std::string& folder, std::vector<std::string>* names) override;
  rocksdb::Status GetChildrenFileAttributes(const std::string& folder,
                                            std::vector<FileAttributes>* found) override;
  rocksdb::Status DeleteFile(const std::string& name) override;
  rocksdb::Status Truncate(const std::string& name, std::size_t size) override;
  rocksdb::Status CreateDir(const std::string& name) override;
  rocksdb::Status CreateDirIfMissing(const std::string& name) override;
  rocksdb::Status DeleteDir(const std::string& name) override;
  rocksdb::Status GetFileSize(const std::string& name, std::uint64_t* size) override;
  rocksdb::Status GetFileModificationTime(const std::string& name, std::uint64_t* time) override;
  rocksdb::Status RenameFile(const std::string& from, const std::string& to) override;
  rocksdb::Status LinkFile(const std::string& from, const std::string& to) override;
  rocksdb::Status NumFileLinks(const std::string& name, std::uint64_t* count) override;
  rocksdb::Status AreFilesSame(const std::string& a, const std::string& b, bool* same) override;
  rocksdb::Status IsDirectory(const std::string& name, bool* is) override;
  rocksdb::Status GetFreeSpace(const std::string& name, std::uint64_t* free) override;
  rocksdb::Status LockFile(const std::string& name, rocksdb::FileLock** lock) override;
  rocksdb::Status UnlockFile(rocksdb::FileLock* lock) override;
  rocksdb::Status NewLogger(const std::string& name, std::shared_ptr<rocksdb::Logger>* logger) override;
  rocksdb::Status GetAbsolutePath(const std::string& name, std::string* absolute) override;
  void Schedule(void (*work)(void*), void* argument, Priority priority, void* tag,
                void (*unscheduled)(void*)) override;

 private:
  struct File {
    std::string data;
    std::size_t synced = 0;
    bool lies = false;  // synced, it says
    bool safe = false;  // from faults of the disk
  };
  class Reader;
  class Writer;
  class Folder;
  struct Job;
  using Tree = std::map<std::string, std::shared_ptr<File>>;

  std::shared_ptr<File> find(const std::string& name) const;
  bool is_folder(const std::string& name) const;
  bool is_safe(const std::string& name) const;
  rocksdb::Status new_file(const std::string& name, std::unique_ptr<rocksdb::WritableFile>* file);
  void ended();

  mutable std::mutex mutex_;  // over all below
  Tree files_;
  std::set<std::string> folders_;
  bool full_ = false;
  bool failing_ = false;
  std::string lies_below_;
  std::size_t jobs_ = 0;  // given to RocksDB's threads
  std::condition_variable idle_;
};

struct SimFiles::Remains {
  Tree files;
  std::set<std::string> folders;
};

}  // namespace swarmdns::sim
