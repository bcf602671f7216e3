// A snapshot's manifest: a public, signed header, and encrypted frames that the header names by their hashes,
// so that a part can be found without reading the others.
//   "swarmdns-snap-v1" ‖ be32 n ‖ header (n octets, swarmdns.v1.SnapshotHeader) ‖ signature (64) ‖ frames
//   manifest hash = BLAKE2b-256("swarmdns backup manifest v1" 0x00 ‖ header)
//   signature     = Ed25519 by the node's ledger key over "swarmdns backup signature v1" 0x00 ‖ manifest hash
//   frame         = nonce (24) ‖ XChaCha20-Poly1305(the epoch key's "manifest"; nonce; data; plain)
//   data          = "swarmdns backup frame v1" 0x00 ‖ snapshot id (8) ‖ be32 number of the frame
// Frame 0 is be32 m ‖ SnapshotParts (m octets) ‖ zeros up to a length of Padmé. Each following frame holds
// 4,096 chunk entries, the last what is left: id (32) ‖ be32 number of the pack ‖ be32 offset ‖ be32 sealed
// size ‖ be32 plain size. Parts follow each other in the entries without a gap. Pure but for random numbers;
// any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "controlplane/backup/error.h"
#include "controlplane/backup/names.h"
#include "controlplane/backup/recipient.h"
#include "controlplane/backup/root_key.h"
#include "controlplane/certs/keys.h"

namespace swarmdns::controlplane {

inline constexpr std::size_t kManifestHead = 20;
inline constexpr std::size_t kSignatureBytes = 64;
inline constexpr std::size_t kMostHeaderBytes = std::size_t{16} << 20;
inline constexpr std::size_t kChunkEntry = 48;
inline constexpr std::size_t kFrameChunks = 4096;
inline constexpr std::uint64_t kMostChunks = std::uint64_t{4} << 20;  // 1 TiB at the average size
inline constexpr std::size_t kMostParts = 65'536;
inline constexpr std::size_t kMostPartsFrame = std::size_t{32} << 20;

// Where the ledger stood.
struct LedgerFacts {
  std::uint64_t height = 0;  // 0: none
  Digest block{};
  Digest state{};

  bool operator==(const LedgerFacts&) const = default;
};

struct PackRef {
  Digest hash{};
  std::uint32_t bytes = 0;

  bool operator==(const PackRef&) const = default;
};

struct FrameRef {
  Digest hash{};
  std::uint32_t bytes = 0;
  std::uint64_t offset = 0;  // in the object; computed

  bool operator==(const FrameRef&) const = default;
};

struct ManifestHeader {
  std::array<std::byte, 16> swarm{};
  std::uint32_t incarnation = 0;
  std::uint64_t node = 0;
  std::array<std::byte, 32> node_key{};
  SnapshotId id{};
  std::int64_t created_ms = 0;
  LedgerFacts ledger;
  Digest epoch{};
  std::vector<RecipientId> recipients;
  std::string previous;  // 32 octets, or none
  std::uint64_t plain_bytes = 0;
  std::uint64_t stored_bytes = 0;
  std::uint64_t chunks = 0;
  std::vector<PackRef> packs;
  std::vector<FrameRef> frames;

  Digest hash{};            // of the manifest; computed
  std::uint64_t bytes = 0;  // of the object; computed

  std::string name() const { return snapshot_name(created_ms, id); }
};

struct SnapshotPart {
  std::string name;
  std::string kind;
  std::uint64_t bytes = 0;
  Digest hash{};
  std::string day;  // "": not erasable
  Digest key{};     // commitment of the day's key
  std::uint64_t first_chunk = 0;
  std::uint64_t chunks = 0;

  bool operator==(const SnapshotPart&) const = default;
};

struct ChunkRef {
  Digest id{};
  std::uint32_t pack = 0;  // in the header's list
  std::uint32_t offset = 0;
  std::uint32_t sealed_bytes = 0;
  std::uint32_t plain_bytes = 0;

  bool operator==(const ChunkRef&) const = default;
};

// 1 to 255 octets of printable ASCII without blanks; no empty, "." or ".." component, no slash at either end.
bool valid_part_name(std::string_view name);

// The hash of a part: BLAKE2b-256("swarmdns backup part v1" 0x00 ‖ for each chunk: id ‖ be32 plain size).
class PartHash {
 public:
  void add(const Digest& id, std::uint32_t plain_bytes);
  Digest finish() { return hash_.finish(); }

 private:
  Blake hash_{"swarmdns backup part v1"};
};

// `header` without what is computed, chunks, frames, node_key and plain_bytes, which are set here.
struct WrittenManifest {
  ManifestHeader header;
  std::string octets;
};
WrittenManifest write_manifest(ManifestHeader header, const std::vector<SnapshotPart>& parts,
                               const std::vector<ChunkRef>& chunks, const RootKey& epoch,
                               const LedgerKey& node);

// Octets from the front that hold header and signature, told by the first kManifestHead.
BackupResult<std::size_t> manifest_front_bytes(Bytes head, const std::string& object);
// Verifies the signature by the key in the header (whether that key is a node's of the swarm is the caller's
// to ask), the limits, and that `object` is the name that the header gives.
BackupResult<ManifestHeader> read_manifest_front(Bytes front, const std::string& object);

// That the octets are those of frame `number`; names a frame that stands in another's place.
BackupResult<void> check_frame(const ManifestHeader& header, std::size_t number, Bytes frame,
                               const std::string& object);
// Of checked frames. The parts fit each other and the header.
BackupResult<std::vector<SnapshotPart>> read_parts(const ManifestHeader& header, Bytes frame,
                                                   const RootKey& epoch, const std::string& object);
BackupResult<std::vector<ChunkRef>> read_chunks(const ManifestHeader& header, std::size_t number, Bytes frame,
                                                const RootKey& epoch, const std::string& object);

}  // namespace swarmdns::controlplane
