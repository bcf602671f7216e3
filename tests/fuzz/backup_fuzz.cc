// Any octets as what a target gives to the readers of backups. What stands under a seal or a signature would
// never be reached by chance, so it is sealed and signed here with the keys of the seeds. The first octet
// says what the rest is: 0 an envelope, 1 a manifest, 2 its header, 3 its parts, 4 chunk entries, 5 a pack, 6
// entries of its directory, 7 the inside of a chunk behind be32 of its plain size, 8 what people type.

#include <string>

#include "controlplane/backup/base32.h"
#include "controlplane/backup/chunk.h"
#include "controlplane/backup/envelope.h"
#include "controlplane/backup/manifest.h"
#include "controlplane/backup/operator_key.h"
#include "controlplane/backup/pack.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace swarmdns::controlplane;

Secret filled(unsigned start) {
  std::string octets;
  for (unsigned i = 0; i < 32; ++i) octets += static_cast<char>(start + i);
  return Secret(octets);
}

const RootKey& epoch() {
  static const RootKey key = std::move(*RootKey::from(filled(1)));
  return key;
}

std::string sealed(std::string_view use, const std::string& data, std::string_view plain) {
  std::string out(24 + plain.size() + 16, '\0');
  const Secret key = epoch().derived(use);
  const auto raw = [](std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); };
  crypto_aead_xchacha20poly1305_ietf_encrypt(reinterpret_cast<unsigned char*>(out.data()) + 24, nullptr,
                                             raw(plain), plain.size(), raw(data), data.size(), nullptr,
                                             raw(out), raw(key.view()));
  return out;
}

// Of a snapshot that has room for whatever the entries say.
ManifestHeader header_of(std::size_t entries) {
  ManifestHeader header;
  header.epoch = epoch().commitment();
  header.chunks = entries;
  header.packs.resize(2, {.hash = {}, .bytes = 1 << 20});
  return header;
}

std::string frame(std::uint32_t number, std::string_view plain) {
  std::string data("swarmdns backup frame v1\0\0\0\0\0\0\0\0\0", 33);
  append_be32(data, number);
  return sealed("manifest", data, plain);
}

void read_front(std::string_view octets) {
  const auto header = read_manifest_front(as_octets(octets), "snapshots/20261122t235805z-a0a1a2a3a4a5a6a7");
  if (!header) {
    FUZZ_CHECK(!header.error().what.empty());
    return;
  }
  FUZZ_CHECK(header->name() == "snapshots/20261122t235805z-a0a1a2a3a4a5a6a7");
  for (std::size_t i = 0; i < header->frames.size(); ++i) {
    const FrameRef& ref = header->frames[i];
    if (ref.offset + ref.bytes > octets.size()) return;
    const Bytes frame = as_octets(octets).subspan(ref.offset, ref.bytes);
    if (!check_frame(*header, i, frame, "m")) return;
    if (i == 0) (void)read_parts(*header, frame, epoch(), "m");
    if (i > 0) (void)read_chunks(*header, i, frame, epoch(), "m");
  }
}

void read_signed(std::string_view header) {
  static const LedgerKey node = std::move(*ledger_key_from_seed(filled(7).view()));
  std::string octets("swarmdns-snap-v1");
  append_be32(octets, static_cast<std::uint32_t>(header.size()));
  octets += header;
  std::string message("swarmdns backup signature v1\0", 29);
  append(message, blake("swarmdns backup manifest v1", {as_octets(header)}));
  read_front(octets + node.sign(message));
}

void read_part_list(std::string_view plain) {
  ManifestHeader header = header_of(2);
  header.plain_bytes = 300;
  const auto parts = read_parts(header, as_octets(frame(0, plain)), epoch(), "m");
  if (!parts) return;
  std::uint64_t chunks = 0;
  for (const SnapshotPart& part : *parts) {
    FUZZ_CHECK(valid_part_name(part.name) && part.first_chunk == chunks);
    chunks += part.chunks;
  }
  FUZZ_CHECK(chunks == header.chunks);
}

void read_entries(std::string_view plain) {
  const ManifestHeader header = header_of(plain.size() / kChunkEntry);
  const auto chunks = read_chunks(header, 1, as_octets(frame(1, plain)), epoch(), "m");
  if (!chunks) return;
  for (const ChunkRef& chunk : *chunks) {
    FUZZ_CHECK(chunk.pack < header.packs.size());
    FUZZ_CHECK(std::uint64_t{chunk.offset} + chunk.sealed_bytes <= header.packs[chunk.pack].bytes);
  }
}

void read_directory(std::string_view plain) {
  const std::size_t count = plain.size() / kPackEntry;
  constexpr std::size_t kChunks = 500;  // octets in front of the directory
  std::string pack("swarmdns-pack-v1");
  append(pack, epoch().commitment());
  pack.resize(kPackHead + kChunks);
  std::string data("swarmdns backup directory v1\0", 29);
  append(data, epoch().commitment());
  append_be32(data, static_cast<std::uint32_t>(pack.size()));
  append_be32(data, static_cast<std::uint32_t>(count));
  pack += sealed("directory", data, plain.substr(0, count * kPackEntry));
  append_be32(pack, static_cast<std::uint32_t>(count));
  const auto entries = read_pack_directory(as_octets(pack), epoch(), "p");
  if (!entries) return;
  std::size_t at = kPackHead;
  for (const PackEntry& entry : *entries) {
    FUZZ_CHECK(entry.offset == at);
    at += entry.sealed_bytes;
  }
  FUZZ_CHECK(at == kPackHead + kChunks);
}

void read_chunk(std::string_view octets) {
  OctetReader reader(as_octets(octets));
  const std::size_t plain_bytes = reader.be32();
  if (!reader.ok()) return;
  const std::string data("swarmdns backup chunk v1\0", 25);
  static ChunkCodec codec;
  static const ChunkKeys keys(epoch());
  std::vector<std::byte> plain;
  // Whatever it holds, it is not what this id says.
  const std::string chunk = sealed("chunk", data + std::string(32, '\0'), octets.substr(4));
  FUZZ_CHECK(!codec.open(keys, Digest{}, plain_bytes, as_octets(chunk), plain));
  FUZZ_CHECK(plain.empty() || plain.size() == plain_bytes);
}

void read_typed(std::string_view text) {
  if (const auto recipient = parse_recipient(text))
    FUZZ_CHECK(parse_recipient(recipient->text()) == *recipient);
  if (const auto secret = from_recovery_form(text))
    FUZZ_CHECK(from_recovery_form(recovery_form(*secret).view())->view() == secret->view());
  if (const auto file = parse_operator_key(text, "f"))
    FUZZ_CHECK(file->cost.bytes <= kMostPassphraseCost.bytes);
  if (const auto name = parse_snapshot_name(text))
    FUZZ_CHECK(snapshot_name(name->created_s * 1000, name->id) == text);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool ready = sodium_init() >= 0;
  FUZZ_CHECK(ready);
  if (size == 0) return 0;
  const std::string_view rest = as_text(std::as_bytes(std::span(data, size)).subspan(1));
  switch (data[0]) {
    case 0:
      if (const auto envelope = decode_envelope(as_octets(rest), "e"))
        FUZZ_CHECK(encode_envelope(*envelope) == rest);
      break;
    case 1:
      read_front(rest);
      break;
    case 2:
      read_signed(rest);
      break;
    case 3:
      read_part_list(rest);
      break;
    case 4:
      read_entries(rest);
      break;
    case 5:
      (void)read_pack_directory(as_octets(rest), epoch(), "p");
      break;
    case 6:
      read_directory(rest);
      break;
    case 7:
      read_chunk(rest);
      break;
    case 8:
      read_typed(rest);
      break;
    default:
      break;
  }
  return 0;
}
