// A pack: sealed chunks one behind the other, a directory of them, and the directory's length. It is named by
// the BLAKE2b-256 of its octets, so that whether it is whole and unaltered can be told without a key.
//   "swarmdns-pack-v1" ‖ commitment of the epoch's key (32)
//   chunks
//   nonce (24) ‖ XChaCha20-Poly1305(the epoch key's "directory"; nonce; data; entries), count × 52 + 40
//   octets be32 count
// data = "swarmdns backup directory v1" 0x00 ‖ commitment ‖ be32 offset of the directory ‖ be32 count.
// entry = id (32) ‖ key id (8) ‖ be32 offset ‖ be32 sealed size ‖ be32 plain size. Entries follow each other
// as the chunks do, without a gap, from octet 48 to the directory. The key id is that of the chunk's root
// key. A PackWriter serves one thread; the functions any.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "controlplane/backup/chunk.h"
#include "controlplane/backup/error.h"
#include "controlplane/backup/root_key.h"

namespace swarmdns::controlplane {

inline constexpr std::size_t kPackHead = 48;
inline constexpr std::size_t kPackEntry = 52;
inline constexpr std::size_t kMostPackBytes = std::size_t{64} << 20;
inline constexpr std::size_t kMostPackChunks = 65'536;

struct PackEntry {
  Digest id{};
  KeyId key{};
  std::uint32_t offset = 0;
  std::uint32_t sealed_bytes = 0;
  std::uint32_t plain_bytes = 0;

  bool operator==(const PackEntry&) const = default;
};

class PackWriter {
 public:
  // Room for that many octets is made at once: growing would copy them again and again.
  explicit PackWriter(const RootKey& epoch, std::size_t expected_bytes = 0);

  bool empty() const { return entries_.empty(); }
  std::size_t bytes() const { return octets_.size(); }
  std::size_t chunks() const { return entries_.size(); }
  // Where the codec appends; add() then says what it was.
  std::vector<std::byte>& octets() { return octets_; }
  std::uint32_t add(const Digest& id, const KeyId& key, std::size_t sealed_bytes, std::size_t plain_bytes);

  struct Finished {
    Digest hash{};
    std::vector<std::byte> octets;
  };
  // Begins anew.
  Finished finish();

 private:
  void begin();

  Digest commitment_;
  Secret directory_key_;
  std::size_t expected_bytes_;
  std::vector<std::byte> octets_;
  std::vector<PackEntry> entries_;
};

// Octets from the end of a pack that hold the directory, told from its last four; an error when that many
// chunks cannot be in `pack_bytes`.
BackupResult<std::size_t> pack_tail_bytes(Bytes last_four, std::uint64_t pack_bytes,
                                          const std::string& object);
// `tail`: the last pack_tail_bytes of the pack. Says whose key it is when it is another's: `head` are the
// first kPackHead octets.
BackupResult<std::vector<PackEntry>> read_pack_directory(Bytes head, Bytes tail, std::uint64_t pack_bytes,
                                                         const RootKey& epoch, const std::string& object);
// Of a whole pack in memory.
BackupResult<std::vector<PackEntry>> read_pack_directory(Bytes pack, const RootKey& epoch,
                                                         const std::string& object);

}  // namespace swarmdns::controlplane
