// What a transaction does to the replicated state. Pure: the same state, block and transaction give the same
// state on every node; nothing here reads a clock, draws a random number or looks at a configuration.
//
// A change of what is in this folder that older programs would judge otherwise needs a new version
// (kVersion), and transactions that carry it: docs/operations/swarm.md, "Upgrade".
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "controlplane/state/state_view.h"
#include "swarmdns/v1/state.pb.h"

namespace swarmdns::controlplane {

// The versions of apply() that this program has.
inline constexpr std::uint32_t kOldestVersion = 1;
extern const std::uint32_t kVersion;  // version.cc, or what stands in for the next release

struct BlockPlace {
  std::uint64_t height = 0;
  std::uint64_t time_ms = 0;  // of the block: the only time there is
  std::uint64_t leaf = 0;     // the transaction's, if it is accepted
  std::uint64_t signer = 0;   // the member whose bundle it is in; 0: the genesis
};

// Accepted, or why not (a sentence for whoever made it). Refused, it has changed nothing.
std::expected<void, std::string> apply_transaction(StateView& state, const BlockPlace& place,
                                                   const v1::Transaction& transaction);

// Takes a bundle's number into the window of its node. Refused: seen already, or older than the window.
std::expected<void, std::string> admit_bundle(StateView& state, std::uint64_t node, std::uint64_t number);

// Upkeep at the end of every block, a bounded piece at a time: what is remembered for a while only.
void forget_old(StateView& state, std::uint64_t time_ms);

// Settings with every 0 replaced by its default; or which field is out of range.
v1::SwarmSettings with_defaults(v1::SwarmSettings settings);
std::expected<void, std::string> check_settings(const v1::SwarmSettings& settings);

}  // namespace swarmdns::controlplane
