// Whether a fetched copy of the ledger may take the place of this node's own. Opens the copy, reads all of
// its state: seconds for a large one.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include <rocksdb/env.h>

#include "controlplane/ledger/commitment.h"
#include "controlplane/ledger/note.h"
#include "swarmdns/v1/ledger.pb.h"

namespace swarmdns::controlplane {

struct OwnView {
  SwarmId swarm{};
  std::uint32_t incarnation = 0;
  std::uint64_t height = 0;         // of this node's chain; 0 = none
  Hash block{};                     // there
  std::vector<VerifierKey> voters;  // by its state; none: it has no state yet
};

// A chain of this swarm, going on from this node's, whose state and tree are those of its newest block, at or
// beyond the manifest, with a checkpoint that a majority of its voters has cosigned, one of those among them
// that this node knows, if it knows any. The error says what it is not.
std::expected<void, std::string> check_copy(const std::string& folder, const v1::Manifest& wanted,
                                            const OwnView& own, rocksdb::Env* env = nullptr);

}  // namespace swarmdns::controlplane
