// Which version of apply() the swarm uses: each node says in the ledger which ones its program has, and the
// leader raises the version by one when all members have the next. Reactor thread.
#pragma once

#include <functional>
#include <string>

#include "controlplane/chain/chain.h"
#include "controlplane/chain/submitter.h"
#include "controlplane/membership/roster.h"

namespace swarmdns::controlplane {

// The version that may be ordered now; 0 = none. Every member's record must have it, and no report that is
// heard may say otherwise: a program that was put back has not told the ledger yet.
std::uint32_t version_to_raise(const StateView& state, const Roster& roster, NodeId self);

class VersionKeeper {
 public:
  static constexpr std::uint64_t kLookMs = 1000;

  // All outlive it.
  VersionKeeper(Reactor& reactor, Chain& chain, Submitter& submitter, Roster& roster, NodeId self,
                std::function<bool()> leads, std::function<void(const std::string&)> say);
  void start() { look(); }

 private:
  void look();
  void order(v1::Transaction transaction, std::string what);

  Chain& chain_;
  Submitter& submitter_;
  Roster& roster_;
  const NodeId self_;
  const std::function<bool()> leads_;
  const std::function<void(const std::string&)> say_;
  bool ordering_ = false;
  Timer timer_;
};

}  // namespace swarmdns::controlplane
