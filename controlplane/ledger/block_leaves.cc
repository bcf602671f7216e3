#include "controlplane/ledger/block_leaves.h"

namespace swarmdns::controlplane {

StoreResult each_leaf(const LedgerStore& store, std::uint64_t height,
                      const std::function<bool(const BlockLeaf&)>& visit) {
  const auto record = store.block(height);
  if (!record) return std::unexpected(record.error());
  if (!*record) return std::unexpected("block " + std::to_string(height) + " is not there");
  const auto header = decode_block_header(as_octets((*record)->header()));
  if (!header) return std::unexpected("block " + std::to_string(height) + ": " + header.error());
  BlockLeaf leaf;
  leaf.index = header->first_leaf;
  for (const v1::BundleRecord& bundle : (*record)->bundles()) {
    leaf.node = bundle.node();
    const std::uint64_t accepted = bundle.count() - static_cast<std::uint64_t>(bundle.refused_size());
    for (std::uint64_t i = 0; i < accepted; ++i, ++leaf.index) {
      const auto body = store.leaf(leaf.index);
      if (!body) return std::unexpected(body.error());
      leaf.erased =
          !*body || (*body)->salt().empty() || !leaf.transaction.ParseFromString((*body)->transaction());
      if (leaf.erased) leaf.transaction.Clear();
      if (!visit(leaf)) return {};
    }
  }
  return {};
}

std::expected<std::optional<HeadLeaf>, std::string> find_head(const LedgerStore& store, std::uint64_t node,
                                                              std::uint64_t segment, std::uint64_t from,
                                                              std::uint64_t to) {
  std::optional<HeadLeaf> found;
  for (std::uint64_t height = from; height <= to && !found; ++height) {
    const auto read = each_leaf(store, height, [&](const BlockLeaf& leaf) {
      const v1::SegmentHead& head = leaf.transaction.segment_head();
      if (leaf.node == node && head.segment() >= segment) found = HeadLeaf{leaf.index, head};
      return !found;
    });
    if (!read) return std::unexpected(read.error());
  }
  return found;
}

}  // namespace swarmdns::controlplane
