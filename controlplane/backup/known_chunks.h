// The chunks that a writer need not send again, and those it has sent: where each lies. 48 octets a chunk and
// 8 on average for finding it: 1 TiB of chunks of the average size take 235 MB. One thread.
#pragma once

#include <cstdint>
#include <vector>

#include "controlplane/backup/blake.h"

namespace swarmdns::controlplane {

struct KnownChunk {
  Digest id{};
  std::uint32_t pack = 0;  // in the writer's list
  std::uint32_t offset = 0;
  std::uint32_t sealed_bytes = 0;
  std::uint32_t plain_bytes = 0;
};

class KnownChunks {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  KnownChunks();

  // Its number, or kNone. Ids come of a secret key: nobody can make them meet in the table.
  std::uint32_t find(const Digest& id) const;
  // One that is not there.
  std::uint32_t add(const KnownChunk& chunk);
  KnownChunk& operator[](std::uint32_t number) { return chunks_[number]; }
  std::size_t size() const { return chunks_.size(); }

 private:
  std::size_t place_of(const Digest& id) const;
  void grow();

  std::vector<KnownChunk> chunks_;
  std::vector<std::uint32_t> table_;  // at most three quarters full; a power of two
};

}  // namespace swarmdns::controlplane
