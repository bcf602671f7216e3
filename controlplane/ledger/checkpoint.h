// Checkpoints (C2SP tlog-checkpoint) with cosignatures (C2SP tlog-cosignature, cosignature/v1): what the
// voters of a height have agreed on, in a form that needs no node to be verified. No I/O. Thread-safe.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/ledger/block.h"
#include "controlplane/ledger/note.h"

namespace swarmdns::controlplane {

struct Checkpoint {
  SwarmId swarm{};
  std::uint32_t incarnation = 0;
  std::uint64_t tree_size = 0;
  Hash tree_root{};
  std::uint64_t height = 0;
  Hash block{};
  Hash state_root{};
  bool operator==(const Checkpoint&) const = default;
};

Checkpoint checkpoint_of(const BlockHeader& block);

// "swarmdns/<swarm as hex>/<incarnation>": the log's name, the first line.
std::string checkpoint_origin(const SwarmId& swarm, std::uint32_t incarnation);

// The six lines. Parsing takes exactly what formatting gives; the error names the line.
std::string format_checkpoint(const Checkpoint& checkpoint);
std::expected<Checkpoint, std::string> parse_checkpoint(std::string_view text);

// A note whose text is a checkpoint.
struct CheckpointNote {
  Checkpoint checkpoint;
  Note note;
};
std::expected<CheckpointNote, std::string> parse_checkpoint_note(std::string_view octets);

// `time_s`: seconds of POSIX, below 2^63.
NoteSignature cosign(std::string_view text, std::string_view name, const KeyPair& keys, std::uint64_t time_s);
// The time in the cosignature. Errors: of another key, of another form, does not verify.
std::expected<std::uint64_t, std::string> verify_cosignature(std::string_view text,
                                                             const NoteSignature& signature,
                                                             const VerifierKey& key);

// More than half.
inline constexpr std::size_t majority_of(std::size_t voters) {
  return voters / 2 + 1;
}

// The names of the voters that have cosigned, each once. Signatures of other keys are ignored, as the note
// specification wants it. Errors: a voter's signature that does not verify; the same key twice among the
// voters.
std::expected<std::vector<std::string>, std::string> cosigned_by(const Note& note,
                                                                 std::span<const VerifierKey> voters);
// The same, and an error when they are fewer than `needed` (1..voters).
std::expected<std::vector<std::string>, std::string> check_cosigned(const Note& note,
                                                                    std::span<const VerifierKey> voters,
                                                                    std::size_t needed);

}  // namespace swarmdns::controlplane
