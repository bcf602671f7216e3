#include "controlplane/ledger/verify.h"

#include "controlplane/ledger/segment.h"

namespace swarmdns::controlplane {
namespace {

std::string leaves(std::uint64_t count) {
  return std::to_string(count) + (count == 1 ? " leaf" : " leaves");
}

std::string join(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

// Checks in order; the first that fails makes the sentence, and none behind it counts.
class Checks {
 public:
  Checks(const Trust& trust, Verdict& verdict) : trust_(trust), verdict_(verdict) {}

  bool fail(const std::string& sentence) {
    verdict_.sentence = sentence;
    return false;
  }
  void pass(std::string step) { verdict_.steps.push_back(std::move(step)); }

  bool checkpoint(const CheckpointNote& note, const std::string& name) {
    const auto names = check_trusted(note, trust_);
    if (!names) return fail(name + " cannot be trusted: " + names.error());
    pass(name + " of height " + std::to_string(note.checkpoint.height) + " with " +
         leaves(note.checkpoint.tree_size) + " is cosigned by " + join(*names));
    return true;
  }

  bool leaf(const LeafProof& leaf, const Hash& commitment, std::uint64_t size, const Hash& root,
            const std::string& what, const std::string& tree) {
    const auto included = verify_inclusion(merkle_leaf_hash(commitment), leaf.index, size, leaf.path, root);
    if (!included) return fail(what + " is not proved to be in " + tree + ": " + included.error());
    pass(what + " is leaf " + std::to_string(leaf.index) + " of " + tree);
    return true;
  }

 private:
  const Trust& trust_;
  Verdict& verdict_;
};

Hash transaction_commitment(const LeafProof& leaf) {
  if (const auto* body = std::get_if<LeafBody>(&leaf.content))
    return leaf_commitment(body->salt, as_octets(body->octets));
  return std::get<Hash>(leaf.content);
}

bool erased(const LeafProof& leaf) {
  return std::holds_alternative<Hash>(leaf.content);
}

std::string kept(const LeafProof& leaf, const char* what) {
  return erased(leaf) ? std::string("an erased ") + what : std::string("the ") + what;
}

bool verify(const InclusionProof& proof, Checks& checks, Verdict& verdict) {
  const Checkpoint& checkpoint = proof.checkpoint.checkpoint;
  const std::string what = kept(proof.leaf, "transaction");
  if (!checks.checkpoint(proof.checkpoint, "the checkpoint")) return false;
  if (!checks.leaf(proof.leaf, transaction_commitment(proof.leaf), checkpoint.tree_size, checkpoint.tree_root,
                   what, "the ledger")) {
    return false;
  }
  verdict.sentence = what + " is leaf " + std::to_string(proof.leaf.index) + " of the ledger at height " +
                     std::to_string(checkpoint.height);
  return true;
}

bool verify(const ConsistencyProof& proof, Checks& checks, Verdict& verdict) {
  const Checkpoint& checkpoint = proof.checkpoint.checkpoint;
  if (!checks.checkpoint(proof.checkpoint, "the checkpoint")) return false;
  if (proof.old_checkpoint) {
    const Checkpoint& old = proof.old_checkpoint->checkpoint;
    if (!checks.checkpoint(*proof.old_checkpoint, "the old checkpoint")) return false;
    if (old.tree_size != proof.old_size || old.tree_root != proof.old_root)
      return checks.fail("the old checkpoint is of another tree than the proof");
    if (old.height > checkpoint.height) return checks.fail("the old checkpoint is of a greater height");
  }
  const auto consistent = verify_consistency(proof.old_size, checkpoint.tree_size, proof.path, proof.old_root,
                                             checkpoint.tree_root);
  if (!consistent)
    return checks.fail("the old tree is not proved to be the beginning of the ledger: " + consistent.error());
  verdict.sentence = "the tree of " + leaves(proof.old_size) + " with root " + to_base64(proof.old_root) +
                     " is the beginning of the ledger at height " + std::to_string(checkpoint.height);
  checks.pass("the path leads from one root to the other");
  return true;
}

// From the head, which the ledger holds, back to the mutation's segment: no header is read before its hash is
// known to be the right one.
bool verify_chain(const MutationProof& proof, Checks& checks, v1::SegmentHeader& first) {
  const auto* body = std::get_if<LeafBody>(&proof.head.content);
  if (body == nullptr) return checks.fail("the head of the chain has no transaction, only a commitment");
  v1::Transaction transaction;
  if (!transaction.ParseFromString(body->octets) || !transaction.has_segment_head())
    return checks.fail("the transaction is not a segment head");
  const v1::SegmentHead& head = transaction.segment_head();
  if (head.node() == 0) return checks.fail("the segment head does not say whose chain it is the head of");
  std::string expected = head.hash();
  std::optional<v1::SegmentHeader> after;
  for (std::size_t i = proof.segments.size(); i-- > 0;) {
    const Bytes octets = as_octets(proof.segments[i]);
    if (as_text(segment_hash(octets)) != expected) {
      return checks.fail(after ? "the chain of segments is broken: segment " +
                                     std::to_string(after->number()) + " names another segment before it"
                               : "the ledger's segment head is of another chain than the segments");
    }
    const auto header = parse_segment_header(octets);
    if (!header) return checks.fail("the chain of segments is broken: " + header.error());
    const std::uint64_t number = after ? after->number() - 1 : head.segment();
    if (header->number() != number || header->node() != head.node()) {
      return checks.fail("the chain of segments is broken: where segment " + std::to_string(number) +
                         " of node " + std::to_string(head.node()) + " should stand is segment " +
                         std::to_string(header->number()) + " of node " + std::to_string(header->node()));
    }
    expected = header->previous();
    after = *header;
  }
  first = *after;
  checks.pass("segment " + std::to_string(first.number()) + " of node " + std::to_string(first.node()) +
              " is in the chain whose head is segment " + std::to_string(head.segment()));
  return true;
}

bool verify(const MutationProof& proof, Checks& checks, Verdict& verdict) {
  const Checkpoint& checkpoint = proof.checkpoint.checkpoint;
  v1::SegmentHeader segment;
  if (!checks.checkpoint(proof.checkpoint, "the checkpoint")) return false;
  if (!checks.leaf(proof.head, transaction_commitment(proof.head), checkpoint.tree_size, checkpoint.tree_root,
                   "the segment head", "the ledger")) {
    return false;
  }
  if (!verify_chain(proof, checks, segment)) return false;
  const auto* body = std::get_if<LeafBody>(&proof.mutation.content);
  const Hash commitment = body != nullptr ? mutation_commitment(body->salt, as_octets(body->octets))
                                          : std::get<Hash>(proof.mutation.content);
  const std::string what = kept(proof.mutation, "mutation");
  const std::string tree =
      "segment " + std::to_string(segment.number()) + " of node " + std::to_string(segment.node());
  if (!checks.leaf(proof.mutation, commitment, segment.count(), *array_from<32>(segment.root()), what, tree))
    return false;
  verdict.sentence = what + " is number " + std::to_string(proof.mutation.index) + " of " + tree +
                     ", which the ledger has ordered by height " + std::to_string(checkpoint.height);
  return true;
}

}  // namespace

Verdict verify_proof(std::string_view proof_file, std::string_view trust_file) {
  Verdict verdict;
  const auto trust = parse_trust(trust_file);
  if (!trust) {
    verdict.sentence = trust.error();
    return verdict;
  }
  auto proof = parse_proof(proof_file);
  if (!proof) {
    verdict.sentence = proof.error();
    return verdict;
  }
  verdict.proof = std::move(*proof);
  Checks checks(*trust, verdict);
  verdict.holds = std::visit([&](const auto& kind) { return verify(kind, checks, verdict); }, *verdict.proof);
  return verdict;
}

}  // namespace swarmdns::controlplane
