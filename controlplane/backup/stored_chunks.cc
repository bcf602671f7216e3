#include "controlplane/backup/stored_chunks.h"

#include <algorithm>
#include <map>

#include "controlplane/backup/chunk.h"
#include "controlplane/backup/pack.h"

namespace swarmdns::controlplane {
namespace {

using Kind = BackupError::Kind;

constexpr std::uint64_t kTailGuess = 16 << 10;  // holds the directory of most packs

BackupResult<std::vector<PackEntry>> fetch_directory(Target& target, const std::string& name,
                                                     std::uint64_t bytes, const RootKey& epoch) {
  if (bytes < kPackHead + 4 || bytes > kMostPackBytes)
    return backup_error(Kind::kCut, name + " has a size that no pack has");
  const auto head = target.get(name, 0, kPackHead);
  if (!head) return std::unexpected(backup_error_of(head.error()));
  std::uint64_t want = std::min(bytes, kTailGuess);
  auto tail = target.get(name, bytes - want, want);
  if (!tail) return std::unexpected(backup_error_of(tail.error()));
  const auto needed = pack_tail_bytes(Bytes(*tail).last(4), bytes, name);
  if (!needed) return std::unexpected(needed.error());
  if (*needed > want) {
    want = *needed;
    tail = target.get(name, bytes - want, want);
    if (!tail) return std::unexpected(backup_error_of(tail.error()));
  }
  return read_pack_directory(*head, Bytes(*tail).last(*needed), bytes, epoch, name);
}

}  // namespace

BackupError backup_error_of(const TargetError& error) {
  switch (error.kind) {
    case TargetError::Kind::kNotFound:
      return {Kind::kMissing, error.what};
    case TargetError::Kind::kBroken:
      return {Kind::kCut, error.what};
    default:
      return {Kind::kTarget, error.what};
  }
}

BackupResult<ReadManifest> read_manifest(Target& target, const std::string& name, const RootKey& epoch) {
  const auto info = target.head(name);
  if (!info) return std::unexpected(backup_error_of(info.error()));
  if (info->bytes > kMaxObjectBytes)
    return backup_error(Kind::kAltered, name + " is larger than any manifest");
  const auto octets = target.get(name, 0, info->bytes);
  if (!octets) return std::unexpected(backup_error_of(octets.error()));
  ReadManifest manifest;
  auto header = read_manifest_front(*octets, name);
  if (!header) return std::unexpected(header.error());
  manifest.header = std::move(*header);
  if (manifest.header.bytes != octets->size())
    return backup_error(Kind::kCut, name + " has " + std::to_string(octets->size()) + " octets instead of " +
                                        std::to_string(manifest.header.bytes));
  for (std::size_t i = 0; i < manifest.header.frames.size(); ++i) {
    const Bytes frame =
        Bytes(*octets).subspan(manifest.header.frames[i].offset, manifest.header.frames[i].bytes);
    if (auto done = check_frame(manifest.header, i, frame, name); !done) return std::unexpected(done.error());
    if (i == 0) {
      auto parts = read_parts(manifest.header, frame, epoch, name);
      if (!parts) return std::unexpected(parts.error());
      manifest.parts = std::move(*parts);
    } else {
      auto chunks = read_chunks(manifest.header, i, frame, epoch, name);
      if (!chunks) return std::unexpected(chunks.error());
      manifest.chunks.insert(manifest.chunks.end(), chunks->begin(), chunks->end());
    }
  }
  return manifest;
}

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
    BackupResult<ReadManifest> manifest = backup_error(Kind::kMissing, base + " is at no target");
    upload.with_target(nullptr, [&](Target& target) {
      manifest = read_manifest(target, base, epoch);
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
  for (const auto& [hash, bytes] : there) {
    if (covered.contains(hash) || stored.chunks.size() >= most) continue;
    const std::string name = pack_name(epoch.commitment(), hash);
    BackupResult<std::vector<PackEntry>> entries = backup_error(Kind::kMissing, name + " is at no target");
    upload.with_target(&hash, [&, &hash = hash, &bytes = bytes](Target& target) {
      entries = fetch_directory(target, name, bytes, epoch);
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
