#include "controlplane/backup/fetch.h"

#include <algorithm>

namespace swarmdns::controlplane {
namespace {

using Kind = BackupError::Kind;

constexpr std::uint64_t kFrontGuess = 64 << 10;  // holds the header of most manifests
constexpr std::uint64_t kTailGuess = 16 << 10;   // holds the directory of most packs

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

void keep_worse(std::optional<BackupError>& kept, const BackupError& error) {
  const auto says_little = [](const BackupError& e) {
    return e.kind == Kind::kTarget || e.kind == Kind::kMissing;
  };
  if (!kept || (says_little(*kept) && !says_little(error))) kept = error;
}

BackupResult<ManifestHeader> fetch_manifest_header(Target& target, const std::string& name) {
  const auto info = target.head(name);
  if (!info) return std::unexpected(backup_error_of(info.error()));
  std::uint64_t want = std::min(info->bytes, kFrontGuess);
  auto front = target.get(name, 0, want);
  if (!front) return std::unexpected(backup_error_of(front.error()));
  const auto needed = manifest_front_bytes(Bytes(*front).first(std::min(front->size(), kManifestHead)), name);
  if (!needed) return std::unexpected(needed.error());
  if (*needed > want && *needed <= info->bytes) {
    front = target.get(name, 0, *needed);
    if (!front) return std::unexpected(backup_error_of(front.error()));
  }
  auto header = read_manifest_front(*front, name);
  if (header && header->bytes != info->bytes) {
    return backup_error(Kind::kCut, name + " has " + std::to_string(info->bytes) + " octets instead of " +
                                        std::to_string(header->bytes));
  }
  return header;
}

BackupResult<WholeManifest> fetch_manifest(Target& target, const std::string& name, const RootKey& epoch) {
  const auto info = target.head(name);
  if (!info) return std::unexpected(backup_error_of(info.error()));
  if (info->bytes > kMaxObjectBytes)
    return backup_error(Kind::kAltered, name + " is larger than any manifest");
  const auto octets = target.get(name, 0, info->bytes);
  if (!octets) return std::unexpected(backup_error_of(octets.error()));
  WholeManifest manifest;
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

BackupResult<std::vector<PackEntry>> fetch_pack_directory(Target& target, const std::string& name,
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

BackupResult<RootKey> fetch_key(std::span<Target* const> targets, const std::string& name,
                                const Digest& epoch, const Digest& key, const OperatorKey& who) {
  std::optional<BackupError> worst;
  for (Target* target : targets) {
    const auto info = target->head(name);
    const auto octets = info ? target->get(name, 0, std::min<std::uint64_t>(info->bytes, 64 << 10))
                             : TargetResult<std::vector<std::byte>>(std::unexpected(info.error()));
    if (!octets) {
      keep_worse(worst, backup_error_of(octets.error()));
      continue;
    }
    const auto envelope = decode_envelope(*octets, name);
    if (!envelope) {
      keep_worse(worst, envelope.error());
      continue;
    }
    if (envelope->epoch != epoch || envelope->key != key) {
      keep_worse(worst, {Kind::kForeign, name + " is foreign: it holds key " + key_id_text(envelope->key) +
                                             ", not " + key_id_text(key)});
      continue;
    }
    auto opened = open_envelope(*envelope, who, name);
    if (opened) return opened;
    keep_worse(worst, opened.error());
  }
  return std::unexpected(*worst);
}

}  // namespace swarmdns::controlplane
