// A target that is a folder: each object is a file of its name in sub-folders. Any POSIX file system that
// knows renameat2(RENAME_NOREPLACE) or hard links; several writers, in several processes and over NFS, at
// once.
//
// A new object is written to ROOT/~new (a name that no object can have), synced, and put in its place by one
// call that overwrites nothing; then its folder is synced. So there is a whole object or none, whenever the
// machine or the process dies; what is left in ~new then goes by sweep().
#pragma once

#include <set>
#include <string>

#include "controlplane/targets/file_calls.h"
#include "controlplane/targets/target.h"

namespace swarmdns::controlplane {

struct DirectorySettings {
  std::string name;          // for people
  std::string path;          // absolute; exists, and is never made: an unmounted disk would be filled beneath
  bool mount_point = false;  // refuse when no file system is mounted right there
};

class DirectoryTarget final : public Target {
 public:
  explicit DirectoryTarget(DirectorySettings settings, FileCalls& calls = system_file_calls());

  const std::string& description() const override { return description_; }
  TargetResult<void> put(const std::string& name, std::span<const std::byte> octets,
                         const PutOptions& options = {}) override;
  TargetResult<std::vector<std::byte>> get(const std::string& name, std::uint64_t offset,
                                           std::uint64_t bytes) override;
  TargetResult<ObjectInfo> head(const std::string& name) override;
  TargetResult<void> list(const std::string& prefix,
                          const std::function<bool(const ObjectInfo&)>& each) override;
  TargetResult<void> remove(const std::string& name) override;
  TargetResult<std::uint64_t> sweep(std::int64_t age_ms) override;

 private:
  struct Place {
    OpenFile folder;
    std::string file;
  };
  enum class Found { kNothing, kSame, kOther };

  std::unexpected<TargetError> failure(int error, const std::string& doing) const;
  std::unexpected<TargetError> failure(TargetError::Kind kind, const std::string& what) const;
  TargetResult<OpenFile> open_root();
  // The folder of an object. `make`: folders that are missing are made, and are durable; else kNotFound.
  TargetResult<Place> place_of(const std::string& name, bool make);
  TargetResult<OpenFile> enter(const OpenFile& folder, const std::string& path, const std::string& name,
                               bool make);
  TargetResult<OpenFile> open_object(const Place& place, const std::string& name, struct stat& facts);
  TargetResult<Found> compare(const Place& place, const std::string& name, std::span<const std::byte> octets);
  TargetResult<void> write_new(const OpenFile& folder, const std::string& file, const std::string& name,
                               std::span<const std::byte> octets);
  int publish(const OpenFile& from, const std::string& file, const Place& place, bool replace);
  TargetResult<void> sync_folder(const OpenFile& folder, const std::string& name);
  // False: `each` has had enough.
  TargetResult<bool> walk(const OpenFile& folder, const std::string& path, const std::string& prefix,
                          const std::function<bool(const ObjectInfo&)>& each);

  const DirectorySettings settings_;
  const std::string description_;
  FileCalls& calls_;
  std::set<std::string> durable_folders_;                  // whose entry in their parent was synced by us
  std::expected<dev_t, int> device_ = std::unexpected(0);  // of the root when it was first opened
};

}  // namespace swarmdns::controlplane
