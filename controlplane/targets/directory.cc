#include "controlplane/targets/directory.h"

#include <fcntl.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "controlplane/targets/file_error.h"

namespace swarmdns::controlplane {
namespace {

using Kind = TargetError::Kind;

constexpr const char* kNewFolder = "~new";
constexpr std::size_t kBlockBytes = std::size_t{1} << 20;

std::string temporary_name() {
  std::array<unsigned char, 16> random;
  randombytes_buf(random.data(), random.size());
  std::array<char, 2 * random.size() + 1> hex;
  return sodium_bin2hex(hex.data(), hex.size(), random.data(), random.size());
}

}  // namespace

DirectoryTarget::DirectoryTarget(DirectorySettings settings, FileCalls& calls)
    : settings_(std::move(settings)),
      description_("directory " + settings_.name + " (" + settings_.path + ")"),
      calls_(calls) {}

std::unexpected<TargetError> DirectoryTarget::failure(int error, const std::string& doing) const {
  return std::unexpected(file_error(error, description_, doing));
}

std::unexpected<TargetError> DirectoryTarget::failure(Kind kind, const std::string& what) const {
  return std::unexpected(TargetError{kind, description_ + ": " + what});
}

// Opened anew for each call, so that nothing keeps the operator from unmounting it.
TargetResult<OpenFile> DirectoryTarget::open_root() {
  const char* path = settings_.path.c_str();
  const int fd = calls_.open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
  if (fd == -ENOENT || fd == -ENOTDIR) {
    return failure(Kind::kUnavailable, "there is no such folder; make it, or mount its file system");
  }
  if (fd < 0) return failure(fd, "open the folder");
  OpenFile root(calls_, fd);
  struct stat facts;
  struct stat above;
  if (const int error = calls_.stat(fd, facts); error < 0) return failure(error, "look at the folder");
  if (settings_.mount_point) {
    if (const int error = calls_.stat(fd, "..", above); error < 0)
      return failure(error, "look above the folder");
    if (above.st_dev == facts.st_dev && above.st_ino != facts.st_ino) {
      return failure(Kind::kUnavailable,
                     "no file system is mounted there; mount it, or set mount_point to false");
    }
  }
  if (!device_) device_ = facts.st_dev;
  if (*device_ != facts.st_dev) {
    return failure(Kind::kUnavailable, "another file system than before stands there; mount the right one");
  }
  return root;
}

TargetResult<OpenFile> DirectoryTarget::enter(const OpenFile& folder, const std::string& path,
                                              const std::string& name, bool make) {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
  int fd = calls_.open(folder.get(), name.c_str(), kFlags, 0);
  if (fd == -ENOENT && make) {
    const int error = calls_.make_folder(folder.get(), name.c_str(), 0700);
    if (error < 0 && error != -EEXIST) return failure(error, "make the folder " + path);
    durable_folders_.erase(path);
    fd = calls_.open(folder.get(), name.c_str(), kFlags, 0);
  }
  if (fd < 0) return failure(fd, "open the folder " + path);
  OpenFile inner(calls_, fd);
  // Somebody may have made it and died before its entry was on the disk.
  if (make && !durable_folders_.contains(path)) {
    if (auto done = sync_folder(folder, path); !done) return std::unexpected(done.error());
    durable_folders_.insert(path);
  }
  return inner;
}

TargetResult<DirectoryTarget::Place> DirectoryTarget::place_of(const std::string& name, bool make) {
  if (!valid_object_name(name)) {
    return failure(Kind::kInvalid, "'" + name + "' is no name of an object (1 to 200 of a-z 0-9 . _ / -)");
  }
  auto folder = open_root();
  std::size_t begin = 0;
  for (std::size_t slash = name.find('/'); folder && slash != std::string::npos;
       slash = name.find('/', begin)) {
    folder = enter(*folder, name.substr(0, slash), name.substr(begin, slash - begin), make);
    begin = slash + 1;
  }
  if (!folder && folder.error().kind == Kind::kNotFound)
    return failure(Kind::kNotFound, name + " is not there");
  if (!folder) return std::unexpected(folder.error());
  return Place{std::move(*folder), name.substr(begin)};
}

TargetResult<void> DirectoryTarget::sync_folder(const OpenFile& folder, const std::string& name) {
  const int error = calls_.sync(folder.get());
  // Some file systems in user space have no sync of folders.
  if (error < 0 && error != -EINVAL && error != -EOPNOTSUPP)
    return failure(error, "sync the folder of " + name);
  return {};
}

TargetResult<OpenFile> DirectoryTarget::open_object(const Place& place, const std::string& name,
                                                    struct stat& facts) {
  // O_NONBLOCK: somebody's named pipe must not hold us.
  const int fd = calls_.open(place.folder.get(), place.file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
  if (fd == -ENOENT) return failure(Kind::kNotFound, name + " is not there");
  if (fd < 0) return failure(fd, "open " + name);
  OpenFile file(calls_, fd);
  if (const int error = calls_.stat(fd, facts); error < 0) return failure(error, "look at " + name);
  if (S_ISDIR(facts.st_mode))
    return failure(Kind::kNotFound, name + " is not there, but a folder of that name");
  if (!S_ISREG(facts.st_mode)) return failure(Kind::kInvalid, name + " is no file");
  return file;
}

TargetResult<DirectoryTarget::Found> DirectoryTarget::compare(const Place& place, const std::string& name,
                                                              std::span<const std::byte> octets) {
  struct stat facts;
  auto file = open_object(place, name, facts);
  if (!file && file.error().kind == Kind::kNotFound) return Found::kNothing;
  if (!file) return std::unexpected(file.error());
  if (static_cast<std::uint64_t>(facts.st_size) != octets.size()) return Found::kOther;
  std::vector<std::byte> block(std::min(kBlockBytes, octets.size()));
  for (std::size_t done = 0; done < octets.size();) {
    const std::size_t most = std::min(block.size(), octets.size() - done);
    const ssize_t n = calls_.read(file->get(), std::span(block).first(most), static_cast<off_t>(done));
    if (n < 0) return failure(static_cast<int>(n), "read " + name);
    const std::size_t got = static_cast<std::size_t>(n);
    if (got == 0 || std::memcmp(block.data(), octets.data() + done, got) != 0) return Found::kOther;
    done += got;
  }
  if (const int error = calls_.sync(file->get()); error < 0) return failure(error, "sync " + name);
  return Found::kSame;
}

TargetResult<void> DirectoryTarget::write_new(const OpenFile& folder, const std::string& file,
                                              const std::string& name, std::span<const std::byte> octets) {
  const int fd = calls_.open(folder.get(), file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  if (fd < 0) return failure(fd, "make a file for " + name);
  OpenFile opened(calls_, fd);
  while (!octets.empty()) {
    const ssize_t n = calls_.write(fd, octets.first(std::min(kBlockBytes, octets.size())));
    if (n <= 0) return failure(n == 0 ? -EIO : static_cast<int>(n), "write " + name);
    octets = octets.subspan(static_cast<std::size_t>(n));
  }
  if (const int error = calls_.sync(fd); error < 0) return failure(error, "sync " + name);
  if (const int error = opened.close(); error < 0) return failure(error, "close " + name);
  return {};
}

// -EEXIST: without `replace`, when there is something of that name.
int DirectoryTarget::publish(const OpenFile& from, const std::string& file, const Place& place,
                             bool replace) {
  const int to = place.folder.get();
  int error = calls_.rename(from.get(), file.c_str(), to, place.file.c_str(), replace);
  if (replace || (error != -EINVAL && error != -ENOSYS && error != -EOPNOTSUPP)) return error;
  error = calls_.link(from.get(), file.c_str(), to, place.file.c_str());
  if (error == -EPERM || error == -ENOSYS) return -EOPNOTSUPP;  // EPERM: it has no hard links (link(2))
  if (error < 0) return error;
  calls_.unlink(from.get(), file.c_str());  // else sweep() does
  return 0;
}

TargetResult<void> DirectoryTarget::put(const std::string& name, std::span<const std::byte> octets,
                                        const PutOptions& options) {
  if (octets.size() > kMaxObjectBytes) return failure(Kind::kInvalid, name + " is larger than 256 MiB");
  if (options.locked_until_ms != 0) {
    return failure(Kind::kUnsupported, "a directory has no object lock; leave object_lock_days out");
  }
  auto place = place_of(name, true);
  if (!place) return std::unexpected(place.error());

  // The second time somebody else has put it there meanwhile; a third time should not be.
  for (int tries = 0; tries < 3; ++tries) {
    if (!options.replace) {
      auto found = compare(*place, name, octets);
      if (!found) return std::unexpected(found.error());
      if (*found == Found::kOther) return failure(Kind::kExists, name + " is there with other octets");
      // Whoever put it may have died before its name was on the disk.
      if (*found == Found::kSame) return sync_folder(place->folder, name);
    }
    auto root = open_root();
    if (!root) return std::unexpected(root.error());
    auto fresh = enter(*root, kNewFolder, kNewFolder, true);
    if (!fresh) return std::unexpected(fresh.error());
    const std::string file = temporary_name();
    auto written = write_new(*fresh, file, name, octets);
    const int error = written ? publish(*fresh, file, *place, options.replace) : 0;
    if (written && error == 0) return sync_folder(place->folder, name);
    calls_.unlink(fresh->get(), file.c_str());
    if (!written) return written;
    if (error != -EEXIST) return failure(error == -ENOENT ? -ESTALE : error, "put " + name + " in its place");
    struct stat facts;
    if (calls_.stat(place->folder.get(), place->file.c_str(), facts) == 0 && S_ISDIR(facts.st_mode)) {
      return failure(-EISDIR, "put " + name + " in its place");
    }
  }
  return failure(Kind::kUnavailable, name + " is put and removed by others all the time");
}

TargetResult<std::vector<std::byte>> DirectoryTarget::get(const std::string& name, std::uint64_t offset,
                                                          std::uint64_t bytes) {
  if (bytes > kMaxObjectBytes || offset > kMaxObjectBytes) {
    return failure(Kind::kInvalid, "no object is as large as what is asked of " + name);
  }
  auto place = place_of(name, false);
  if (!place) return std::unexpected(place.error());
  struct stat facts;
  auto file = open_object(*place, name, facts);
  if (!file) return std::unexpected(file.error());
  const auto size = static_cast<std::uint64_t>(facts.st_size);
  if (offset + bytes > size) {
    return failure(Kind::kBroken, name + " ends after " + std::to_string(size) + " octets, before octet " +
                                      std::to_string(offset + bytes));
  }
  std::vector<std::byte> octets(bytes);
  for (std::size_t done = 0; done < octets.size();) {
    const ssize_t n =
        calls_.read(file->get(), std::span(octets).subspan(done), static_cast<off_t>(offset + done));
    if (n < 0) return failure(static_cast<int>(n), "read " + name);
    if (n == 0) return failure(Kind::kBroken, name + " was cut while it was read");
    done += static_cast<std::size_t>(n);
  }
  return octets;
}

TargetResult<ObjectInfo> DirectoryTarget::head(const std::string& name) {
  auto place = place_of(name, false);
  if (!place) return std::unexpected(place.error());
  struct stat facts;
  auto file = open_object(*place, name, facts);
  if (!file) return std::unexpected(file.error());
  return ObjectInfo{name, static_cast<std::uint64_t>(facts.st_size),
                    facts.st_mtim.tv_sec * 1000 + facts.st_mtim.tv_nsec / 1'000'000};
}

TargetResult<void> DirectoryTarget::remove(const std::string& name) {
  auto place = place_of(name, false);
  if (!place && place.error().kind == Kind::kNotFound) return {};
  if (!place) return std::unexpected(place.error());
  const int error = calls_.unlink(place->folder.get(), place->file.c_str());
  if (error < 0 && error != -ENOENT) return failure(error, "remove " + name);
  return sync_folder(place->folder, name);  // even if it was gone: perhaps not yet on the disk
}

}  // namespace swarmdns::controlplane
