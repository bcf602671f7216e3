#include "controlplane/ledger/prove.h"

#include "controlplane/ledger/segment.h"

namespace swarmdns::controlplane {
namespace {

std::expected<CheckpointNote, std::string> newest_checkpoint(const LedgerStore& store) {
  const auto note = store.checkpoint(UINT64_MAX);
  if (!note) return std::unexpected(note.error());
  if (!*note)
    return std::unexpected("there is no checkpoint yet: no majority of the voters has cosigned one");
  return parse_checkpoint_note(**note);
}

std::expected<LeafProof, std::string> leaf_proof(const LedgerStore& store, std::uint64_t leaf,
                                                 const Checkpoint& checkpoint) {
  if (leaf >= checkpoint.tree_size) {
    return std::unexpected("leaf " + std::to_string(leaf) + " is not in the newest checkpoint, which has " +
                           std::to_string(checkpoint.tree_size) + " leaves: ask again in a moment");
  }
  const auto height = store.height_of_leaf(leaf);
  if (!height) return std::unexpected(height.error());
  if (!*height) {
    return std::unexpected("leaf " + std::to_string(leaf) + " was pruned: leaves from " +
                           std::to_string(store.lowest_leaf()) + " on are kept");
  }
  LeafProof proof;
  proof.index = leaf;
  const auto body = store.leaf(leaf);
  if (!body) return std::unexpected(body.error());
  if (const auto salt = *body ? array_from<16>((*body)->salt()) : std::nullopt) {
    proof.content = LeafBody{*salt, (*body)->transaction()};
  } else {
    const auto record = store.block(**height);
    const auto header = store.header(**height);
    if (!record) return std::unexpected(record.error());
    if (!header) return std::unexpected(header.error());
    const auto position = static_cast<int>(leaf - header->first_leaf);
    const auto commitment = *record && position < (*record)->commitments_size()
                                ? array_from<32>((*record)->commitments(position))
                                : std::nullopt;
    if (!commitment)
      return std::unexpected("block " + std::to_string(**height) + " has no commitment of its leaf " +
                             std::to_string(leaf));
    proof.content = *commitment;
  }
  auto path = inclusion_path(TiledTree(store, checkpoint.tree_size), leaf, checkpoint.tree_size);
  if (!path) return std::unexpected(path.error());
  proof.path = std::move(*path);
  return proof;
}

}  // namespace

std::expected<Proof, std::string> prove_inclusion(const LedgerStore& store, std::uint64_t leaf) {
  auto checkpoint = newest_checkpoint(store);
  if (!checkpoint) return std::unexpected(checkpoint.error());
  auto proof = leaf_proof(store, leaf, checkpoint->checkpoint);
  if (!proof) return std::unexpected(proof.error());
  return InclusionProof{std::move(*proof), std::move(*checkpoint)};
}

std::expected<Proof, std::string> prove_consistency(const LedgerStore& store, std::uint64_t old_size) {
  auto checkpoint = newest_checkpoint(store);
  if (!checkpoint) return std::unexpected(checkpoint.error());
  const std::uint64_t size = checkpoint->checkpoint.tree_size;
  if (old_size < store.lowest_leaf()) {
    return std::unexpected("the tree of " + std::to_string(old_size) + " leaves was pruned: sizes from " +
                           std::to_string(store.lowest_leaf()) + " on can be proved");
  }
  const TiledTree tree(store, size);
  auto path = consistency_path(tree, old_size, size);
  if (!path) return std::unexpected(path.error());
  const auto root = merkle_root(tree, old_size);
  if (!root) return std::unexpected(root.error());
  ConsistencyProof proof{old_size, *root, std::move(*path), {}, std::move(*checkpoint)};
  // The block that the tree had this size behind, or the last of them.
  const auto height = store.height_of_leaf(old_size - 1);
  if (!height) return std::unexpected(height.error());
  if (*height) {
    const auto note = store.checkpoint(**height);
    if (!note) return std::unexpected(note.error());
    auto old_checkpoint = *note ? parse_checkpoint_note(**note) : std::unexpected("");
    if (old_checkpoint && old_checkpoint->checkpoint.tree_size == old_size)
      proof.old_checkpoint = std::move(*old_checkpoint);
  }
  return proof;
}

std::expected<Proof, std::string> prove_mutation(const LedgerStore& store, const v1::SegmentBody& segment,
                                                 std::span<const Hash> commitments, std::uint32_t position,
                                                 std::vector<std::string> behind, std::uint64_t head_leaf) {
  const auto header = parse_segment_header(as_octets(segment.segment().header()));
  if (!header) return std::unexpected(header.error());
  const std::string name =
      "segment " + std::to_string(header->number()) + " of node " + std::to_string(header->node());
  if (position >= commitments.size() || static_cast<int>(commitments.size()) != segment.leaves_size())
    return std::unexpected(name + " has no mutation " + std::to_string(position) + " here");
  MemoryTree tree;
  for (const Hash& commitment : commitments) tree.append(merkle_leaf_hash(commitment));
  auto path = inclusion_path(tree, position, tree.size());
  if (!path) return std::unexpected(path.error());

  auto checkpoint = newest_checkpoint(store);
  if (!checkpoint) return std::unexpected(checkpoint.error());
  auto head = leaf_proof(store, head_leaf, checkpoint->checkpoint);
  if (!head) return std::unexpected(head.error());
  const auto* head_body = std::get_if<LeafBody>(&head->content);
  v1::Transaction transaction;
  if (head_body == nullptr || !transaction.ParseFromString(head_body->octets) ||
      !transaction.has_segment_head())
    return std::unexpected("leaf " + std::to_string(head_leaf) + " is not the head of a chain of segments");

  MutationProof proof;
  proof.segments = std::move(behind);
  proof.segments.insert(proof.segments.begin(), segment.segment().header());
  if (proof.segments.size() > kProofSegmentsMost ||
      as_text(segment_hash(as_octets(proof.segments.back()))) != transaction.segment_head().hash()) {
    return std::unexpected("leaf " + std::to_string(head_leaf) + " is not the head of the chain from " +
                           name);
  }
  proof.mutation.index = position;
  proof.mutation.path = std::move(*path);
  const v1::MutationLeaf& leaf = segment.leaves(static_cast<int>(position));
  const auto seed = array_from<32>(segment.salt_seed());
  const auto salt = seed ? std::optional(mutation_salt(*seed, position)) : array_from<16>(leaf.salt());
  if (leaf.commitment().empty() && salt)
    proof.mutation.content = LeafBody{*salt, leaf.mutation()};
  else
    proof.mutation.content = commitments[position];
  proof.head = std::move(*head);
  proof.checkpoint = std::move(*checkpoint);
  return proof;
}

}  // namespace swarmdns::controlplane
