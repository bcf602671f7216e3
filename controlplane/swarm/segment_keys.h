// Keys and index values of the segment store (docs/formats/segments.md): integers are big-endian, so that the
// order of keys is the order of numbers.
#pragma once

#include <rocksdb/iterator.h>
#include <rocksdb/status.h>

#include <cstdint>
#include <cstring>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "controlplane/swarm/segment_store.h"

namespace swarmdns::controlplane::segment_keys {

inline constexpr char kHeader = 'h';
inline constexpr char kName = 'n';
inline constexpr char kErased = 'e';
inline constexpr char kCarriedOut = 'd';
inline constexpr std::uint64_t kHourMs = 3'600'000;

inline std::unexpected<std::string> problem(const char* what, const rocksdb::Status& status) {
  return std::unexpected(std::string("mutation segments: ") + what + ": " + status.ToString());
}

inline std::string segment_key(NodeId node, std::uint64_t number) {
  std::string key;
  append_be64(key, node);
  append_be64(key, number);
  return key;
}
inline std::string header_key(NodeId node, std::uint64_t number) {
  return kHeader + segment_key(node, number);
}
inline std::string hour_key(std::uint32_t hour) {
  std::string key(1, kName);
  append_be32(key, hour);
  return key;
}
inline std::string bucket_key(std::uint32_t hour, std::byte bucket) {
  return hour_key(hour) + static_cast<char>(bucket);
}
inline std::string erased_key(const NameTag& tag) {
  return kErased + std::string(as_text(tag));
}

inline std::string carried_out_key(const Hash& erasure) {
  return kCarriedOut + std::string(as_text(erasure));
}

inline std::uint32_t hour_of(std::uint64_t unix_ms) {
  return static_cast<std::uint32_t>(unix_ms / kHourMs);
}

// The header that a cursor stands on.
struct HeaderAt {
  NodeId node = 0;
  std::uint64_t number = 0;
  rocksdb::Slice value;  // serialised SignedSegment
};
// nullopt: it stands on none, or on one of another node (`node` 0: any will do).
std::optional<HeaderAt> header_at(const rocksdb::Iterator& at, NodeId node);
// Both of a value. Error: a sentence.
struct HeaderRead {
  v1::SegmentHeader header;
  Hash hash{};
};
std::expected<HeaderRead, std::string> read_header(std::string_view value);

// What stands in the index for one mutation: the four octets of its tag behind the bucket, and its position.
inline constexpr std::size_t kIndexEntry = 6;
void append_entry(std::string& out, const NameTag& tag, std::uint32_t position);
inline bool entry_is(std::string_view entry, const NameTag& tag) {
  return std::memcmp(entry.data(), &tag[1], 4) == 0;
}
// `use(entry, position)`
template <typename Use>
void each_entry(std::string_view entries, const Use& use) {
  for (; entries.size() >= kIndexEntry; entries.remove_prefix(kIndexEntry)) {
    const auto high = static_cast<unsigned char>(entries[4]);
    const auto low = static_cast<unsigned char>(entries[5]);
    use(entries.substr(0, kIndexEntry), static_cast<std::uint32_t>(high) << 8 | low);
  }
}

}  // namespace swarmdns::controlplane::segment_keys
