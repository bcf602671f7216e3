#include "controlplane/ledger/export.h"

#include "controlplane/ledger/tiles.h"

namespace swarmdns::controlplane {
namespace {

std::string framed(const v1::ExportRecord& record) {
  std::string octets;
  append_be32(octets, static_cast<std::uint32_t>(record.ByteSizeLong()));
  record.AppendToString(&octets);
  return octets;
}

}  // namespace

std::expected<ExportPlan, std::string> plan_export(const LedgerStore& store, std::uint64_t from,
                                                   std::uint64_t to, bool bodies) {
  const std::uint64_t newest = store.tip() ? store.tip()->height : 0;
  if (from < store.lowest_height()) {
    return std::unexpected("from: blocks below " + std::to_string(store.lowest_height()) + " are pruned");
  }
  if (to > newest)
    return std::unexpected("to: there is no block " + std::to_string(to) + "; the newest is " +
                           std::to_string(newest));
  const auto anchor = store.checkpoint_from(to);
  if (!anchor) return std::unexpected(anchor.error());
  if (!*anchor)
    return std::unexpected("to: no checkpoint covers block " + std::to_string(to) +
                           " yet: ask again in a moment, or for less");
  return ExportPlan{from, to, bodies, (*anchor)->first, (*anchor)->second};
}

std::expected<std::string, std::string> export_beginning(const LedgerStore& store, const ExportPlan& plan) {
  const auto first = store.header(plan.from);
  if (!first) return std::unexpected(first.error());
  v1::ExportRecord record;
  v1::ExportHeader& header = *record.mutable_header();
  header.set_format(1);
  header.set_swarm_id(as_string(first->swarm));
  header.set_incarnation(first->incarnation);
  header.set_from(plan.from);
  header.set_to(plan.to);
  header.set_bodies(plan.bodies);
  header.set_tree_size(first->first_leaf);
  const TiledTree tree(store, first->first_leaf);
  std::uint64_t begin = 0;
  for (unsigned level = 64; level-- > 0;) {
    if ((first->first_leaf >> level & 1) == 0) continue;
    const auto subtree = tree.node(level, begin >> level);
    if (!subtree) return std::unexpected(subtree.error());
    header.add_subtrees(as_string(*subtree));
    begin += std::uint64_t{1} << level;
  }
  return "SWARMDNS-LEDGER\n" + framed(record);
}

std::expected<std::string, std::string> export_height(const LedgerStore& store, const ExportPlan& plan,
                                                      std::uint64_t height) {
  auto block = store.block(height);
  if (!block) return std::unexpected(block.error());
  if (!*block) return std::unexpected("block " + std::to_string(height) + " was pruned meanwhile");
  v1::ExportRecord record;
  if (height > plan.to) {
    record.set_link((*block)->header());
    return framed(record);
  }
  if (plan.bodies) {
    const auto header = store.header(height);
    if (!header) return std::unexpected(header.error());
    for (std::uint32_t i = 0; i < header->leaf_count; ++i) {
      const auto leaf = store.leaf(header->first_leaf + i);
      if (!leaf) return std::unexpected(leaf.error());
      *record.mutable_block()->add_leaves() = leaf->value_or(v1::Leaf());
    }
  }
  *record.mutable_block()->mutable_record() = std::move(**block);
  return framed(record);
}

std::string export_end(const ExportPlan& plan) {
  v1::ExportRecord record;
  record.set_checkpoint(plan.checkpoint);
  return framed(record);
}

}  // namespace swarmdns::controlplane
