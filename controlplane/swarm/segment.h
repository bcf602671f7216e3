// One segment of a node's chain of mutations: made, signed, checked, and with bodies taken out of it.
// docs/formats/segments.md is precise to the byte; the hashes are the ledger's. No I/O, no state: any thread.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <vector>

#include "controlplane/core/peer_link.h"
#include "controlplane/ledger/segment.h"
#include "controlplane/ledger/signature.h"
#include "swarmdns/v1/dataplane.pb.h"
#include "swarmdns/v1/ledger.pb.h"

namespace swarmdns::controlplane {

inline constexpr std::size_t kSegmentMutations = 4096;  // at most
inline constexpr std::size_t kSegmentBytes = 1 << 20;   // of serialised mutations; one more may end beyond it
inline constexpr std::size_t kMutationBytes = 80 << 10;      // the largest answer and what stands around it
inline constexpr std::size_t kSegmentHeaderBytes = 1 << 10;  // serialised
inline constexpr std::size_t kGapReasonBytes = 200;
inline constexpr std::uint64_t kMostMutation =
    (std::uint64_t{1} << 48) - 1;  // the data plane's numbers end there

// `header`: without count and root. `mutations`: serialised Mutation messages in the order of their numbers;
// none make a gap.
v1::SegmentBody build_segment(v1::SegmentHeader header, std::vector<std::string> mutations,
                              const SaltSeed& seed, const SecretKey& key);

struct CheckedSegment {
  v1::SegmentHeader header;
  Hash hash{};
};
// Limits, the header's sense, signature, and the root over the leaves. The mutations themselves are not
// looked into. The error is the end of a sentence that begins with the segment: "its signature does not
// verify".
std::expected<CheckedSegment, std::string> check_segment(const v1::SegmentBody& body, const PublicKey& key);

// The mutations of a checked segment, by position; those that were taken out have no kind. Errors: one that
// cannot be read, numbers that do not rise or lie outside of what the header says.
std::expected<std::vector<v1::Mutation>, std::string> read_mutations(const v1::SegmentBody& body,
                                                                     const v1::SegmentHeader& header);

// That `next` follows right behind `before`, whose hash is `hash`.
std::expected<void, std::string> check_succession(const v1::SegmentHeader& before, const Hash& hash,
                                                  const v1::SegmentHeader& next);

// Takes bodies and salts out: their commitments stay, the others keep salts of their own, the seed goes.
// Positions that are gone already stay so.
void forget_mutations(v1::SegmentBody& body, std::span<const std::uint32_t> positions);

// The commitments of all leaves. Errors: a leaf that has neither salt nor commitment.
std::expected<std::vector<Hash>, std::string> segment_commitments(const v1::SegmentBody& body);

// Numbers that are missing: all of a gap, or what lies between the leaves.
std::uint64_t lost_mutations(const v1::SegmentHeader& header);

}  // namespace swarmdns::controlplane
