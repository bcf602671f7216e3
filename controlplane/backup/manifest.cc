#include "controlplane/backup/manifest.h"

#include <algorithm>
#include <set>

#include "controlplane/backup/chunk.h"
#include "controlplane/backup/pack.h"
#include "swarmdns/v1/backup.pb.h"

namespace swarmdns::controlplane {
namespace {

using Kind = BackupError::Kind;

constexpr std::string_view kMagic = "swarmdns-snap-v1";
constexpr std::string_view kFrameLabel = "swarmdns backup frame v1";
constexpr std::size_t kNonce = 24;
constexpr std::size_t kRefBytes = 36;

unsigned char* raw(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}
const unsigned char* raw(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Digest manifest_hash(Bytes header) {
  return blake("swarmdns backup manifest v1", {header});
}

std::string signed_octets(const Digest& hash) {
  std::string octets("swarmdns backup signature v1");
  octets += '\0';
  append(octets, hash);
  return octets;
}

std::string frame_data(const SnapshotId& id, std::size_t number) {
  std::string data(kFrameLabel);
  data += '\0';
  append(data, id);
  append_be32(data, static_cast<std::uint32_t>(number));
  return data;
}

std::string seal_frame(const Secret& key, const SnapshotId& id, std::size_t number, std::string_view plain) {
  const std::string data = frame_data(id, number);
  std::string sealed(plain.size() + kSealOverhead, '\0');
  randombytes_buf(sealed.data(), kNonce);
  crypto_aead_xchacha20poly1305_ietf_encrypt(raw(sealed) + kNonce, nullptr, raw(plain), plain.size(),
                                             raw(data), data.size(), nullptr, raw(sealed), raw(key.view()));
  return sealed;
}

BackupResult<std::string> open_frame(const ManifestHeader& header, std::size_t number, Bytes frame,
                                     const RootKey& epoch, const std::string& object) {
  if (epoch.commitment() != header.epoch) {
    return backup_error(Kind::kWrongKey, object + " is of epoch " + key_id_text(header.epoch) +
                                             ", the key at hand of " + epoch.name());
  }
  const std::string data = frame_data(header.id, number);
  const Secret key = epoch.derived("manifest");
  std::string plain(frame.size() - kSealOverhead, '\0');  // read_manifest_front: no frame is shorter
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(raw(plain), nullptr, nullptr, raw(as_text(frame)) + kNonce,
                                                 frame.size() - kNonce, raw(data), data.size(),
                                                 raw(as_text(frame)), raw(key.view())) != 0) {
    return backup_error(Kind::kAltered, "frame " + std::to_string(number) + " of " + object +
                                            " cannot be decrypted: it was made by a program that is wrong");
  }
  return plain;
}

template <std::size_t N>
bool take(const std::string& octets, std::array<std::byte, N>& into) {
  const auto array = array_from<N>(octets);
  if (array) into = *array;
  return array.has_value();
}

v1::SnapshotHeader to_message(const ManifestHeader& header) {
  v1::SnapshotHeader message;
  message.set_swarm_id(as_string(header.swarm));
  message.set_incarnation(header.incarnation);
  message.set_node(header.node);
  message.set_node_key(as_string(header.node_key));
  message.set_id(as_string(header.id));
  message.set_created_ms(static_cast<std::uint64_t>(header.created_ms));
  if (header.ledger.height > 0) {
    message.mutable_ledger()->set_height(header.ledger.height);
    message.mutable_ledger()->set_block(as_string(header.ledger.block));
    message.mutable_ledger()->set_state(as_string(header.ledger.state));
  }
  message.set_epoch(as_string(header.epoch));
  for (const RecipientId& id : header.recipients) message.add_recipients(as_string(id));
  message.set_previous(header.previous);
  message.set_plain_bytes(header.plain_bytes);
  message.set_stored_bytes(header.stored_bytes);
  message.set_chunks(header.chunks);
  for (const PackRef& pack : header.packs) {
    append(*message.mutable_packs(), pack.hash);
    append_be32(*message.mutable_packs(), pack.bytes);
  }
  for (const FrameRef& frame : header.frames) {
    append(*message.mutable_frames(), frame.hash);
    append_be32(*message.mutable_frames(), frame.bytes);
  }
  return message;
}

bool from_message(const v1::SnapshotHeader& message, ManifestHeader& header) {
  if (!take(message.swarm_id(), header.swarm) || !take(message.node_key(), header.node_key) ||
      !take(message.id(), header.id) || !take(message.epoch(), header.epoch)) {
    return false;
  }
  header.incarnation = message.incarnation();
  header.node = message.node();
  constexpr std::uint64_t kYear10000 = 253'402'300'800'000;
  if (message.created_ms() >= kYear10000) return false;
  header.created_ms = static_cast<std::int64_t>(message.created_ms());
  if (message.has_ledger()) {
    header.ledger.height = message.ledger().height();
    if (header.ledger.height == 0 || !take(message.ledger().block(), header.ledger.block) ||
        !take(message.ledger().state(), header.ledger.state)) {
      return false;
    }
  }
  for (const std::string& id : message.recipients()) {
    RecipientId recipient;
    if (!take(id, recipient)) return false;
    header.recipients.push_back(recipient);
  }
  header.previous = message.previous();
  if (!header.previous.empty() && header.previous.size() != 32) return false;
  header.plain_bytes = message.plain_bytes();
  header.stored_bytes = message.stored_bytes();
  header.chunks = message.chunks();
  if (message.packs().size() % kRefBytes != 0 || message.frames().size() % kRefBytes != 0) return false;
  OctetReader packs(as_octets(message.packs()));
  while (packs.left() > 0) {
    PackRef pack{.hash = packs.array<32>(), .bytes = packs.be32()};
    if (pack.bytes < kPackHead || pack.bytes > kMostPackBytes) return false;
    header.packs.push_back(pack);
  }
  OctetReader frames(as_octets(message.frames()));
  while (frames.left() > 0)
    header.frames.push_back({.hash = frames.array<32>(), .bytes = frames.be32(), .offset = 0});
  return true;
}

// How many entries frame `number` holds.
std::uint64_t entries_of(const ManifestHeader& header, std::size_t number) {
  return std::min<std::uint64_t>(kFrameChunks, header.chunks - (number - 1) * kFrameChunks);
}

bool frames_fit(const ManifestHeader& header) {
  if (header.chunks > kMostChunks || header.frames.empty()) return false;
  if (header.frames.size() != 1 + (header.chunks + kFrameChunks - 1) / kFrameChunks) return false;
  const FrameRef& parts = header.frames.front();
  if (parts.bytes < kSealOverhead + 4 || parts.bytes > kMostPartsFrame) return false;
  for (std::size_t i = 1; i < header.frames.size(); ++i)
    if (header.frames[i].bytes != kSealOverhead + entries_of(header, i) * kChunkEntry) return false;
  return true;
}

}  // namespace

bool valid_part_name(std::string_view name) {
  constexpr std::size_t kMost = 255;
  if (name.empty() || name.size() > kMost) return false;
  for (const char c : name)
    if (c < '!' || c > '~') return false;
  while (true) {
    const std::size_t slash = std::min(name.find('/'), name.size());
    const std::string_view component = name.substr(0, slash);
    if (component.empty() || component == "." || component == "..") return false;
    if (slash == name.size()) return true;
    name.remove_prefix(slash + 1);
  }
}

void PartHash::add(const Digest& id, std::uint32_t plain_bytes) {
  std::string size;
  append_be32(size, plain_bytes);
  hash_.add(id).add(as_octets(size));
}

WrittenManifest write_manifest(ManifestHeader header, const std::vector<SnapshotPart>& parts,
                               const std::vector<ChunkRef>& chunks, const RootKey& epoch,
                               const LedgerKey& node) {
  const Secret key = epoch.derived("manifest");
  std::string frames;
  header.node_key = *array_from<32>(node.public_key);
  header.chunks = chunks.size();
  header.plain_bytes = 0;
  header.frames.clear();
  const auto add_frame = [&](std::string_view plain) {
    const std::string sealed = seal_frame(key, header.id, header.frames.size(), plain);
    header.frames.push_back({.hash = plain_blake(as_octets(sealed)),
                             .bytes = static_cast<std::uint32_t>(sealed.size()),
                             .offset = 0});
    frames += sealed;
  };
  v1::SnapshotParts list;
  for (const SnapshotPart& part : parts) {
    auto& entry = *list.add_parts();
    entry.set_name(part.name);
    entry.set_kind(part.kind);
    entry.set_bytes(part.bytes);
    entry.set_hash(as_string(part.hash));
    entry.set_day(part.day);
    if (!part.day.empty()) entry.set_key(as_string(part.key));
    entry.set_first_chunk(part.first_chunk);
    entry.set_chunks(part.chunks);
    header.plain_bytes += part.bytes;
  }
  std::string plain;
  append_be32(plain, static_cast<std::uint32_t>(list.ByteSizeLong()));
  list.AppendToString(&plain);
  plain.resize(padme(plain.size()));
  add_frame(plain);
  for (std::size_t at = 0; at < chunks.size(); at += kFrameChunks) {
    plain.clear();
    for (std::size_t i = at; i < std::min(at + kFrameChunks, chunks.size()); ++i) {
      append(plain, chunks[i].id);
      append_be32(plain, chunks[i].pack);
      append_be32(plain, chunks[i].offset);
      append_be32(plain, chunks[i].sealed_bytes);
      append_be32(plain, chunks[i].plain_bytes);
    }
    add_frame(plain);
  }
  const std::string message = to_message(header).SerializeAsString();
  header.hash = manifest_hash(as_octets(message));
  WrittenManifest written;
  written.octets = kMagic;
  append_be32(written.octets, static_cast<std::uint32_t>(message.size()));
  written.octets += message;
  written.octets += node.sign(signed_octets(header.hash));
  std::uint64_t offset = written.octets.size();
  for (FrameRef& frame : header.frames) {
    frame.offset = offset;
    offset += frame.bytes;
  }
  written.octets += frames;
  header.bytes = written.octets.size();
  written.header = std::move(header);
  return written;
}

BackupResult<std::size_t> manifest_front_bytes(Bytes head, const std::string& object) {
  OctetReader reader(head);
  const bool ours = as_text(reader.take(kMagic.size())) == kMagic;
  const std::size_t length = reader.be32();
  if (!ours && head.size() >= kMagic.size())
    return backup_error(Kind::kAltered, object + " is not a manifest: it was altered");
  if (!reader.ok()) return backup_error(Kind::kCut, object + " is cut: it has no whole head");
  if (length == 0 || length > kMostHeaderBytes)
    return backup_error(Kind::kAltered, object + " was altered: its header cannot be that long");
  return kManifestHead + length + kSignatureBytes;
}

BackupResult<ManifestHeader> read_manifest_front(Bytes front, const std::string& object) {
  const auto bytes = manifest_front_bytes(front.first(std::min(front.size(), kManifestHead)), object);
  if (!bytes) return std::unexpected(bytes.error());
  if (front.size() < *bytes) return backup_error(Kind::kCut, object + " is cut: its header is not all there");
  const Bytes octets = front.subspan(kManifestHead, *bytes - kManifestHead - kSignatureBytes);
  v1::SnapshotHeader message;
  ManifestHeader header;
  if (!message.ParseFromArray(octets.data(), static_cast<int>(octets.size())) ||
      !from_message(message, header)) {
    return backup_error(Kind::kAltered, object + " was altered: its header makes no sense");
  }
  header.hash = manifest_hash(octets);
  if (!verify_ledger_signature(as_text(header.node_key), signed_octets(header.hash),
                               as_text(front.subspan(*bytes - kSignatureBytes, kSignatureBytes)))) {
    return backup_error(Kind::kAltered, object + " was altered: the signature of node " +
                                            std::to_string(header.node) + " does not fit its header");
  }
  if (!frames_fit(header))
    return backup_error(Kind::kAltered, object + " has frames that do not fit its header");
  std::uint64_t offset = *bytes;
  for (FrameRef& frame : header.frames) {
    frame.offset = offset;
    offset += frame.bytes;
  }
  header.bytes = offset;
  if (header.name() != object) {
    return backup_error(Kind::kReplayed, object + " is replayed: it is the manifest " + header.name() +
                                             ", put there under another name");
  }
  return header;
}

BackupResult<void> check_frame(const ManifestHeader& header, std::size_t number, Bytes frame,
                               const std::string& object) {
  const FrameRef& wanted = header.frames[number];
  const std::string who = "frame " + std::to_string(number) + " of " + object;
  if (frame.size() != wanted.bytes) return backup_error(Kind::kCut, who + " is cut");
  const Digest hash = plain_blake(frame);
  if (hash == wanted.hash) return {};
  const auto other = std::ranges::find(header.frames, hash, &FrameRef::hash);
  if (other != header.frames.end()) {
    return backup_error(
        Kind::kReordered,
        who + " is reordered: frame " + std::to_string(other - header.frames.begin()) + " is in its place");
  }
  return backup_error(Kind::kAltered, who + " was altered");
}

BackupResult<std::vector<SnapshotPart>> read_parts(const ManifestHeader& header, Bytes frame,
                                                   const RootKey& epoch, const std::string& object) {
  const auto plain = open_frame(header, 0, frame, epoch, object);
  if (!plain) return std::unexpected(plain.error());
  const auto nonsense = [&](const std::string& what) {
    return backup_error(Kind::kAltered, "the parts of " + object + " make no sense (" + what +
                                            "): a wrong program made them");
  };
  OctetReader reader(as_octets(*plain));
  const Bytes octets = reader.take(reader.be32());
  v1::SnapshotParts list;
  if (!reader.ok() || !list.ParseFromArray(octets.data(), static_cast<int>(octets.size())))
    return nonsense("their list");
  if (static_cast<std::size_t>(list.parts_size()) > kMostParts) return nonsense("their number");
  std::vector<SnapshotPart> parts;
  std::set<std::string_view> names;
  std::uint64_t next = 0;
  std::uint64_t bytes = 0;
  for (const auto& entry : list.parts()) {
    SnapshotPart part{.name = entry.name(),
                      .kind = entry.kind(),
                      .bytes = entry.bytes(),
                      .hash = {},
                      .day = entry.day(),
                      .key = {},
                      .first_chunk = entry.first_chunk(),
                      .chunks = entry.chunks()};
    if (!valid_part_name(part.name) || !valid_part_name(part.kind)) return nonsense("a name");
    if (!names.insert(entry.name()).second) return nonsense(part.name + " is there twice");
    if (!take(entry.hash(), part.hash)) return nonsense("the hash of " + part.name);
    if (!part.day.empty() && (!valid_day(part.day) || !take(entry.key(), part.key)))
      return nonsense("the day of " + part.name);
    if (part.day.empty() && !entry.key().empty()) return nonsense("the key of " + part.name);
    if (part.first_chunk != next || part.chunks > header.chunks - next)
      return nonsense("the place of " + part.name);
    if (part.bytes > part.chunks << 20 || part.bytes < part.chunks)
      return nonsense("the size of " + part.name);
    next += part.chunks;
    bytes += part.bytes;
    parts.push_back(std::move(part));
  }
  if (next != header.chunks || bytes != header.plain_bytes) return nonsense("their sum");
  return parts;
}

BackupResult<std::vector<ChunkRef>> read_chunks(const ManifestHeader& header, std::size_t number, Bytes frame,
                                                const RootKey& epoch, const std::string& object) {
  const auto plain = open_frame(header, number, frame, epoch, object);
  if (!plain) return std::unexpected(plain.error());
  OctetReader reader(as_octets(*plain));
  std::vector<ChunkRef> chunks;
  chunks.reserve(plain->size() / kChunkEntry);
  while (reader.left() > 0) {
    ChunkRef chunk{.id = reader.array<32>(),
                   .pack = reader.be32(),
                   .offset = reader.be32(),
                   .sealed_bytes = reader.be32(),
                   .plain_bytes = reader.be32()};
    if (!reader.ok() || chunk.pack >= header.packs.size() ||
        !plausible_sealed_size(chunk.plain_bytes, chunk.sealed_bytes) || chunk.offset < kPackHead ||
        std::uint64_t{chunk.offset} + chunk.sealed_bytes > header.packs[chunk.pack].bytes) {
      return backup_error(Kind::kAltered, "frame " + std::to_string(number) + " of " + object +
                                              " makes no sense at entry " + std::to_string(chunks.size()) +
                                              ": a wrong program made it");
    }
    chunks.push_back(chunk);
  }
  return chunks;
}

}  // namespace swarmdns::controlplane
