// What is in a directory target: listing and sweeping.
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "controlplane/targets/directory.h"

namespace swarmdns::controlplane {
namespace {

using Kind = TargetError::Kind;

std::int64_t modified_ms(const struct stat& facts) {
  return facts.st_mtim.tv_sec * 1000 + facts.st_mtim.tv_nsec / 1'000'000;
}

}  // namespace

TargetResult<void> DirectoryTarget::list(const std::string& prefix,
                                         const std::function<bool(const ObjectInfo&)>& each) {
  auto root = open_root();
  if (!root) return std::unexpected(root.error());
  auto done = walk(*root, "", prefix, each);
  if (!done) return std::unexpected(done.error());
  return {};
}

TargetResult<bool> DirectoryTarget::walk(const OpenFile& folder, const std::string& path,
                                         const std::string& prefix,
                                         const std::function<bool(const ObjectInfo&)>& each) {
  struct Entry {
    std::string name;  // of the object; a folder's ends with a slash, which is where it stands in the order
    ObjectInfo info;
  };
  const auto names = calls_.names(folder.get());
  if (!names) return failure(names.error(), "list the folder " + path);
  std::vector<Entry> entries;
  for (const std::string& name : *names) {
    const std::string whole = path + name;
    // lost+found, ~new and whatever else people keep there.
    if (!valid_object_name(whole)) continue;
    const std::string as_folder = whole + "/";
    if (!whole.starts_with(prefix) && !prefix.starts_with(as_folder)) continue;
    struct stat facts;
    const int error = calls_.stat(folder.get(), name.c_str(), facts);
    if (error == -ENOENT) continue;
    if (error < 0) return failure(error, "look at " + whole);
    if (S_ISDIR(facts.st_mode)) {
      entries.push_back({as_folder, {}});
    } else if (S_ISREG(facts.st_mode) && whole.starts_with(prefix)) {
      entries.push_back({whole, {whole, static_cast<std::uint64_t>(facts.st_size), modified_ms(facts)}});
    }
  }
  std::ranges::sort(entries, {}, &Entry::name);
  for (const Entry& entry : entries) {
    if (!entry.name.ends_with('/')) {
      if (!each(entry.info)) return false;
      continue;
    }
    const std::string inner_name = entry.name.substr(path.size(), entry.name.size() - path.size() - 1);
    auto inner = enter(folder, entry.name, inner_name, false);
    if (!inner && inner.error().kind == Kind::kNotFound) continue;
    if (!inner) return std::unexpected(inner.error());
    auto more = walk(*inner, entry.name, prefix, each);
    if (!more || !*more) return more;
  }
  return true;
}

TargetResult<std::uint64_t> DirectoryTarget::sweep(std::int64_t age_ms) {
  auto root = open_root();
  if (!root) return std::unexpected(root.error());
  auto fresh = enter(*root, "~new", "~new", false);
  if (!fresh && fresh.error().kind == Kind::kNotFound) return 0;
  if (!fresh) return std::unexpected(fresh.error());
  const auto names = calls_.names(fresh->get());
  if (!names) return failure(names.error(), "list the folder ~new");
  const std::int64_t now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                                  std::chrono::system_clock::now().time_since_epoch())
                                  .count();
  std::uint64_t gone = 0;
  for (const std::string& name : *names) {
    struct stat facts;
    int error = calls_.stat(fresh->get(), name.c_str(), facts);
    const bool young = age_ms > 0 && error == 0 && now_ms - modified_ms(facts) < age_ms;
    if (error == 0 && (!S_ISREG(facts.st_mode) || young)) continue;
    if (error == 0) error = calls_.unlink(fresh->get(), name.c_str());
    if (error == -ENOENT) continue;  // its writer or another sweeper was first
    if (error < 0) return failure(error, "remove ~new/" + name);
    ++gone;
  }
  return gone;
}

}  // namespace swarmdns::controlplane
