// The Merkle root over the swarm's state, an ordered map of octet strings: 4096 buckets by the first 12 bits
// of SHA-256(key). A bucket's hash is SHA-256(0x02 || for each key in order: be32 length || key ||
// SHA-256(value)), 32 zero octets when it is empty; the 12 levels above are SHA-256(0x03 || left || right).
// One thread.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "controlplane/ledger/hash.h"

namespace swarmdns::controlplane {

inline constexpr unsigned kStateBuckets = 4096;

// 0..4095
std::uint16_t state_bucket(Bytes key);

class StateReader {
 public:
  // false ends the scan.
  using Row = std::function<bool(Bytes key, const Hash& value_hash)>;

  virtual ~StateReader() = default;
  // All keys of a bucket, ascending by octets. The error is a sentence.
  virtual std::expected<void, std::string> scan_bucket(std::uint16_t bucket, const Row& row) const = 0;
};

std::expected<Hash, std::string> state_bucket_hash(const StateReader& reader, std::uint16_t bucket);

// What changes in a StateTree; see prepare().
struct StateTreeChange {
  Hash root{};
  std::vector<std::pair<std::uint32_t, Hash>> nodes;
};

class StateTree {
 public:
  // Of the empty state.
  StateTree();
  // Reads every bucket.
  static std::expected<StateTree, std::string> read(const StateReader& reader);

  const Hash& root() const { return nodes_[1]; }
  // The root as it will be when `reader`'s state is in force, which differs in the touched buckets only.
  // Hashes these again, and each node above them once; the tree itself stays as it is until commit().
  std::expected<StateTreeChange, std::string> prepare(const StateReader& reader,
                                                      const std::set<std::uint16_t>& touched) const;
  void commit(const StateTreeChange& change);
  const Hash& bucket_hash(std::uint16_t bucket) const { return nodes_[kStateBuckets + bucket]; }

 private:
  std::vector<Hash> nodes_;  // 1 is the root, the children of i are 2i and 2i + 1; 0 is not used
};

}  // namespace swarmdns::controlplane
