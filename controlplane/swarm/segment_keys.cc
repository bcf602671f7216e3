#include "controlplane/swarm/segment_keys.h"

namespace swarmdns::controlplane::segment_keys {

std::optional<HeaderAt> header_at(const rocksdb::Iterator& at, NodeId node) {
  if (!at.Valid()) return std::nullopt;
  const std::string_view key = at.key().ToStringView();
  if (key.size() != 17 || key[0] != kHeader) return std::nullopt;
  OctetReader reader(as_octets(key.substr(1)));
  HeaderAt found;
  found.node = reader.be64();
  found.number = reader.be64();
  found.value = at.value();
  if (node != 0 && found.node != node) return std::nullopt;
  return found;
}

std::expected<HeaderRead, std::string> read_header(std::string_view value) {
  v1::SignedSegment segment;
  HeaderRead read;
  if (!segment.ParseFromArray(value.data(), static_cast<int>(value.size())) ||
      !read.header.ParseFromString(segment.header()))
    return std::unexpected("mutation segments: a header cannot be read");
  read.hash = segment_hash(as_octets(segment.header()));
  return read;
}

void append_entry(std::string& out, const NameTag& tag, std::uint32_t position) {
  for (std::size_t i = 1; i < 5; ++i) out += static_cast<char>(tag[i]);
  out += static_cast<char>(position >> 8);
  out += static_cast<char>(position);
}

}  // namespace swarmdns::controlplane::segment_keys
