// A ledger whose files are not what was written: found when it is opened, and kept beside the one that takes
// its place, for whoever wants to know what became of the disk. Blocking file I/O; a thread of the owner's
// before the store is in use, the reactor's for replace_ledger().
//
//   ledger.damaged-1784822400/             moved there at that Unix time, s
//   ledger.damaged-1784822400/damage.txt   what was wrong with it
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "controlplane/ledger/store.h"

namespace swarmdns::controlplane {

// Of one ledger; older ones are removed.
inline constexpr std::size_t kDamagedKept = 2;

struct OpenedLedger {
  std::unique_ptr<LedgerStore> store;
  std::string damage;   // of the one that was here; "" = it was sound, and is the one that is open
  std::string kept_as;  // where it is now
};
// Opens it. A damaged one is moved aside when `replaceable`, by the log or by other members, and an empty one
// is opened in its place; when not it stays where it is, and the error says what to do. Any other error
// leaves it alone.
std::expected<OpenedLedger, std::string> open_ledger(const StoreOptions& options, bool replaceable,
                                                     std::uint64_t wall_s);

// Puts a fetched copy in the place of this ledger, which is kept if it is damaged.
std::expected<void, std::string> replace_ledger(LedgerStore& store, const std::string& copy,
                                                std::uint64_t wall_s);

struct DamagedLedger {
  std::string path;
  std::string what;  // "" = not known
};
// Those that are kept of the ledger at this path, oldest first.
std::vector<DamagedLedger> damaged_ledgers(rocksdb::Env& env, const std::string& path);

}  // namespace swarmdns::controlplane
