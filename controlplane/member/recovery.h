// A swarm that lost its quorum for good, taken up again by one of its nodes as a new incarnation. Blocking
// file I/O and key making: not from the reactor thread, but for plan_recovery().
//
// The new membership is laid out whole in a folder of its own; that it counts is one file, identity.json,
// replaced at a stroke. Whatever happens before leaves the old membership, whatever happens after the new
// one. Log, ledger and keys of the old stay where they were.
//
//   identity-1.json            the old identity, as it was
//   ledger.key, tls.key, log/, ledger/   of incarnation 1
//   incarnation-2/             the same of incarnation 2
//   incarnation-2/root.key     only until the operator has it: handed_over()
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/chain/chain.h"
#include "controlplane/ledger/store.h"
#include "controlplane/member/founding.h"

namespace swarmdns::controlplane {

// What the new incarnation goes on from.
struct RecoveryPlan {
  v1::Genesis genesis;  // where it goes on, and what is taken over
  NodeId founder = 0;   // this node's new number
  std::string region;   // this node's
  v1::SwarmSettings settings;
  std::vector<std::string> left_behind;  // names of members that are refused from then on
};
// `checkpoint`: the newest that is held, as a note. Reactor thread.
std::expected<RecoveryPlan, std::string> plan_recovery(const Chain& chain, const std::string& checkpoint,
                                                       NodeId self);

// On disk when it returns, and from then on what this node is. The member must have been closed.
// `wish.settings` and `wish.region` are the plan's.
std::expected<Founded, std::string> recover_swarm(const IdentityFiles& files, const v1::NodeIdentity& before,
                                                  const RecoveryPlan& plan, FoundingWish wish);
// Back to what was before, as long as no other node has joined the new incarnation.
std::expected<void, std::string> undo_recovery(const IdentityFiles& files, const v1::NodeIdentity& before);
// The operator has the root key: it is kept nowhere else.
void handed_over(const IdentityFiles& files, const v1::NodeIdentity& record);
// Where the root key still lies, of a recovery whose answer nobody got.
std::optional<std::string> root_key_left(const IdentityFiles& files, const v1::NodeIdentity& record);

// The ledger that an earlier incarnation left on this node. Nothing: it is not there.
std::optional<std::string> kept_ledger(const IdentityFiles& files, std::uint32_t incarnation);
// The first thing that is wrong with it, "" = nothing: compared with its newest checkpoint, which the voters
// in its own state must have cosigned. `progress` as SelfCheck's.
std::string check_kept(const LedgerStore& store,
                       const std::function<void(std::uint64_t done, std::uint64_t of)>& progress);
// Whether the genesis of the next incarnation goes on from just there; "" = it does.
std::string check_seam(const LedgerStore& store, const v1::Genesis& genesis);

}  // namespace swarmdns::controlplane
