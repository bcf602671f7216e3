// Proof files from what a node keeps: its own part of `swarmctl ledger prove`. Errors are sentences. Reactor
// thread.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "controlplane/ledger/proof_file.h"
#include "controlplane/ledger/segment_store.h"
#include "controlplane/ledger/store.h"

namespace swarmdns::controlplane {

// All against the newest checkpoint that is kept. Errors: no checkpoint covers it yet; pruned.
std::expected<Proof, std::string> prove_inclusion(const LedgerStore& store, std::uint64_t leaf);
// From a tree size; with the checkpoint of that size when one is kept.
std::expected<Proof, std::string> prove_consistency(const LedgerStore& store, std::uint64_t old_size);
// `head_leaf`: a SegmentHead transaction of the node for this segment or a later one; the nearest gives the
// shortest file.
std::expected<Proof, std::string> prove_mutation(const LedgerStore& store, const SegmentStore& segments,
                                                 const MutationPlace& place, std::uint64_t head_leaf);

}  // namespace swarmdns::controlplane
