// Has a member's ledger fetched anew when its own cannot be trusted, or ends before its log begins: from one
// of the members that are heard, another one each time, until it is here. The log, its term and its vote are
// not touched: what this node has acknowledged is in the log, and a voter is sound without the state that the
// log leads to. Reactor thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "controlplane/chain/chain.h"
#include "controlplane/core/peer_link.h"
#include "controlplane/core/reactor.h"
#include "controlplane/membership/roster.h"

namespace swarmdns::controlplane {

class Healer {
 public:
  static constexpr std::uint64_t kLookMs = 250;
  static constexpr std::uint64_t kAgainMs = 2000;  // after a copy that could not be had

  using Fetched = std::function<void(std::expected<void, std::string>)>;
  struct Events {
    // A copy that holds at least entry `log_index`, from that member; then healed() has been called, or
    // `done` says why it is not here.
    std::function<void(NodeId from, std::uint64_t log_index, Fetched done)> fetch;
    std::function<void(const std::string&)> say;
  };
  // All outlive it.
  Healer(Reactor& reactor, const Chain& chain, const Roster& roster, Events events);

  // What the ledger here holds is not what was written to it.
  void damaged(const std::string& what);
  // It ends before entry `log_index`, and the entries after its end are not in the log any more.
  void ends_before(std::uint64_t log_index);
  // Another copy has taken its place.
  void healed();
  // The copy that was on its way is fetched no more.
  void interrupted() { from_ = 0; }

  bool needed() const { return is_damaged() || is_short(); }
  bool is_damaged() const { return !what_.empty(); }
  // A copy is on its way: nothing may be added to the ledger that the copy would not have.
  bool fetching() const { return from_ != 0; }
  // What is wrong, what is done about it, and what keeps it from being done; "" = nothing is wrong.
  std::string trouble() const;

 private:
  bool is_short() const { return chain_.applied_index() < wanted_; }
  void look();
  NodeId choose() const;

  Reactor& reactor_;
  const Chain& chain_;
  const Roster& roster_;
  const Events events_;
  std::string what_;
  std::uint64_t wanted_ = 0;
  NodeId from_ = 0;
  std::uint64_t not_before_ms_ = 0;
  std::map<NodeId, unsigned> tries_;
  std::string last_problem_;
  Timer timer_;
};

}  // namespace swarmdns::controlplane
