#include "controlplane/backup/stored_chunks.h"

#include <algorithm>
#include <map>

#include "controlplane/backup/fetch.h"

namespace swarmdns::controlplane {
namespace {

using Kind = BackupError::Kind;

}  // namespace

StoredChunks read_stored_chunks(Upload& upload, const RootKey& epoch, const std::set<KeyId>& keys,
                                std::span<const std::string> bases, const std::set<Digest>& avoid,
                                std::size_t most) {
  StoredChunks stored;
  Upload::PackSizes there = upload.packs_there();
  for (const Digest& hash : avoid) there.erase(hash);
  std::map<Digest, std::uint32_t> numbers;  // of packs
  const auto add = [&](const Digest& pack, const KnownChunk& chunk) {
    if (stored.chunks.size() >= most || stored.chunks.find(chunk.id) != KnownChunks::kNone) return;
    const auto [at, fresh] = numbers.try_emplace(pack, static_cast<std::uint32_t>(stored.packs.size()));
    if (fresh) stored.packs.push_back({.hash = pack, .bytes = static_cast<std::uint32_t>(there[pack])});
    KnownChunk known = chunk;
    known.pack = at->second;
    stored.chunks.add(known);
  };
  std::set<Digest> covered;
  for (const std::string& base : bases) {
    BackupResult<WholeManifest> manifest = backup_error(Kind::kMissing, base + " is at no target");
    upload.with_target(nullptr, [&](Target& target) {
      manifest = fetch_manifest(target, base, epoch);
      return manifest.has_value();
    });
    if (!manifest) {
      stored.notes.push_back(manifest.error().what);
      continue;
    }
    for (const SnapshotPart& part : manifest->parts) {
      if (!keys.contains(part.day.empty() ? epoch.id() : key_id(part.key))) continue;
      for (std::uint64_t i = part.first_chunk; i < part.first_chunk + part.chunks; ++i) {
        const ChunkRef& chunk = manifest->chunks[i];
        const PackRef& pack = manifest->header.packs[chunk.pack];
        const auto listed = there.find(pack.hash);
        if (listed == there.end() || listed->second != pack.bytes) continue;
        covered.insert(pack.hash);
        add(pack.hash, {chunk.id, 0, chunk.offset, chunk.sealed_bytes, chunk.plain_bytes});
      }
    }
  }
  for (const auto& listed : there) {
    const Digest& hash = listed.first;
    if (covered.contains(hash) || stored.chunks.size() >= most) continue;
    const std::string name = pack_name(epoch.commitment(), hash);
    BackupResult<std::vector<PackEntry>> entries = backup_error(Kind::kMissing, name + " is at no target");
    upload.with_target(&hash, [&](Target& target) {
      entries = fetch_pack_directory(target, name, listed.second, epoch);
      return entries.has_value();
    });
    if (!entries) {
      stored.notes.push_back(entries.error().what);
      continue;
    }
    for (const PackEntry& entry : *entries)
      if (keys.contains(entry.key))
        add(hash, {entry.id, 0, entry.offset, entry.sealed_bytes, entry.plain_bytes});
  }
  return stored;
}

}  // namespace swarmdns::controlplane
