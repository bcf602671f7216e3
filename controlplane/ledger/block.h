// The block header: the octets that are hashed, signed by nobody alone, equal on every node
// (docs/formats/ledger.md). Thread-safe.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "controlplane/ledger/commitment.h"

namespace swarmdns::controlplane {

struct BlockHeader {
  SwarmId swarm{};
  std::uint32_t incarnation = 0;
  std::uint64_t height = 0;
  Hash previous{};            // block hash of height - 1
  std::uint64_t time_ms = 0;  // wall clock of the leader, never below the block's before
  std::uint64_t first_leaf = 0;
  std::uint32_t leaf_count = 0;
  std::uint64_t tree_size = 0;  // first_leaf + leaf_count
  Hash tree_root{};
  Hash state_root{};

  bool operator==(const BlockHeader&) const = default;
};

inline constexpr std::size_t kBlockHeaderOctets = 170;

// "swarmdns block v1" 0x00 || the fields in their order, integers big-endian.
std::string encode_block_header(const BlockHeader& header);
// The error is a sentence: another length, another version, sizes that do not add up.
std::expected<BlockHeader, std::string> decode_block_header(Bytes octets);
Hash block_hash(const BlockHeader& header);

// That `next` may stand right behind `previous`: swarm, incarnation, height, hash, first leaf, time.
std::expected<void, std::string> check_block_link(const BlockHeader& previous, const BlockHeader& next);

}  // namespace swarmdns::controlplane
