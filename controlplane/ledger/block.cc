#include "controlplane/ledger/block.h"

namespace swarmdns::controlplane {
namespace {

constexpr char kDomain[] = "swarmdns block v1";  // with its terminating zero

}  // namespace

std::string encode_block_header(const BlockHeader& header) {
  std::string octets(kDomain, sizeof kDomain);
  octets.reserve(kBlockHeaderOctets);
  append(octets, header.swarm);
  append_be32(octets, header.incarnation);
  append_be64(octets, header.height);
  append(octets, header.previous);
  append_be64(octets, header.time_ms);
  append_be64(octets, header.first_leaf);
  append_be32(octets, header.leaf_count);
  append_be64(octets, header.tree_size);
  append(octets, header.tree_root);
  append(octets, header.state_root);
  return octets;
}

std::expected<BlockHeader, std::string> decode_block_header(Bytes octets) {
  if (octets.size() != kBlockHeaderOctets) {
    return std::unexpected("a block header has " + std::to_string(kBlockHeaderOctets) + " octets, not " +
                           std::to_string(octets.size()));
  }
  OctetReader reader(octets);
  if (as_text(reader.take(sizeof kDomain)) != std::string_view(kDomain, sizeof kDomain))
    return std::unexpected(std::string("a block header begins with \"") + kDomain + "\"");
  BlockHeader header;
  header.swarm = reader.array<16>();
  header.incarnation = reader.be32();
  header.height = reader.be64();
  header.previous = reader.array<32>();
  header.time_ms = reader.be64();
  header.first_leaf = reader.be64();
  header.leaf_count = reader.be32();
  header.tree_size = reader.be64();
  header.tree_root = reader.array<32>();
  header.state_root = reader.array<32>();
  if (header.tree_size < header.leaf_count || header.tree_size - header.leaf_count != header.first_leaf) {
    return std::unexpected("block " + std::to_string(header.height) +
                           ": first leaf and leaf count do not add up to the tree size");
  }
  return header;
}

Hash block_hash(const BlockHeader& header) {
  return sha256({as_octets(encode_block_header(header))});
}

std::expected<void, std::string> check_block_link(const BlockHeader& previous, const BlockHeader& next) {
  const std::string block = "block " + std::to_string(next.height);
  if (next.swarm != previous.swarm || next.incarnation != previous.incarnation)
    return std::unexpected(block + " is of another swarm or incarnation than the block before it");
  if (next.height == 0 || next.height - 1 != previous.height)
    return std::unexpected(block + " does not follow block " + std::to_string(previous.height));
  if (next.previous != block_hash(previous)) return std::unexpected(block + " names another block before it");
  if (next.first_leaf != previous.tree_size)
    return std::unexpected(block + " does not begin where the tree of the block before it ends");
  if (next.time_ms < previous.time_ms) return std::unexpected(block + " is older than the block before it");
  return {};
}

}  // namespace swarmdns::controlplane
