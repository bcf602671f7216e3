// Proofs as files that can be checked without a node: text, in the style of C2SP tlog-proof. The first
// paragraph is the proof, the others are checkpoint notes (docs/formats/ledger.md). Reading says only that
// the form is right; what it proves is for verify.h. No I/O. Thread-safe.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "controlplane/ledger/checkpoint.h"
#include "controlplane/ledger/merkle.h"

namespace swarmdns::controlplane {

inline constexpr std::string_view kProofMagic = "swarmdns/ledger-proof@v1";
inline constexpr std::size_t kProofOctetsMost = 16u << 20;
inline constexpr std::size_t kProofSegmentsMost = 4096;

// What a leaf holds, with its salt; or, when that was erased, the commitment alone.
struct LeafBody {
  Salt salt{};
  std::string octets;
  bool operator==(const LeafBody&) const = default;
};
using LeafContent = std::variant<LeafBody, Hash>;

struct LeafProof {
  std::uint64_t index = 0;
  LeafContent content;
  MerklePath path;
  bool operator==(const LeafProof&) const = default;
};

// A transaction is in the ledger.
struct InclusionProof {
  LeafProof leaf;
  CheckpointNote checkpoint;
};

// The tree of `old_size` leaves with `old_root` is the beginning of a checkpoint's; with a checkpoint of its
// own when one was kept.
struct ConsistencyProof {
  std::uint64_t old_size = 0;
  Hash old_root{};
  MerklePath path;
  std::optional<CheckpointNote> old_checkpoint;
  CheckpointNote checkpoint;
};

// A mutation is in a segment of its node, and the chain from there to a head that is in the ledger.
struct MutationProof {
  LeafProof mutation;                 // its index is the position in the segment
  std::vector<std::string> segments;  // headers: the mutation's, then each behind it up to the head
  LeafProof head;                     // the SegmentHead transaction; never erased
  CheckpointNote checkpoint;
};

using Proof = std::variant<InclusionProof, ConsistencyProof, MutationProof>;

std::string format_proof(const Proof& proof);
// Strict: takes exactly what formatting gives. The error is a sentence that names the line.
std::expected<Proof, std::string> parse_proof(std::string_view octets);

}  // namespace swarmdns::controlplane
