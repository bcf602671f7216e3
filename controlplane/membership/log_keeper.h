// The leader's care for the members of the log: carries out next_log_change() step by step, and has what is
// committed there recorded in the ledger, whose checkpoints count by it. Reactor thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "controlplane/chain/chain.h"
#include "controlplane/chain/submitter.h"
#include "controlplane/consensus/replicated_log.h"
#include "controlplane/core/reactor.h"
#include "controlplane/membership/log_plan.h"
#include "controlplane/membership/roster.h"

namespace swarmdns::controlplane {

class LogKeeper {
 public:
  // `say`: what is done and why, for the node's log.
  LogKeeper(Reactor& reactor, ReplicatedLog& log, Chain& chain, Submitter& submitter, Roster& roster,
            NodeId self, std::function<void(const std::string&)> say);

  void set_leader(bool leader);
  // Committed members of the log.
  void members(const std::vector<LogMember>& members);
  // One that leaves by its own wish stays in the log until then, so that it hears of it.
  void keep_until(v1::MemberRecord leaving, std::uint64_t until_ms);
  // Something changed that the plan depends on: soon, rather than at the next look.
  void look_soon();

 private:
  void look();
  void carry_out(const LogChange& change);
  void record();

  Reactor& reactor_;
  ReplicatedLog& log_;
  Chain& chain_;
  Submitter& submitter_;
  Roster& roster_;
  const NodeId self_;
  const std::function<void(const std::string&)> say_;
  bool leader_ = false;
  bool changing_ = false;
  bool recording_ = false;
  std::uint64_t not_before_ms_ = 0;  // after a change that failed
  std::vector<std::pair<v1::MemberRecord, std::uint64_t>> leaving_;
  std::optional<std::vector<LogMember>> committed_;
  std::uint64_t reign_ = 0;
  Timer timer_;
};

}  // namespace swarmdns::controlplane
