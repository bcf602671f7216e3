// Mutation segments of all nodes as this one keeps them: bodies, headers, and an index of names, in two
// column families of a RocksDB that the caller opened (docs/formats/segments.md). A segment is one value,
// compressed here; the index has one value for each hour, segment and 256th of the names: a name's history is
// found by reading a 256th of the index.
//
// Any thread, several at once; every call may read or write files. The error is a sentence.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <rocksdb/db.h>

#include "controlplane/swarm/segment.h"
#include "swarmdns/v1/peer.pb.h"

namespace swarmdns::controlplane {

// Keyed BLAKE2b-256 of a name (wire format, lower case): the swarm's key of name tags is not public, so a tag
// tells nobody the name.
using NameKey = std::array<std::byte, 32>;
using NameTag = std::array<std::byte, 32>;
NameTag name_tag(const NameKey& key, Bytes qname);

class SegmentStore {
 public:
  struct Columns {  // all outlive the store
    rocksdb::DB* db = nullptr;
    rocksdb::ColumnFamilyHandle* segments = nullptr;
    rocksdb::ColumnFamilyHandle* mutations = nullptr;
  };
  // How these column families are to be opened.
  static rocksdb::ColumnFamilyOptions segments_options();
  static rocksdb::ColumnFamilyOptions mutations_options();

  SegmentStore(Columns columns, const NameKey& key);

  struct Item {
    const v1::SegmentBody* body = nullptr;
    const v1::SegmentHeader* header = nullptr;             // of the body
    const std::vector<v1::Mutation>* mutations = nullptr;  // of the body, by position
  };
  // One batch. `durable`: synced to the disk before it returns.
  std::expected<void, std::string> put(std::span<const Item> items, bool durable);

  enum class Placed : std::uint8_t {
    kNew,
    kKnown,   // it is there already
    kForked,  // another one stands in its place, or its neighbours are not those that it names
  };
  struct Placement {
    Placed placed = Placed::kNew;
    std::string fork;  // kForked: what contradicts it
  };
  // A checked segment of another node. Nothing is written but for kNew.
  std::expected<Placement, std::string> put_received(const Item& item, const Hash& hash);

  // nullopt: not here (any more).
  std::expected<std::optional<v1::SegmentBody>, std::string> get(NodeId node, std::uint64_t number) const;
  std::expected<std::optional<v1::SignedSegment>, std::string> header(NodeId node,
                                                                      std::uint64_t number) const;
  // The number of the segment that has this mutation, or the gap in its place.
  std::expected<std::optional<std::uint64_t>, std::string> find(NodeId node, std::uint64_t mutation) const;

  struct Head {
    std::uint64_t number = 0;  // 0: none
    v1::SegmentHeader header;
    Hash hash{};
  };
  std::expected<Head, std::string> head(NodeId node) const;
  std::expected<std::uint64_t, std::string> oldest(NodeId node) const;  // number; 0 = none
  // The first number from `from` on that is missing below `until`; `until` when none is.
  std::expected<std::uint64_t, std::string> first_missing(NodeId node, std::uint64_t from,
                                                          std::uint64_t until) const;
  // Ranges of a node's mutations that no body tells of: gap segments, and all of a segment that has gaps
  // within.
  std::expected<std::vector<v1::MutationRange>, std::string> gaps(NodeId node) const;

  // Newest first, at most `limit`; `more`: there are others. `qtype` 0: all. Of segments that begin by
  // `until_ms`. A zone's flushes are its name's, the flush of everything is the root's.
  std::expected<v1::NameAnswer, std::string> history(Bytes qname, std::uint32_t qtype, std::size_t limit,
                                                     std::uint64_t until_ms = UINT64_MAX) const;

  // Drops what ended before that Unix time. How many segments.
  std::expected<std::uint64_t, std::string> expire(std::uint64_t before_ms);

  // Destroys bodies and salts, also in the files. How many. Places that are not here are passed over.
  std::expected<std::uint64_t, std::string> erase(std::span<const v1::MutationPlace> places);
  // All of that name in segments that ended by `until_ms`, those too that come only now.
  std::expected<std::uint64_t, std::string> erase_name(const NameTag& tag, std::uint64_t until_ms);

  // Erasures of the ledger that were carried out here, by a hash of them.
  std::expected<bool, std::string> carried_out(const Hash& erasure) const;
  std::expected<void, std::string> set_carried_out(const Hash& erasure);

  NameTag tag(Bytes qname) const { return name_tag(key_, qname); }
  std::uint64_t bytes() const;  // of files and memory of both column families, as RocksDB estimates it

 private:
  struct Place {
    NodeId node = 0;
    std::uint64_t number = 0;
    bool operator<(const Place& other) const {
      return std::pair(node, number) < std::pair(other.node, other.number);
    }
  };
  struct Erased {
    NameTag tag{};
    std::uint64_t until_ms = 0;
  };
  using Tags = std::vector<NameTag>;

  std::expected<void, std::string> add(rocksdb::WriteBatch& batch, const Item& item);
  Tags tags_of(const std::vector<v1::Mutation>& mutations) const;
  std::expected<std::map<Place, std::vector<std::uint32_t>>, std::string> hits(const NameTag& tag) const;
  std::expected<std::uint64_t, std::string> forget(const std::map<Place, std::vector<std::uint32_t>>& places);
  std::expected<void, std::string> scrub(const std::map<Place, std::vector<std::uint32_t>>& places);
  std::expected<std::vector<NodeId>, std::string> nodes() const;
  void read_erased();

  const Columns columns_;
  const NameKey key_;
  // Writers that read first: erasing, and placing what was received.
  std::mutex change_;
  mutable std::mutex erased_mutex_;
  std::vector<Erased> erased_;
};

}  // namespace swarmdns::controlplane
