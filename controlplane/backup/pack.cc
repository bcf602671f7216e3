#include "controlplane/backup/pack.h"

#include <cstring>

namespace swarmdns::controlplane {
namespace {

using Kind = BackupError::Kind;

constexpr std::string_view kMagic = "swarmdns-pack-v1";
constexpr std::string_view kLabel = "swarmdns backup directory v1";
constexpr std::size_t kNonce = 24;
constexpr std::size_t kCountBytes = 4;

const unsigned char* raw(Bytes octets) {
  return reinterpret_cast<const unsigned char*>(octets.data());
}
unsigned char* raw(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

void append_to(std::vector<std::byte>& out, std::string_view text) {
  const std::size_t at = out.size();
  out.resize(at + text.size());
  std::memcpy(out.data() + at, text.data(), text.size());
}

std::string data_of(const Digest& commitment, std::size_t offset, std::size_t count) {
  std::string data(kLabel);
  data += '\0';
  append(data, commitment);
  append_be32(data, static_cast<std::uint32_t>(offset));
  append_be32(data, static_cast<std::uint32_t>(count));
  return data;
}

}  // namespace

PackWriter::PackWriter(const RootKey& epoch, std::size_t expected_bytes)
    : commitment_(epoch.commitment()),
      directory_key_(epoch.derived("directory")),
      expected_bytes_(expected_bytes) {
  begin();
}

void PackWriter::begin() {
  octets_ = {};
  octets_.reserve(expected_bytes_);
  entries_.clear();
  append_to(octets_, kMagic);
  append_to(octets_, as_text(commitment_));
}

std::uint32_t PackWriter::add(const Digest& id, const KeyId& key, std::size_t sealed_bytes,
                              std::size_t plain_bytes) {
  const auto offset = static_cast<std::uint32_t>(octets_.size() - sealed_bytes);
  entries_.push_back({.id = id,
                      .key = key,
                      .offset = offset,
                      .sealed_bytes = static_cast<std::uint32_t>(sealed_bytes),
                      .plain_bytes = static_cast<std::uint32_t>(plain_bytes)});
  return offset;
}

PackWriter::Finished PackWriter::finish() {
  std::string plain;
  plain.reserve(entries_.size() * kPackEntry);
  for (const PackEntry& entry : entries_) {
    append(plain, entry.id);
    append(plain, entry.key);
    append_be32(plain, entry.offset);
    append_be32(plain, entry.sealed_bytes);
    append_be32(plain, entry.plain_bytes);
  }
  const std::string data = data_of(commitment_, octets_.size(), entries_.size());
  std::string sealed(kNonce + plain.size() + 16, '\0');
  randombytes_buf(sealed.data(), kNonce);
  crypto_aead_xchacha20poly1305_ietf_encrypt(raw(sealed) + kNonce, nullptr, raw(as_octets(plain)),
                                             plain.size(), raw(as_octets(data)), data.size(), nullptr,
                                             raw(sealed), raw(as_octets(directory_key_.view())));
  append_be32(sealed, static_cast<std::uint32_t>(entries_.size()));
  append_to(octets_, sealed);
  Finished finished{.hash = plain_blake(octets_), .octets = std::move(octets_)};
  begin();
  return finished;
}

BackupResult<std::size_t> pack_tail_bytes(Bytes last_four, std::uint64_t pack_bytes,
                                          const std::string& object) {
  OctetReader reader(last_four);
  const std::size_t count = reader.be32();
  const std::size_t tail = kSealOverhead + count * kPackEntry + kCountBytes;
  if (!reader.complete() || pack_bytes > kMostPackBytes || count == 0 || count > kMostPackChunks ||
      pack_bytes < kPackHead + tail) {
    return backup_error(Kind::kCut, object + " was cut or altered: its end is not that of a pack");
  }
  return tail;
}

BackupResult<std::vector<PackEntry>> read_pack_directory(Bytes head, Bytes tail, std::uint64_t pack_bytes,
                                                         const RootKey& epoch, const std::string& object) {
  OctetReader head_reader(head);
  const bool ours = as_text(head_reader.take(kMagic.size())) == kMagic;
  const Digest commitment = head_reader.array<32>();
  if (!ours || !head_reader.complete())
    return backup_error(Kind::kAltered, object + " is not a pack: it was altered");
  if (commitment != epoch.commitment()) {
    return backup_error(Kind::kForeign, object + " is foreign: it is of epoch " + key_id_text(commitment) +
                                            ", not of " + epoch.name());
  }
  const auto bytes = tail.size() < kCountBytes ? BackupResult<std::size_t>(0)
                                               : pack_tail_bytes(tail.last(kCountBytes), pack_bytes, object);
  if (!bytes) return std::unexpected(bytes.error());
  if (*bytes != tail.size())
    return backup_error(Kind::kCut, object + " was cut or altered: its end is not that of a pack");
  const std::size_t count = (tail.size() - kSealOverhead - kCountBytes) / kPackEntry;
  const std::size_t offset = pack_bytes - tail.size();
  const std::string data = data_of(commitment, offset, count);
  const Secret key = epoch.derived("directory");
  std::string plain(count * kPackEntry, '\0');
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(raw(plain), nullptr, nullptr, raw(tail) + kNonce,
                                                 plain.size() + 16, raw(as_octets(data)), data.size(),
                                                 raw(tail), raw(as_octets(key.view()))) != 0) {
    return backup_error(Kind::kAltered, object + " was altered: its directory cannot be decrypted");
  }
  OctetReader reader(as_octets(plain));
  std::vector<PackEntry> entries;
  entries.reserve(count);
  std::size_t at = kPackHead;
  for (std::size_t i = 0; i < count; ++i) {
    PackEntry entry{.id = reader.array<32>(),
                    .key = reader.array<8>(),
                    .offset = reader.be32(),
                    .sealed_bytes = reader.be32(),
                    .plain_bytes = reader.be32()};
    if (entry.offset != at || !plausible_sealed_size(entry.plain_bytes, entry.sealed_bytes) ||
        entry.sealed_bytes > offset - at) {
      return backup_error(Kind::kAltered, object + " has a directory that makes no sense at entry " +
                                              std::to_string(i) + ": it was made by a program that is wrong");
    }
    at += entry.sealed_bytes;
    entries.push_back(entry);
  }
  if (at != offset)
    return backup_error(Kind::kAltered, object + " holds octets that its directory does not name");
  return entries;
}

BackupResult<std::vector<PackEntry>> read_pack_directory(Bytes pack, const RootKey& epoch,
                                                         const std::string& object) {
  if (pack.size() < kPackHead + kCountBytes)
    return backup_error(Kind::kCut, object + " is cut: it is shorter than any pack");
  const auto tail = pack_tail_bytes(pack.last(kCountBytes), pack.size(), object);
  if (!tail) return std::unexpected(tail.error());
  return read_pack_directory(pack.first(kPackHead), pack.last(*tail), pack.size(), epoch, object);
}

}  // namespace swarmdns::controlplane
