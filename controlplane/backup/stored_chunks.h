// What an epoch's packs hold already: read of earlier manifests, and of the directories of packs that these
// do not name (left by a run that ended early, or by snapshots nobody gave us). One thread.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "controlplane/backup/known_chunks.h"
#include "controlplane/backup/manifest.h"
#include "controlplane/backup/upload.h"

namespace swarmdns::controlplane {

struct StoredChunks {
  KnownChunks chunks;
  std::vector<PackRef> packs;      // what their `pack` counts in
  std::vector<std::string> notes;  // what was damaged, and is not reused
};

// `keys`: ids of the root keys in use; chunks under others (of days that are gone) are passed over. No more
// than `most` chunks are taken.
StoredChunks read_stored_chunks(Upload& upload, const RootKey& epoch, const std::set<KeyId>& keys,
                                std::span<const std::string> bases, const std::set<Digest>& avoid,
                                std::size_t most);

}  // namespace swarmdns::controlplane
