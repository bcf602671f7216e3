#include "controlplane/backup/snapshot_reader.h"

#include <algorithm>
#include <chrono>

#include "controlplane/backup/fetch.h"

namespace swarmdns::controlplane {
namespace {

using Kind = BackupError::Kind;

constexpr std::int64_t kTickMs = 200;

BackupResult<void> check_expected(const ManifestHeader& header, const Expected& expected,
                                  const std::string& name) {
  if (expected.swarm && header.swarm != *expected.swarm) {
    return backup_error(Kind::kForeign, name + " is foreign: it is of swarm " + to_hex(header.swarm) +
                                            ", not of " + to_hex(*expected.swarm));
  }
  if (!expected.node_keys.empty()) {
    const auto known = expected.node_keys.find(header.node);
    if (known == expected.node_keys.end() || known->second != as_text(header.node_key)) {
      return backup_error(Kind::kForeign, name + " is foreign: its signature is by a key that is not node " +
                                              std::to_string(header.node) + "'s");
    }
  }
  if (expected.manifest && header.hash != *expected.manifest) {
    return backup_error(Kind::kReplayed, name + " is not the one that the ledger knows: its hash is " +
                                             to_hex(header.hash) + " instead of " +
                                             to_hex(*expected.manifest));
  }
  return {};
}

BackupError erased(const SnapshotPart& part) {
  return {Kind::kErased, "part " + part.name + " was erased: the key of " + part.day +
                             " that it is encrypted under was destroyed"};
}

}  // namespace

BackupResult<SnapshotReader> SnapshotReader::open(std::span<Target* const> targets, const std::string& name,
                                                  ReaderOptions options) {
  if (sodium_init() < 0) return backup_error(Kind::kInput, "libsodium cannot be initialised");
  if (targets.empty()) return backup_error(Kind::kInput, "no target is set: there is nowhere to read from");
  std::optional<BackupError> worst;
  for (Target* target : targets) {
    auto header = fetch_manifest_header(*target, name);
    const auto expected = header ? check_expected(*header, options.expected, name)
                                 : BackupResult<void>(std::unexpected(header.error()));
    if (expected) return SnapshotReader(targets, std::move(*header), std::move(options));
    keep_worse(worst, expected.error());
  }
  return std::unexpected(*worst);
}

BackupResult<void> SnapshotReader::unlock(const OperatorKey& key) {
  auto epoch = fetch_key(targets_, epoch_name(header_.epoch), header_.epoch, header_.epoch, key);
  if (!epoch) return std::unexpected(epoch.error());
  epoch_ = std::move(*epoch);
  day_key_ = [secret = std::make_shared<OperatorKey>(key.secret.clone(), key.recipient)](
                 const SnapshotReader& reader, const SnapshotPart& part) -> BackupResult<RootKey> {
    const Digest& epoch_key = reader.header_.epoch;
    auto day = fetch_key(reader.targets_, day_name(epoch_key, part.day), epoch_key, part.key, *secret);
    // Not there any more, or the key of a later day of that name.
    if (!day && (day.error().kind == Kind::kMissing || day.error().kind == Kind::kForeign))
      return std::unexpected(erased(part));
    return day;
  };
  keys_.clear();
  return {};
}

BackupResult<void> SnapshotReader::unlock(const OpenEpoch& epoch) {
  if (epoch.key().commitment() != header_.epoch) {
    return backup_error(Kind::kWrongKey, header_.name() + " is of epoch " + key_id_text(header_.epoch) +
                                             ", the one open here is " + epoch.key().name() +
                                             "; its recipients are " +
                                             recipient_ids_text(header_.recipients));
  }
  epoch_ = epoch.key().clone();
  day_key_ = [&epoch](const SnapshotReader&, const SnapshotPart& part) -> BackupResult<RootKey> {
    const auto found = epoch.days().find(part.day);
    if (found == epoch.days().end() || found->second.commitment() != part.key)
      return std::unexpected(erased(part));
    return found->second.clone();
  };
  keys_.clear();
  return {};
}

std::string SnapshotReader::pack_name_of(std::uint32_t pack) const {
  return pack_name(header_.epoch, header_.packs[pack].hash);
}

void SnapshotReader::begin(std::uint64_t total) {
  done_ = {.total = total};
  begin_ = told_ = Clock::now();
}

BackupResult<void> SnapshotReader::tick(std::uint64_t octets) {
  done_.octets += octets;
  if (!options_.progress) return {};
  const auto now = Clock::now();
  if (now - told_ < std::chrono::milliseconds(kTickMs) && done_.octets < done_.total) return {};
  told_ = now;
  const double seconds = std::chrono::duration<double>(now - begin_).count();
  done_.rate = seconds > 0 ? static_cast<double>(done_.octets) / seconds : 0;
  if (!options_.progress(done_)) return backup_error(Kind::kStopped, "it was stopped");
  return {};
}

BackupResult<std::vector<std::byte>> SnapshotReader::frame(std::size_t number) {
  const FrameRef& ref = header_.frames[number];
  const std::string name = header_.name();
  std::optional<BackupError> worst;
  for (Target* target : targets_) {
    auto octets = target->get(name, ref.offset, ref.bytes);
    const auto whole = octets ? check_frame(header_, number, *octets, name)
                              : BackupResult<void>(std::unexpected(backup_error_of(octets.error())));
    if (whole) return std::move(*octets);
    keep_worse(worst, whole.error());
  }
  return std::unexpected(*worst);
}

BackupResult<std::vector<SnapshotPart>> SnapshotReader::parts() {
  if (!epoch_) {
    return backup_error(Kind::kWrongKey, header_.name() + " is not unlocked; its recipients are " +
                                             recipient_ids_text(header_.recipients));
  }
  if (!parts_) {
    const auto octets = frame(0);
    if (!octets) return std::unexpected(octets.error());
    auto read = read_parts(header_, *octets, *epoch_, header_.name());
    if (!read) return std::unexpected(read.error());
    parts_ = std::move(*read);
  }
  return *parts_;
}

BackupResult<const std::vector<ChunkRef>*> SnapshotReader::chunks_of(std::size_t frame_number) {
  if (cached_number_ != frame_number) {
    cached_number_ = 0;
    const auto octets = frame(frame_number);
    if (!octets) return std::unexpected(octets.error());
    auto chunks = read_chunks(header_, frame_number, *octets, *epoch_, header_.name());
    if (!chunks) return std::unexpected(chunks.error());
    cached_ = std::move(*chunks);
    cached_number_ = frame_number;
  }
  return &cached_;
}

BackupResult<const ChunkKeys*> SnapshotReader::keys_of(const SnapshotPart& part) {
  const Digest& commitment = part.day.empty() ? header_.epoch : part.key;
  auto found = keys_.find(commitment);
  if (found == keys_.end()) {
    const auto root = part.day.empty() ? BackupResult<RootKey>(epoch_->clone()) : day_key_(*this, part);
    auto keys = root ? BackupResult<ChunkKeys>(ChunkKeys(*root))
                     : BackupResult<ChunkKeys>(std::unexpected(root.error()));
    found = keys_.emplace(commitment, std::move(keys)).first;
  }
  if (!found->second) return std::unexpected(found->second.error());
  return &*found->second;
}

}  // namespace swarmdns::controlplane
