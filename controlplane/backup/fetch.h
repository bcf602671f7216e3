// Objects of a backup, or their parts that are needed, fetched from a target and checked. Blocking; one
// thread at a time for a target.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "controlplane/backup/envelope.h"
#include "controlplane/backup/error.h"
#include "controlplane/backup/manifest.h"
#include "controlplane/backup/pack.h"
#include "controlplane/targets/target.h"

namespace swarmdns::controlplane {

BackupError backup_error_of(const TargetError& error);
// Of the errors of several targets the one that says most.
void keep_worse(std::optional<BackupError>& kept, const BackupError& error);

// The object has the size that the header says, too.
BackupResult<ManifestHeader> fetch_manifest_header(Target& target, const std::string& name);

struct WholeManifest {
  ManifestHeader header;
  std::vector<SnapshotPart> parts;
  std::vector<ChunkRef> chunks;
};
BackupResult<WholeManifest> fetch_manifest(Target& target, const std::string& name, const RootKey& epoch);

BackupResult<std::vector<PackEntry>> fetch_pack_directory(Target& target, const std::string& name,
                                                          std::uint64_t bytes, const RootKey& epoch);

// What the envelope of that name holds, at whichever target it is as it should be: of that epoch, with that
// key (commitments).
BackupResult<RootKey> fetch_key(std::span<Target* const> targets, const std::string& name,
                                const Digest& epoch, const Digest& key, const OperatorKey& who);

}  // namespace swarmdns::controlplane
