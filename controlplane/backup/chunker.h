// Where a stream is cut into chunks: after FastCDC (Xia et al., USENIX ATC 2016), with a table that comes of
// a key, so that what is stored does not tell by its lengths what it is. Over the octets behind the least
// size,
//   h = 2 h + table[octet]  modulo 2^64,
// a chunk ends behind the octet where the first 20 bits of h are zero; behind the average size, 16 bits
// suffice. table[i] is big-endian in octets 8 (i mod 8) … of BLAKE2b-512(key = the root key's derived
// "boundaries"; be32 of i / 8 rounded down). Any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "controlplane/backup/root_key.h"

namespace swarmdns::controlplane {

inline constexpr std::size_t kLeastChunk = std::size_t{64} << 10;
inline constexpr std::size_t kAverageChunk = std::size_t{256} << 10;
inline constexpr std::size_t kMostChunk = std::size_t{1} << 20;

class Chunker {
 public:
  explicit Chunker(const RootKey& key);
  ~Chunker() { sodium_memzero(table_.data(), sizeof table_); }
  Chunker(const Chunker&) = delete;
  Chunker& operator=(const Chunker&) = delete;

  // Length of the first chunk of `data`, which holds at least kMostChunk octets or ends the stream; not
  // empty.
  std::size_t cut(Bytes data) const;

 private:
  std::array<std::uint64_t, 256> table_;
};

}  // namespace swarmdns::controlplane
