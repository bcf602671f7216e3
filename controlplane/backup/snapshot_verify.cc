// Verifying, and saying what is the matter with an object.
#include <algorithm>

#include "controlplane/backup/fetch.h"
#include "controlplane/backup/pack.h"
#include "controlplane/backup/snapshot_reader.h"
#include "controlplane/backup/snapshot_walk.h"

namespace swarmdns::controlplane {
namespace {

using Kind = BackupError::Kind;

}  // namespace

std::optional<BackupError> SnapshotReader::pack_damage(const PackRef& pack, Bytes octets) const {
  const std::string name = pack_name(header_.epoch, pack.hash);
  const Digest hash = plain_blake(octets);
  if (hash == pack.hash) return std::nullopt;
  const auto other = std::ranges::find(header_.packs, hash, &PackRef::hash);
  if (other != header_.packs.end()) {
    return BackupError{Kind::kReplayed,
                       name + " is replayed: it is pack " + to_hex(hash) + " put there under another name"};
  }
  if (octets.size() >= kPackHead) {
    const Bytes epoch = octets.subspan(16, 32);
    if (as_text(octets.first(16)) == "swarmdns-pack-v1" && as_text(epoch) != as_text(header_.epoch)) {
      return BackupError{Kind::kForeign, name + " is foreign: it is of epoch " + to_hex(epoch.first(8)) +
                                             ", not of " + key_id_text(header_.epoch)};
    }
  }
  if (octets.size() != pack.bytes) {
    return BackupError{Kind::kCut, name + " has " + std::to_string(octets.size()) + " octets instead of " +
                                       std::to_string(pack.bytes)};
  }
  return BackupError{Kind::kAltered, name + " was altered: its octets hash to " + to_hex(hash)};
}

// Why a chunk does not open: what is the matter with its pack.
BackupError SnapshotReader::explain(Target& target, const ChunkRef& chunk, const std::string& what) const {
  const std::string name = pack_name_of(chunk.pack);
  const auto info = target.head(name);
  if (!info) return backup_error_of(info.error());
  if (info->bytes <= kMostPackBytes) {
    const auto octets = target.get(name, 0, info->bytes);
    if (!octets) return backup_error_of(octets.error());
    if (auto damage = pack_damage(header_.packs[chunk.pack], *octets)) return *damage;
  }
  return {Kind::kReordered, "chunk " + to_hex(Bytes(chunk.id).first(8)) + " at octet " +
                                std::to_string(chunk.offset) + " of " + name + " " + what};
}

void SnapshotReader::verify_manifest(Target& target, std::vector<Damage>& damage) {
  const std::string name = header_.name();
  const auto add = [&](BackupError error) {
    error.what += " (at " + target.description() + ")";
    damage.push_back({std::move(error), "", 0, 0});
  };
  const auto header = fetch_manifest_header(target, name);
  if (!header) return add(header.error());
  if (header->hash != header_.hash)
    return add({Kind::kReplayed, name + " is not the same as at another target"});
  for (std::size_t i = 0; i < header_.frames.size(); ++i) {
    const auto octets = target.get(name, header_.frames[i].offset, header_.frames[i].bytes);
    const auto done = octets ? check_frame(header_, i, *octets, name)
                             : BackupResult<void>(std::unexpected(backup_error_of(octets.error())));
    if (!done) add(done.error());
  }
}

// The chunks of the parts by their packs.
void SnapshotReader::gather_uses(std::vector<std::vector<Item>>& uses, std::vector<Damage>& damage) {
  std::vector<const SnapshotPart*> wanted;
  for (const SnapshotPart& part : *parts_) {
    const auto keys = keys_of(part);
    if (keys) wanted.push_back(&part);
    if (!keys && keys.error().kind != Kind::kErased)
      damage.push_back({keys.error(), part.name, 0, part.bytes});
  }
  Walk walk(*this, std::move(wanted));
  for (auto items = walk.next(); !items.empty(); items = walk.next()) {
    for (Item& item : items) {
      if (item.lost)
        damage.push_back({*item.lost, item.part->name, item.offset, item.lost_bytes});
      else
        uses[item.chunk.pack].push_back(std::move(item));
    }
  }
}

BackupResult<void> SnapshotReader::verify_packs(Target& target, VerifyDepth depth,
                                                std::vector<std::vector<Item>>& uses,
                                                std::vector<Damage>& damage) {
  std::map<std::string, std::uint64_t> listed;
  const auto done = target.list(packs_prefix(header_.epoch), [&](const ObjectInfo& object) {
    listed[object.name] = object.bytes;
    return true;
  });
  if (!done) return std::unexpected(backup_error_of(done.error()));
  std::vector<std::byte> plain;
  for (std::uint32_t number = 0; number < header_.packs.size(); ++number) {
    const PackRef& pack = header_.packs[number];
    const std::string name = pack_name_of(number);
    const auto add = [&](BackupError error) {
      error.what += " (at " + target.description() + ")";
      damage.push_back({std::move(error), "", 0, 0});
    };
    const auto found = listed.find(name);
    auto info = found != listed.end()
                    ? TargetResult<ObjectInfo>(ObjectInfo{.name = name, .bytes = found->second})
                    : target.head(name);
    if (!info) {
      add(backup_error_of(info.error()));
    } else if (depth == VerifyDepth::kPresent || info->bytes > kMostPackBytes) {
      if (info->bytes != pack.bytes)
        add({Kind::kCut, name + " has " + std::to_string(info->bytes) + " octets instead of " +
                             std::to_string(pack.bytes)});
    } else if (const auto octets = target.get(name, 0, info->bytes); !octets) {
      add(backup_error_of(octets.error()));
    } else if (const auto wrong = pack_damage(pack, *octets)) {
      add(*wrong);
    } else {
      for (const Item& use : uses[number]) {
        const auto opened =
            codec_->open(**keys_of(*use.part), use.chunk.id, use.chunk.plain_bytes,
                         Bytes(*octets).subspan(use.chunk.offset, use.chunk.sealed_bytes), plain);
        if (opened) continue;
        damage.push_back({explain(target, use.chunk, opened.error().what), use.part->name, use.offset,
                          use.chunk.plain_bytes});
      }
      uses[number].clear();  // at other targets its hash says the same
    }
    if (auto ticked = tick(pack.bytes); !ticked) return ticked;
  }
  return {};
}

BackupResult<std::vector<Damage>> SnapshotReader::verify(VerifyDepth depth) {
  std::vector<Damage> damage;
  begin(header_.stored_bytes * targets_.size());
  std::vector<std::vector<Item>> uses(header_.packs.size());
  if (depth == VerifyDepth::kData) {
    if (const auto all = parts(); !all) return std::unexpected(all.error());
    gather_uses(uses, damage);
  }
  for (Target* target : std::vector(targets_)) {
    verify_manifest(*target, damage);
    const auto done = verify_packs(*target, depth, uses, damage);
    if (!done && done.error().kind == Kind::kStopped) return std::unexpected(done.error());
    if (!done) damage.push_back({done.error(), "", 0, 0});
  }
  return damage;
}

}  // namespace swarmdns::controlplane
