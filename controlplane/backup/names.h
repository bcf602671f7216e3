// How the objects of backups are named in a target:
//   packs/<epoch>/<hash>                    <epoch>: 16 hex digits, see root_key.h; <hash>: BLAKE2b-256 of
//   the object snapshots/20261122t235805z-<id>         a manifest: its time in UTC, and 16 hex digits
//   epochs/<epoch>                          the envelope of an epoch's key
//   days/<epoch>/2026-11-22                 the envelope of a day's key
// Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "controlplane/backup/root_key.h"

namespace swarmdns::controlplane {

inline constexpr std::string_view kPacksPrefix = "packs/";
inline constexpr std::string_view kSnapshotsPrefix = "snapshots/";
inline constexpr std::string_view kEpochsPrefix = "epochs/";
inline constexpr std::string_view kDaysPrefix = "days/";

using SnapshotId = std::array<std::byte, 8>;

// Times from 1970 to 9999; parts of a second are dropped.
std::string snapshot_name(std::int64_t created_ms, const SnapshotId& id);
std::string packs_prefix(const Digest& epoch);
std::string pack_name(const Digest& epoch, const Digest& hash);
std::string epoch_name(const Digest& epoch);
std::string day_name(const Digest& epoch, std::string_view day);

struct PackName {
  KeyId epoch{};
  Digest hash{};
};
std::optional<PackName> parse_pack_name(std::string_view name);
// Unix time in seconds and the id.
struct SnapshotName {
  std::int64_t created_s = 0;
  SnapshotId id{};
};
std::optional<SnapshotName> parse_snapshot_name(std::string_view name);

// "2026-11-22", a day there is.
bool valid_day(std::string_view day);
std::string day_of(std::int64_t unix_ms);  // in UTC

}  // namespace swarmdns::controlplane
