#include "tests/sim/sim_files.h"

#include <algorithm>
#include <cstring>

namespace swarmdns::sim {

using rocksdb::Slice;
using rocksdb::Status;

namespace {

bool is_below(const std::string& name, const std::string& folder) {
  return name.size() > folder.size() && name.starts_with(folder) && name[folder.size()] == '/';
}

std::string plain(std::string name) {
  for (std::size_t at; (at = name.find("//")) != std::string::npos;) name.erase(at, 1);
  while (name.size() > 1 && name.back() == '/') name.pop_back();
  return name;
}

class NoLogger final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

class Lock final : public rocksdb::FileLock {};

}  // namespace

// Sequential and random: what is there when it is asked for.
class SimFiles::Reader final : public rocksdb::SequentialFile, public rocksdb::RandomAccessFile {
 public:
  Reader(SimFiles& files, std::shared_ptr<File> file) : files_(files), file_(std::move(file)) {}

  Status Read(std::size_t count, Slice* result, char* scratch) override {
    const Status status = Read(at_, count, result, scratch);
    at_ += result->size();
    return status;
  }
  Status Skip(std::uint64_t count) override {
    at_ += count;
    return Status::OK();
  }
  Status Read(std::uint64_t offset, std::size_t count, Slice* result, char* scratch) const override {
    const std::lock_guard lock(files_.mutex_);
    const std::size_t size = file_->data.size();
    const std::size_t from = std::min<std::size_t>(offset, size);
    const std::size_t given = std::min(count, size - from);
    std::memcpy(scratch, file_->data.data() + from, given);
    *result = Slice(scratch, given);
    return Status::OK();
  }
  bool use_direct_io() const override { return false; }
  std::size_t GetRequiredBufferAlignment() const override { return 1; }
  Status InvalidateCache(std::size_t, std::size_t) override { return Status::OK(); }

 private:
  SimFiles& files_;
  const std::shared_ptr<File> file_;
  std::size_t at_ = 0;
};

class SimFiles::Writer final : public rocksdb::WritableFile {
 public:
  Writer(SimFiles& files, std::shared_ptr<File> file) : files_(files), file_(std::move(file)) {}

  using rocksdb::WritableFile::Append;
  Status Append(const Slice& data) override {
    const std::lock_guard lock(files_.mutex_);
    if (files_.failing_ && !file_->safe) return Status::IOError("the simulated disk fails");
    if (files_.full_ && !file_->safe) return Status::NoSpace("the simulated disk is full");
    file_->data.append(data.data(), data.size());
    return Status::OK();
  }
  Status Truncate(std::uint64_t size) override {
    const std::lock_guard lock(files_.mutex_);
    file_->data.resize(size);
    file_->synced = std::min(file_->synced, file_->data.size());
    return Status::OK();
  }
  Status Close() override { return Status::OK(); }
  Status Flush() override { return Status::OK(); }
  Status Sync() override {
    const std::lock_guard lock(files_.mutex_);
    if (files_.failing_ && !file_->safe) return Status::IOError("the simulated disk fails");
    if (!file_->lies) file_->synced = file_->data.size();
    return Status::OK();
  }
  bool IsSyncThreadSafe() const override { return true; }
  std::uint64_t GetFileSize() override {
    const std::lock_guard lock(files_.mutex_);
    return file_->data.size();
  }

 private:
  SimFiles& files_;
  const std::shared_ptr<File> file_;
};

class SimFiles::Folder final : public rocksdb::Directory {
 public:
  Status Fsync() override { return Status::OK(); }
};

struct SimFiles::Job {
  SimFiles& files;
  void (*work)(void*);
  void (*unscheduled)(void*);
  void* argument;
};

SimFiles::SimFiles() : rocksdb::EnvWrapper(rocksdb::Env::Default()) {}

SimFiles::~SimFiles() {
  quiesce();
}

void SimFiles::set_full(bool full) {
  const std::lock_guard lock(mutex_);
  full_ = full;
}

void SimFiles::set_failing(bool failing) {
  const std::lock_guard lock(mutex_);
  failing_ = failing;
}

std::shared_ptr<const SimFiles::Remains> SimFiles::remains(SimWorld& world) {
  const std::lock_guard lock(mutex_);
  auto left = std::make_shared<Remains>();
  left->folders = folders_;
  std::map<const File*, std::shared_ptr<File>> copies;  // linked files stay one
  for (const auto& [name, file] : files_) {
    std::shared_ptr<File>& copy = copies[file.get()];
    if (!copy) {
      copy = std::make_shared<File>(*file);
      std::size_t size = copy->synced;
      if (name.ends_with(".log") && size < copy->data.size())
        size += world.between(0, copy->data.size() - size);
      copy->data.resize(size);
      copy->synced = size;
    }
    left->files[name] = copy;
  }
  return left;
}

void SimFiles::restore(const Remains& remains) {
  const std::lock_guard lock(mutex_);
  files_ = remains.files;
  folders_ = remains.folders;
}

bool SimFiles::alter(SimWorld& world, const std::string& folder) {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<File>> candidates;
  for (const auto& [name, file] : files_) {
    const bool read = name.ends_with(".sst") || name.ends_with(".log") || name.ends_with("/CURRENT") ||
                      name.find("/MANIFEST-") != std::string::npos;
    if (is_below(name, folder) && read && !file->data.empty()) candidates.push_back(file);
  }
  if (candidates.empty()) return false;
  std::string& data = candidates[world.between(0, candidates.size() - 1)]->data;
  char& octet = data[world.between(0, data.size() - 1)];
  octet = static_cast<char>(octet ^ 1 << world.between(0, 7));
  return true;
}

void SimFiles::quiesce() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return jobs_ == 0; });
}

void SimFiles::copy_folder(const std::string& from, SimFiles& to_files, const std::string& to) {
  Tree copied;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, file] : files_) {
      if (is_below(name, from)) copied[to + name.substr(from.size())] = std::make_shared<File>(*file);
    }
  }
  to_files.remove_folder(to);
  const std::lock_guard lock(to_files.mutex_);
  to_files.folders_.insert(to);
  for (auto& [name, file] : copied) {
    file->synced = file->data.size();
    to_files.files_[name] = std::move(file);
  }
}

void SimFiles::remove_folder(const std::string& name) {
  const std::lock_guard lock(mutex_);
  std::erase_if(files_, [&](const auto& item) { return is_below(item.first, name); });
  std::erase_if(folders_, [&](const auto& item) { return item == name || is_below(item, name); });
}

std::shared_ptr<SimFiles::File> SimFiles::find(const std::string& name) const {
  const auto at = files_.find(plain(name));
  return at == files_.end() ? nullptr : at->second;
}

bool SimFiles::is_folder(const std::string& name) const {
  return folders_.contains(plain(name));
}

bool SimFiles::is_safe(const std::string& name) const {
  return is_below(name, "/segments");
}

Status SimFiles::NewSequentialFile(const std::string& name, std::unique_ptr<rocksdb::SequentialFile>* file,
                                   const rocksdb::EnvOptions&) {
  const std::lock_guard lock(mutex_);
  auto found = find(name);
  if (!found) return Status::PathNotFound(name);
  *file = std::make_unique<Reader>(*this, std::move(found));
  return Status::OK();
}

Status SimFiles::NewRandomAccessFile(const std::string& name,
                                     std::unique_ptr<rocksdb::RandomAccessFile>* file,
                                     const rocksdb::EnvOptions&) {
  const std::lock_guard lock(mutex_);
  auto found = find(name);
  if (!found) return Status::PathNotFound(name);
  *file = std::make_unique<Reader>(*this, std::move(found));
  return Status::OK();
}

Status SimFiles::new_file(const std::string& name, std::unique_ptr<rocksdb::WritableFile>* file) {
  const std::lock_guard lock(mutex_);
  const bool safe = is_safe(plain(name));
  if (failing_ && !safe) return Status::IOError("the simulated disk fails");
  if (full_ && !safe) return Status::NoSpace("the simulated disk is full");
  auto made = std::make_shared<File>();
  made->safe = safe;
  made->lies = !lies_below_.empty() && is_below(plain(name), lies_below_);
  files_[plain(name)] = made;
  *file = std::make_unique<Writer>(*this, std::move(made));
  return Status::OK();
}

Status SimFiles::NewWritableFile(const std::string& name, std::unique_ptr<rocksdb::WritableFile>* file,
                                 const rocksdb::EnvOptions&) {
  return new_file(name, file);
}

Status SimFiles::ReopenWritableFile(const std::string& name, std::unique_ptr<rocksdb::WritableFile>* file,
                                    const rocksdb::EnvOptions&) {
  {
    const std::lock_guard lock(mutex_);
    if (auto found = find(name)) {
      *file = std::make_unique<Writer>(*this, std::move(found));
      return Status::OK();
    }
  }
  return new_file(name, file);
}

Status SimFiles::ReuseWritableFile(const std::string& name, const std::string& old_name,
                                   std::unique_ptr<rocksdb::WritableFile>* file, const rocksdb::EnvOptions&) {
  if (Status status = DeleteFile(old_name); !status.ok()) return status;
  return new_file(name, file);
}

Status SimFiles::NewRandomRWFile(const std::string&, std::unique_ptr<rocksdb::RandomRWFile>*,
                                 const rocksdb::EnvOptions&) {
  return Status::NotSupported("files that are written in the middle");
}

Status SimFiles::NewDirectory(const std::string& name, std::unique_ptr<rocksdb::Directory>* folder) {
  const std::lock_guard lock(mutex_);
  if (!is_folder(name)) return Status::PathNotFound(name);
  *folder = std::make_unique<Folder>();
  return Status::OK();
}

Status SimFiles::FileExists(const std::string& name) {
  const std::lock_guard lock(mutex_);
  return find(name) || is_folder(name) ? Status::OK() : Status::NotFound(name);
}

Status SimFiles::GetChildren(const std::string& folder, std::vector<std::string>* names) {
  const std::lock_guard lock(mutex_);
  const std::string above = plain(folder);
  if (!is_folder(above)) return Status::PathNotFound(folder);
  std::set<std::string> found;
  const auto add = [&](const std::string& name) {
    if (is_below(name, above)) {
      const std::string rest = name.substr(above.size() + 1);
      found.insert(rest.substr(0, rest.find('/')));
    }
  };
  for (const auto& [name, file] : files_) add(name);
  for (const std::string& name : folders_) add(name);
  names->assign(found.begin(), found.end());
  return Status::OK();
}

Status SimFiles::GetChildrenFileAttributes(const std::string& folder, std::vector<FileAttributes>* found) {
  std::vector<std::string> names;
  if (Status status = GetChildren(folder, &names); !status.ok()) return status;
  found->clear();
  for (const std::string& name : names) {
    std::uint64_t size = 0;
    if (GetFileSize(folder + "/" + name, &size).ok()) found->push_back({name, size});
  }
  return Status::OK();
}

Status SimFiles::DeleteFile(const std::string& name) {
  const std::lock_guard lock(mutex_);
  return files_.erase(plain(name)) == 1 ? Status::OK() : Status::PathNotFound(name);
}

Status SimFiles::Truncate(const std::string& name, std::size_t size) {
  const std::lock_guard lock(mutex_);
  const auto file = find(name);
  if (!file) return Status::PathNotFound(name);
  file->data.resize(size);
  file->synced = std::min(file->synced, size);
  return Status::OK();
}

Status SimFiles::CreateDir(const std::string& name) {
  const std::lock_guard lock(mutex_);
  return folders_.insert(plain(name)).second ? Status::OK() : Status::IOError(name, "it is there already");
}

Status SimFiles::CreateDirIfMissing(const std::string& name) {
  const std::lock_guard lock(mutex_);
  folders_.insert(plain(name));
  return Status::OK();
}

Status SimFiles::DeleteDir(const std::string& name) {
  const std::lock_guard lock(mutex_);
  return folders_.erase(plain(name)) == 1 ? Status::OK() : Status::PathNotFound(name);
}

Status SimFiles::GetFileSize(const std::string& name, std::uint64_t* size) {
  const std::lock_guard lock(mutex_);
  const auto file = find(name);
  if (!file) return Status::PathNotFound(name);
  *size = file->data.size();
  return Status::OK();
}

Status SimFiles::GetFileModificationTime(const std::string&, std::uint64_t* time) {
  *time = 0;
  return Status::OK();
}

Status SimFiles::RenameFile(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  const std::string before = plain(from);
  const std::string after = plain(to);
  if (auto file = find(before)) {
    files_.erase(before);
    files_[after] = std::move(file);
    return Status::OK();
  }
  if (!is_folder(before)) return Status::PathNotFound(from);
  Tree moved;
  for (auto at = files_.begin(); at != files_.end();) {
    if (is_below(at->first, before)) {
      moved[after + at->first.substr(before.size())] = at->second;
      at = files_.erase(at);
    } else {
      ++at;
    }
  }
  files_.merge(moved);
  std::set<std::string> folders;
  for (const std::string& name : folders_) {
    const bool moves = name == before || is_below(name, before);
    folders.insert(moves ? after + name.substr(before.size()) : name);
  }
  folders_ = std::move(folders);
  return Status::OK();
}

Status SimFiles::LinkFile(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  const auto file = find(from);
  if (!file) return Status::PathNotFound(from);
  files_[plain(to)] = file;
  return Status::OK();
}

Status SimFiles::NumFileLinks(const std::string& name, std::uint64_t* count) {
  const std::lock_guard lock(mutex_);
  const auto file = find(name);
  if (!file) return Status::PathNotFound(name);
  *count = static_cast<std::uint64_t>(
      std::ranges::count_if(files_, [&](const auto& item) { return item.second == file; }));
  return Status::OK();
}

Status SimFiles::AreFilesSame(const std::string& a, const std::string& b, bool* same) {
  const std::lock_guard lock(mutex_);
  *same = plain(a) == plain(b);
  return Status::OK();
}

Status SimFiles::IsDirectory(const std::string& name, bool* is) {
  const std::lock_guard lock(mutex_);
  *is = is_folder(name);
  return *is || find(name) ? Status::OK() : Status::PathNotFound(name);
}

Status SimFiles::GetFreeSpace(const std::string&, std::uint64_t* free) {
  *free = std::uint64_t{1} << 40;
  return Status::OK();
}

// Two lives of one node never overlap here.
Status SimFiles::LockFile(const std::string&, rocksdb::FileLock** lock) {
  *lock = new Lock;
  return Status::OK();
}

Status SimFiles::UnlockFile(rocksdb::FileLock* lock) {
  delete lock;
  return Status::OK();
}

Status SimFiles::NewLogger(const std::string&, std::shared_ptr<rocksdb::Logger>* logger) {
  *logger = std::make_shared<NoLogger>();
  return Status::OK();
}

Status SimFiles::GetAbsolutePath(const std::string& name, std::string* absolute) {
  *absolute = name;
  return Status::OK();
}

void SimFiles::ended() {
  const std::lock_guard lock(mutex_);
  if (--jobs_ == 0) idle_.notify_all();
}

void SimFiles::Schedule(void (*work)(void*), void* argument, Priority priority, void* tag,
                        void (*unscheduled)(void*)) {
  {
    const std::lock_guard lock(mutex_);
    ++jobs_;
  }
  const auto run = [](void* given) {
    const std::unique_ptr<Job> job(static_cast<Job*>(given));
    job->work(job->argument);
    job->files.ended();
  };
  const auto drop = [](void* given) {
    const std::unique_ptr<Job> job(static_cast<Job*>(given));
    if (job->unscheduled != nullptr) job->unscheduled(job->argument);
    job->files.ended();
  };
  EnvWrapper::Schedule(run, new Job{*this, work, unscheduled, argument}, priority, tag, drop);
}

}  // namespace swarmdns::sim
