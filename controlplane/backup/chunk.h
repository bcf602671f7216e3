// One chunk as it is stored. With the keys derived from the root key of its part (an epoch's or a day's):
//   id     = BLAKE2b-256(key "chunk id"; "swarmdns backup chunk id v1" 0x00 ‖ plain octets)
//   sealed = nonce (24, random) ‖ XChaCha20-Poly1305(key "chunk"; nonce; data; inner)
//   data   = "swarmdns backup chunk v1" 0x00 ‖ id
//   inner  = method (0x00 as it is, 0x01 zstd frame) ‖ be32 n ‖ n octets ‖ zeros up to a length of Padmé
// A store sees neither what a chunk is nor whether another key's has the same contents, and of its length
// only the first bits. The id is checked when it is opened, and so is the key. A codec serves one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "controlplane/backup/error.h"
#include "controlplane/backup/root_key.h"

namespace swarmdns::controlplane {

inline constexpr std::size_t kSealOverhead = 24 + 16;

// The length that Padmé (Nikitin et al., PETS 2019) gives to something of `length` octets: at most 12 % more.
std::size_t padme(std::size_t length);

struct ChunkKeys {
  explicit ChunkKeys(const RootKey& root) : id(root.derived("chunk id")), seal(root.derived("chunk")) {}
  Secret id;
  Secret seal;
};

Digest chunk_id(const ChunkKeys& keys, Bytes plain);

class ChunkCodec {
 public:
  explicit ChunkCodec(int level = 1);  // zstd's, 1 to 19
  ~ChunkCodec();
  ChunkCodec(const ChunkCodec&) = delete;
  ChunkCodec& operator=(const ChunkCodec&) = delete;

  // Appends the sealed chunk to `out`, the number of octets. `plain`: 1 to kMostChunk octets.
  std::size_t seal(const ChunkKeys& keys, const Digest& id, Bytes plain, std::vector<std::byte>& out);
  // Into `plain`, which is resized. The error is the end of a sentence that begins with the chunk.
  BackupResult<void> open(const ChunkKeys& keys, const Digest& id, std::size_t plain_bytes, Bytes sealed,
                          std::vector<std::byte>& plain);

 private:
  struct Contexts;
  std::unique_ptr<Contexts> contexts_;
  std::vector<std::byte> scratch_;
};

// The least and the most that a chunk of that many plain octets may take when sealed.
bool plausible_sealed_size(std::size_t plain_bytes, std::size_t sealed_bytes);

}  // namespace swarmdns::controlplane
