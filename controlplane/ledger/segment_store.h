// Mutation segments as a node keeps them, its own and its peers': headers and salts, bodies for a while, and
// the index of names by which bodies are found. In the ledger's RocksDB; errors are sentences. Reactor
// thread.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/ledger/segment.h"
#include "controlplane/ledger/store_db.h"

namespace swarmdns::controlplane {

// A keyed hash of a name, so that the index itself does not name it.
using NameTag = std::array<std::byte, 32>;

// Where a mutation stands.
struct MutationPlace {
  std::uint64_t node = 0;
  std::uint64_t segment = 0;
  std::uint32_t position = 0;
  auto operator<=>(const MutationPlace&) const = default;
};

// A line of the index of names.
struct NameEntry {
  NameTag tag{};
  std::uint64_t time_ms = 0;  // of the mutation, at its maker
  std::uint16_t type = 0;     // of the record set
  MutationPlace place;
  bool operator==(const NameEntry&) const = default;
};

class SegmentStore {
 public:
  explicit SegmentStore(StoreDb& db) : db_(db) {}

  // A verified segment with all its leaves, and which names they are about.
  StoreResult put(const v1::SegmentBody& segment, const std::vector<NameEntry>& names);
  // With its leaves: erased ones have a commitment only, of an expired segment there are none. nullopt: not
  // kept.
  std::expected<std::optional<v1::SegmentBody>, std::string> get(std::uint64_t node,
                                                                 std::uint64_t number) const;
  // The newest of a node. nullopt: none.
  std::expected<std::optional<std::uint64_t>, std::string> newest(std::uint64_t node) const;
  // nullopt: no such mutation is kept. Salted, whether the segment has a seed or not; or a commitment alone.
  std::expected<std::optional<v1::MutationLeaf>, std::string> mutation(const MutationPlace& place) const;
  // Of all leaves of a segment that is kept whole, in order.
  static std::vector<Hash> commitments(const v1::SegmentBody& segment);

  // Mutations of a name, the newest first; false ends it.
  StoreResult history(const NameTag& tag, const std::function<bool(const NameEntry&)>& visit) const;

  // Destroys salts and bodies, the seeds of their segments, and their lines of the index. The other mutations
  // of the segments get their salts one by one; commitments stay. Gone from the files only after scrub().
  // Returns how many were there.
  std::expected<std::uint64_t, std::string> erase(const std::vector<MutationPlace>& places);
  std::expected<std::uint64_t, std::string> erase_name(const NameTag& tag);

  // Forgets bodies, salts and lines of the index of segments whose last mutation is older than `time_ms`, at
  // most `most` segments at once; headers stay. Returns how many. Segments are taken to rise in time.
  std::expected<std::uint64_t, std::string> expire(std::uint64_t node, std::uint64_t time_ms,
                                                   std::uint64_t most);
  // The lowest number of a node with bodies; 0 when all are there.
  std::expected<std::uint64_t, std::string> expired_below(std::uint64_t node) const;

 private:
  std::string broken(const std::string& what) const;
  std::expected<std::optional<v1::SegmentBody>, std::string> head_row(std::uint64_t node,
                                                                      std::uint64_t number) const;

  StoreDb& db_;
};

}  // namespace swarmdns::controlplane
