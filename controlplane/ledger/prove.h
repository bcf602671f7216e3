// Proof files from what a node keeps: its own part of `swarmctl ledger prove`. Errors are sentences. Reactor
// thread.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <vector>

#include "controlplane/ledger/proof_file.h"
#include "controlplane/ledger/store.h"
#include "swarmdns/v1/ledger.pb.h"

namespace swarmdns::controlplane {

// All against the newest checkpoint that is kept. Errors: no checkpoint covers it yet; pruned.
std::expected<Proof, std::string> prove_inclusion(const LedgerStore& store, std::uint64_t leaf);
// From a tree size; with the checkpoint of that size when one is kept.
std::expected<Proof, std::string> prove_consistency(const LedgerStore& store, std::uint64_t old_size);
// Of the mutation at `position` of `segment`, whose leaves have these commitments. `behind`: the headers of
// the segments behind it, up to the one that the SegmentHead transaction at `head_leaf` names; the nearest
// head gives the shortest file.
std::expected<Proof, std::string> prove_mutation(const LedgerStore& store, const v1::SegmentBody& segment,
                                                 std::span<const Hash> commitments, std::uint32_t position,
                                                 std::vector<std::string> behind, std::uint64_t head_leaf);

}  // namespace swarmdns::controlplane
