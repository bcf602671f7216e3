#include "controlplane/backup/snapshot_reader.h"

#include <algorithm>
#include <chrono>
#include <future>

#include "controlplane/backup/pack.h"
#include "controlplane/backup/stored_chunks.h"

namespace swarmdns::controlplane {
namespace {

using Kind = BackupError::Kind;

constexpr std::uint64_t kFrontGuess = 64 << 10;    // holds the header of most manifests
constexpr std::uint64_t kWindow = 32u << 20;       // sealed octets fetched at once
constexpr std::uint64_t kWorthReading = 64 << 10;  // between two chunks, rather than another request
constexpr std::int64_t kTickMs = 200;

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

BackupResult<ManifestHeader> fetch_header(Target& target, const std::string& name) {
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

// Of the errors of several targets the one that says most.
void keep_worse(std::optional<BackupError>& kept, const BackupError& error) {
  const auto says_little = [](const BackupError& e) {
    return e.kind == Kind::kTarget || e.kind == Kind::kMissing;
  };
  if (!kept || (says_little(*kept) && !says_little(error))) kept = error;
}

BackupResult<RootKey> open_envelope_at(std::span<Target* const> targets, const std::string& name,
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
    auto header = fetch_header(*target, name);
    const auto expected = header ? check_expected(*header, options.expected, name)
                                 : BackupResult<void>(std::unexpected(header.error()));
    if (expected) return SnapshotReader(targets, std::move(*header), std::move(options));
    keep_worse(worst, expected.error());
  }
  return std::unexpected(*worst);
}

BackupResult<void> SnapshotReader::unlock(const OperatorKey& key) {
  auto epoch = open_envelope_at(targets_, epoch_name(header_.epoch), header_.epoch, header_.epoch, key);
  if (!epoch) return std::unexpected(epoch.error());
  epoch_ = std::move(*epoch);
  day_key_ = [secret = std::make_shared<OperatorKey>(key.secret.clone(), key.recipient)](
                 const SnapshotReader& reader, const SnapshotPart& part) -> BackupResult<RootKey> {
    const Digest& epoch_key = reader.header_.epoch;
    auto day = open_envelope_at(reader.targets_, day_name(epoch_key, part.day), epoch_key, part.key, *secret);
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

BackupResult<void> SnapshotReader::tick(std::uint64_t octets) {
  done_.octets += octets;
  if (!options_.progress) return {};
  const std::int64_t now = now_ms();
  if (now - told_ms_ < kTickMs && done_.octets < done_.total) return {};
  told_ms_ = now;
  done_.rate = static_cast<double>(done_.octets) * 1000 /
               static_cast<double>(std::max<std::int64_t>(now - begin_ms_, 1));
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

// The chunks of a list of parts, window by window.
class SnapshotReader::Walk {
 public:
  Walk(SnapshotReader& reader, std::vector<const SnapshotPart*> parts)
      : reader_(reader), parts_(std::move(parts)) {}

  // Nothing: the end.
  std::vector<Item> next() {
    std::vector<Item> items;
    std::uint64_t bytes = 0;
    while (bytes < kWindow && at_ < parts_.size()) {
      const SnapshotPart& part = *parts_[at_];
      if (chunk_ == part.chunks) {
        finish_part(part, items);
        continue;
      }
      const std::uint64_t entry = part.first_chunk + chunk_;
      const std::size_t number = 1 + entry / kFrameChunks;
      const auto chunks = reader_.chunks_of(number);
      if (!chunks) {
        pass_over_frame(part, number, chunks.error(), items);
        continue;
      }
      const ChunkRef& chunk = (**chunks)[entry % kFrameChunks];
      hash_->add(chunk.id, chunk.plain_bytes);
      items.push_back({.part = &part, .offset = offset_, .chunk = chunk});
      offset_ += chunk.plain_bytes;
      bytes += chunk.sealed_bytes;
      ++chunk_;
    }
    return items;
  }

 private:
  void finish_part(const SnapshotPart& part, std::vector<Item>& items) {
    const bool whole = hash_->finish() == part.hash && offset_ == part.bytes;
    if (!whole && !holed_) {
      items.push_back({.part = &part,
                       .offset = 0,
                       .lost = BackupError{Kind::kReordered, "the chunks of part " + part.name +
                                                                 " are not those that it was made of"},
                       .lost_bytes = part.bytes});
    }
    ++at_;
    chunk_ = offset_ = 0;
    holed_ = false;
    hash_ = std::make_unique<PartHash>();
  }

  // How much is lost follows from the frames that are there; not when two are lost.
  void pass_over_frame(const SnapshotPart& part, std::size_t number, const BackupError& error,
                       std::vector<Item>& items) {
    holed_ = true;
    const std::uint64_t end = part.first_chunk + part.chunks;
    const std::uint64_t behind = std::min<std::uint64_t>(number * kFrameChunks, end);
    std::uint64_t rest = 0;
    bool known = true;
    for (std::uint64_t entry = behind; entry < end && known;) {
      const auto chunks = reader_.chunks_of(1 + entry / kFrameChunks);
      known = chunks.has_value();
      if (!known) break;
      for (std::uint64_t i = entry % kFrameChunks; i < (*chunks)->size() && entry < end; ++i, ++entry)
        rest += (**chunks)[i].plain_bytes;
    }
    known = known && rest <= part.bytes - offset_;
    const std::uint64_t lost = part.bytes - offset_ - (known ? rest : 0);
    items.push_back({.part = &part, .offset = offset_, .lost = error, .lost_bytes = lost});
    offset_ += lost;
    chunk_ = known ? behind - part.first_chunk : part.chunks;
  }

  SnapshotReader& reader_;
  std::vector<const SnapshotPart*> parts_;
  std::size_t at_ = 0;
  std::uint64_t chunk_ = 0;
  std::uint64_t offset_ = 0;
  bool holed_ = false;
  std::unique_ptr<PartHash> hash_ = std::make_unique<PartHash>();
};

void SnapshotReader::fetch_run(Window& window, std::span<const std::size_t> run) {
  const ChunkRef& first = window.items[run.front()].chunk;
  const ChunkRef& last = window.items[run.back()].chunk;
  const std::uint64_t bytes = last.offset + last.sealed_bytes - first.offset;
  std::optional<BackupError> worst;
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    auto octets = targets_[0]->get(pack_name_of(first.pack), first.offset, bytes);
    if (octets && octets->size() == bytes) {
      window.buffers.push_back(std::move(*octets));
      for (const std::size_t item : run) {
        const ChunkRef& chunk = window.items[item].chunk;
        window.sealed[item] =
            Bytes(window.buffers.back()).subspan(chunk.offset - first.offset, chunk.sealed_bytes);
      }
      return;
    }
    keep_worse(worst, octets ? BackupError{Kind::kCut, pack_name_of(first.pack) + " is cut"}
                             : backup_error_of(octets.error()));
    std::ranges::rotate(targets_, targets_.begin() + 1);
  }
  for (const std::size_t item : run) window.errors[item] = *worst;
}

SnapshotReader::Window SnapshotReader::fetch(std::vector<Item> items) {
  Window window;
  window.sealed.resize(items.size());
  window.errors.resize(items.size(), BackupError{Kind::kMissing, ""});
  window.items = std::move(items);
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < window.items.size(); ++i)
    if (!window.items[i].lost) order.push_back(i);
  const auto chunk = [&](std::size_t item) -> const ChunkRef& { return window.items[item].chunk; };
  std::ranges::sort(order, {},
                    [&](std::size_t item) { return std::pair(chunk(item).pack, chunk(item).offset); });
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin + 1;
    const auto joins = [&](const ChunkRef& before, const ChunkRef& next) {
      const std::uint64_t behind = std::uint64_t{before.offset} + before.sealed_bytes;
      return before.pack == next.pack && next.offset <= behind + kWorthReading &&
             (next.offset >= behind || next == before);  // the same chunk may be there twice
    };
    while (end < order.size() && joins(chunk(order[end - 1]), chunk(order[end]))) ++end;
    fetch_run(window, std::span(order).subspan(begin, end - begin));
    begin = end;
  }
  return window;
}

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

// At whichever target it is whole.
BackupResult<void> SnapshotReader::open_item(const Item& item, Bytes sealed, const BackupError& fetched,
                                             std::vector<std::byte>& plain) {
  const auto keys = keys_of(*item.part);
  if (!keys) return std::unexpected(keys.error());
  const ChunkRef& chunk = item.chunk;
  if (sealed.empty() && fetched.kind == Kind::kCut)
    return std::unexpected(explain(*targets_[0], chunk, "is cut"));
  if (sealed.empty()) return std::unexpected(fetched);  // no target could give it
  auto opened = codec_->open(**keys, chunk.id, chunk.plain_bytes, sealed, plain);
  if (opened) return opened;
  const BackupError worst = explain(*targets_[0], chunk, opened.error().what);
  for (std::size_t i = 1; i < targets_.size(); ++i) {
    const auto octets = targets_[i]->get(pack_name_of(chunk.pack), chunk.offset, chunk.sealed_bytes);
    if (octets && codec_->open(**keys, chunk.id, chunk.plain_bytes, *octets, plain)) return {};
  }
  return std::unexpected(worst);
}

BackupResult<Restored> SnapshotReader::restore_list(
    std::vector<const SnapshotPart*> list, const std::function<PartSink(const SnapshotPart&)>& sink_for) {
  Restored restored;
  done_ = {};
  begin_ms_ = told_ms_ = now_ms();
  std::vector<const SnapshotPart*> wanted;
  std::map<const SnapshotPart*, PartSink> sinks;
  for (const SnapshotPart* part : list) {
    PartSink sink = sink_for(*part);
    if (!sink) continue;
    if (const auto keys = keys_of(*part); !keys) {
      if (!options_.partial) return std::unexpected(keys.error());
      restored.damage.push_back({keys.error(), part->name, 0, part->bytes});
      continue;
    }
    sinks.emplace(part, std::move(sink));
    wanted.push_back(part);
    done_.total += part->bytes;
  }
  Walk walk(*this, std::move(wanted));
  const auto fetch_next = [&] { return std::async(std::launch::async, [&] { return fetch(walk.next()); }); };
  std::vector<std::byte> plain;
  auto coming = fetch_next();
  while (true) {
    const Window window = coming.get();
    if (window.items.empty()) return restored;
    coming = fetch_next();
    for (std::size_t i = 0; i < window.items.size(); ++i) {
      const Item& item = window.items[i];
      BackupResult<void> opened;
      if (item.lost) {
        opened = std::unexpected(*item.lost);
      } else {
        // The targets are the other thread's until it has its window; a chunk that opens needs none.
        const auto keys = keys_.find(item.part->day.empty() ? header_.epoch : item.part->key);
        const ChunkRef& chunk = item.chunk;
        if (window.sealed[i].empty() ||
            !codec_->open(*keys->second, chunk.id, chunk.plain_bytes, window.sealed[i], plain)) {
          coming.wait();
          opened = open_item(item, window.sealed[i], window.errors[i], plain);
        }
      }
      const std::uint64_t bytes = item.lost ? item.lost_bytes : item.chunk.plain_bytes;
      if (!opened) {
        if (!options_.partial) return std::unexpected(opened.error());
        restored.damage.push_back({opened.error(), item.part->name, item.offset, bytes});
      } else {
        if (auto taken = sinks.at(item.part)(item.offset, plain); !taken)
          return backup_error(Kind::kInput,
                              "part " + item.part->name + " cannot be written: " + taken.error());
        restored.octets += bytes;
      }
      if (auto done = tick(bytes); !done) return std::unexpected(done.error());
    }
  }
}

BackupResult<Restored> SnapshotReader::restore(const std::string& name, const PartSink& sink) {
  if (const auto all = parts(); !all) return std::unexpected(all.error());
  const auto part = std::ranges::find(*parts_, name, &SnapshotPart::name);
  if (part == parts_->end()) return backup_error(Kind::kMissing, header_.name() + " has no part " + name);
  return restore_list({&*part}, [&](const SnapshotPart&) { return sink; });
}

BackupResult<Restored> SnapshotReader::restore_all(
    const std::function<PartSink(const SnapshotPart&)>& sink_for) {
  if (const auto all = parts(); !all) return std::unexpected(all.error());
  std::vector<const SnapshotPart*> list;
  for (const SnapshotPart& part : *parts_) list.push_back(&part);
  return restore_list(std::move(list), sink_for);
}

void SnapshotReader::verify_manifest(Target& target, std::vector<Damage>& damage) {
  const std::string name = header_.name();
  const auto add = [&](BackupError error) {
    error.what += " (at " + target.description() + ")";
    damage.push_back({std::move(error), "", 0, 0});
  };
  const auto header = fetch_header(target, name);
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
  done_ = {.total = header_.stored_bytes * targets_.size()};
  begin_ms_ = told_ms_ = now_ms();
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
