// A small ledger for the tests: keys, transactions, checkpoints and proofs from fixed seeds.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "controlplane/ledger/checkpoint.h"
#include "controlplane/ledger/merkle.h"
#include "controlplane/ledger/proof_file.h"
#include "controlplane/ledger/segment.h"
#include "controlplane/ledger/trust.h"

namespace swarmdns::controlplane::samples {

template <std::size_t N>
std::array<std::byte, N> filled(unsigned from) {
  std::array<std::byte, N> octets;
  for (std::size_t i = 0; i < N; ++i) octets[i] = static_cast<std::byte>(from + i);
  return octets;
}

inline const SwarmId kSwarm = filled<16>(0xA0);

// Voter number i, from 1.
inline KeyPair keys(unsigned i) {
  return key_pair_from_seed(filled<32>(i));
}
inline VerifierKey vkey(unsigned i) {
  return {"n" + std::to_string(i), keys(i).public_key};
}
inline std::vector<VerifierKey> voters(unsigned count) {
  std::vector<VerifierKey> all;
  for (unsigned i = 1; i <= count; ++i) all.push_back(vkey(i));
  return all;
}

// Transaction number i of the sample ledger; numbers divisible by 10 are the segment heads.
inline Salt salt(std::uint64_t i) {
  return filled<16>(static_cast<unsigned>(i) * 3);
}
inline std::string transaction(std::uint64_t i) {
  v1::Transaction made;
  made.set_version(1);
  made.set_made_ms(1'700'000'000'000 + i);
  made.set_principal("alice@n1");
  made.mutable_note()->set_text("mark " + std::to_string(i));
  return made.SerializeAsString();
}

// Segments 1..count of node 7, each with the mutations "mutation S P", P below S + 2.
struct Chain {
  std::vector<std::string> headers;
  std::vector<std::vector<std::string>> mutations;

  explicit Chain(unsigned count) {
    Hash previous{};
    for (unsigned number = 1; number <= count; ++number) {
      std::vector<Hash> commitments;
      mutations.emplace_back();
      for (unsigned i = 0; i < number + 2; ++i) {
        mutations.back().push_back("mutation " + std::to_string(number) + " " + std::to_string(i));
        commitments.push_back(
            mutation_commitment(mutation_salt(seed(number), i), as_octets(mutations.back().back())));
      }
      v1::SegmentHeader header;
      header.set_node(7);
      header.set_number(number);
      header.set_previous(as_string(previous));
      header.set_journal_id(99);
      header.set_first_mutation(number * 10);
      header.set_last_mutation(number * 10 + commitments.size() - 1);
      header.set_count(static_cast<std::uint32_t>(commitments.size()));
      header.set_first_ms(1'700'000'000'000);
      header.set_last_ms(1'700'000'000'250);
      header.set_root(as_string(segment_root(commitments)));
      headers.push_back(header.SerializeAsString());
      previous = segment_hash(as_octets(headers.back()));
    }
  }
  static SaltSeed seed(unsigned number) { return filled<32>(number * 5); }
  // Segment numbers from 1.
  MemoryTree tree(unsigned number) const {
    MemoryTree tree;
    const auto& bodies = mutations[number - 1];
    for (unsigned i = 0; i < bodies.size(); ++i) {
      tree.append(
          merkle_leaf_hash(mutation_commitment(mutation_salt(seed(number), i), as_octets(bodies[i]))));
    }
    return tree;
  }
  std::string head(unsigned number) const {
    v1::Transaction made;
    made.set_version(1);
    made.mutable_segment_head()->set_node(7);
    made.mutable_segment_head()->set_segment(number);
    made.mutable_segment_head()->set_hash(as_string(segment_hash(as_octets(headers[number - 1]))));
    return made.SerializeAsString();
  }
};

// 40 transactions; number 20 is the head of segment 5 of the chain.
struct Ledger {
  Chain chain{5};
  std::vector<std::string> transactions;
  MemoryTree tree;

  Ledger() {
    for (std::uint64_t i = 0; i < 40; ++i) {
      transactions.push_back(i == 20 ? chain.head(5) : transaction(i));
      tree.append(merkle_leaf_hash(leaf_commitment(salt(i), as_octets(transactions.back()))));
    }
  }
  Checkpoint checkpoint(std::uint64_t size) const {
    return {.swarm = kSwarm,
            .incarnation = 1,
            .tree_size = size,
            .tree_root = *merkle_root(tree, size),
            .height = size / 2,
            .block = filled<32>(1),
            .state_root = filled<32>(2)};
  }
  // Cosigned by the voters of these numbers.
  CheckpointNote note(std::uint64_t size, const std::vector<unsigned>& signers) const {
    CheckpointNote made{checkpoint(size), {format_checkpoint(checkpoint(size)), {}}};
    for (const unsigned i : signers) {
      made.note.signatures.push_back(
          cosign(made.note.text, "n" + std::to_string(i), keys(i), 1'700'000'000 + size));
    }
    return made;
  }
  LeafProof leaf(std::uint64_t index, std::uint64_t size, bool erased = false) const {
    LeafContent content = LeafBody{salt(index), transactions[index]};
    if (erased) content = leaf_commitment(salt(index), as_octets(transactions[index]));
    return {index, content, *inclusion_path(tree, index, size)};
  }
  // Two of three voters: none of them may be missing.
  Proof inclusion(std::uint64_t index, bool erased = false) const {
    return InclusionProof{leaf(index, 40, erased), note(40, {1, 3})};
  }
  Proof consistency(std::uint64_t old_size, bool with_old_note = true) const {
    ConsistencyProof proof{
        old_size, *merkle_root(tree, old_size), *consistency_path(tree, old_size, 40), {}, note(40, {1, 2})};
    if (with_old_note) proof.old_checkpoint = note(old_size, {2, 3});
    return proof;
  }
  Proof mutation(unsigned segment, unsigned position, bool erased = false) const {
    const std::string& body = chain.mutations[segment - 1][position];
    const Salt body_salt = mutation_salt(Chain::seed(segment), position);
    const MemoryTree of_segment = chain.tree(segment);
    LeafContent content = LeafBody{body_salt, body};
    if (erased) content = mutation_commitment(body_salt, as_octets(body));
    return MutationProof{{position, content, *inclusion_path(of_segment, position, of_segment.size())},
                         std::vector<std::string>(chain.headers.begin() + segment - 1, chain.headers.end()),
                         leaf(20, 40),
                         note(40, {2, 3})};
  }
};

inline Trust trust() {
  return {checkpoint_origin(kSwarm, 1), {{.from_height = 0, .needed = 2, .voters = voters(3)}}};
}

}  // namespace swarmdns::controlplane::samples
