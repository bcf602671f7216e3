#include "controlplane/member/damaged_ledger.h"

#include <rocksdb/env.h>

#include <algorithm>
#include <charconv>

#include "controlplane/chain/chain.h"

namespace swarmdns::controlplane {
namespace {

constexpr std::string_view kMark = ".damaged-";
constexpr std::string_view kReason = "/damage.txt";

rocksdb::Env& env_of(const StoreOptions& options) {
  return *(options.env != nullptr ? options.env : rocksdb::Env::Default());
}

std::string new_name(rocksdb::Env& env, const std::string& path, std::uint64_t wall_s) {
  // Behind those that are there, also when the clock was set back.
  for (const DamagedLedger& kept : damaged_ledgers(env, path)) {
    std::uint64_t its = 0;
    const std::string_view number = std::string_view(kept.path).substr(path.size() + kMark.size());
    std::from_chars(number.data(), number.data() + number.size(), its);
    wall_s = std::max(wall_s, its + 1);
  }
  return path + std::string(kMark) + std::to_string(wall_s);
}

// A file that cannot be removed stays.
void remove_files(rocksdb::Env& env, const std::string& folder) {
  std::vector<std::string> names;
  static_cast<void>(env.GetChildren(folder, &names));
  for (const std::string& name : names) {
    if (name != "." && name != "..") static_cast<void>(env.DeleteFile(folder + "/" + name));
  }
  static_cast<void>(env.DeleteDir(folder));
}

// What could not be written down is in the node's log all the same.
void keep(rocksdb::Env& env, const std::string& path, const std::string& kept_as, const std::string& what) {
  static_cast<void>(rocksdb::WriteStringToFile(&env, what + "\n", kept_as + std::string(kReason), true));
  const std::vector<DamagedLedger> all = damaged_ledgers(env, path);
  for (std::size_t i = 0; i + kDamagedKept < all.size(); ++i) remove_files(env, all[i].path);
}

// Nothing: it is sound as far as opening it shows. Error: it cannot be told.
std::expected<std::string, std::string> damage_of(LedgerStore& store) {
  const auto chain = Chain::open(store);
  if (chain) return "";
  if (store.damage().empty()) return std::unexpected(chain.error());
  return chain.error();
}

}  // namespace

std::expected<OpenedLedger, std::string> open_ledger(const StoreOptions& options, bool replaceable,
                                                     std::uint64_t wall_s) {
  OpenedLedger opened;
  auto store = LedgerStore::open(options);
  if (store) {
    auto damage = damage_of(**store);
    if (!damage) return std::unexpected(damage.error());
    opened.damage = std::move(*damage);
    opened.store = std::move(*store);
    if (opened.damage.empty()) return opened;
    opened.store.reset();
  } else if (store.error().damaged) {
    opened.damage = store.error().text;
  } else {
    return std::unexpected(store.error().text);
  }
  if (!replaceable) {
    return std::unexpected(opened.damage +
                           "; this node knows of no other member to fetch it from, and its log does not "
                           "begin at the first entry any more. Nothing was changed: put a backup of "
                           "STATE_DIR/swarm in its place, or move it away and found the swarm anew");
  }
  rocksdb::Env& env = env_of(options);
  opened.kept_as = new_name(env, options.path, wall_s);
  if (const auto moved = env.RenameFile(options.path, opened.kept_as); !moved.ok()) {
    return std::unexpected(opened.damage + "; and it cannot be moved to " + opened.kept_as + ": " +
                           moved.ToString());
  }
  keep(env, options.path, opened.kept_as, opened.damage);
  StoreOptions fresh = options;
  fresh.create = true;
  auto empty = LedgerStore::open(fresh);
  if (!empty) return std::unexpected(empty.error().text);
  opened.store = std::move(*empty);
  return opened;
}

std::expected<void, std::string> replace_ledger(LedgerStore& store, const std::string& copy,
                                                std::uint64_t wall_s) {
  const std::string damage = store.damage();
  if (damage.empty()) return store.adopt(copy);
  rocksdb::Env& env = store.db().env();
  const std::string path = store.db().path();
  const std::string kept_as = new_name(env, path, wall_s);
  if (auto adopted = store.adopt(copy, kept_as); !adopted) return adopted;
  keep(env, path, kept_as, damage);
  return {};
}

std::vector<DamagedLedger> damaged_ledgers(rocksdb::Env& env, const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = path.substr(0, slash);
  const std::string prefix = path.substr(slash + 1) + std::string(kMark);
  std::vector<std::string> names;
  static_cast<void>(env.GetChildren(folder, &names));
  std::erase_if(names, [&](const std::string& name) { return !name.starts_with(prefix); });
  std::ranges::sort(names);
  std::vector<DamagedLedger> found;
  for (const std::string& name : names) {
    DamagedLedger& one = found.emplace_back();
    one.path = (folder.empty() ? "/" : folder + "/") + name;
    static_cast<void>(rocksdb::ReadFileToString(&env, one.path + std::string(kReason), &one.what));
    while (one.what.ends_with('\n')) one.what.pop_back();
  }
  return found;
}

}  // namespace swarmdns::controlplane
