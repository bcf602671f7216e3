// Keeps a node's ledger up with the swarm's without the log: for nodes beyond the log's members, and for one
// that the log has lost sight of. Streams committed blocks from any member, and takes none but those under a
// checkpoint that a majority of its height's voters has cosigned.
//
// What is believed: blocks chained by their hashes from this node's tip to the checkpoint's. Where they
// change who votes, they are applied in memory first, to know the voters of the checkpoint's height; one whom
// this node knew already must be among the cosigners then, as for a copy of the state (state_fetcher.h). Each
// block is judged anew when it is taken. Reactor thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>

#include "controlplane/chain/chain.h"
#include "controlplane/chain/cosigner.h"
#include "controlplane/core/peer_link.h"
#include "controlplane/core/reactor.h"
#include "controlplane/membership/roster.h"

namespace swarmdns::controlplane {

class Follower {
 public:
  static constexpr std::uint64_t kLookMs = 500;
  static constexpr std::uint64_t kRenewMs = 5'000;     // a stream is asked for again after so long
  static constexpr std::uint64_t kPatienceMs = 3'000;  // behind, and no block came: another peer
  // So long behind before it begins: what is in the log, or about to be, gets its blocks there.
  static constexpr std::uint64_t kOutsideMs = 2'000;
  static constexpr std::uint64_t kInsideMs = 8'000;
  static constexpr std::size_t kWaitingBytes = std::size_t{64} << 20;  // of blocks no checkpoint covers yet

  struct Events {
    // The blocks cannot be had any more: a copy of the state is.
    std::function<void(NodeId from)> fetch_state;
    std::function<void(const std::string&)> say;
  };
  // All outlive it.
  Follower(Reactor& reactor, PeerLink& link, Chain& chain, Cosigner& cosigner, Roster& roster, NodeId self,
           Events events);
  void start() { look(); }

  void receive(NodeId from, const v1::BlocksResponse& message);
  // The ledger was replaced, or could not be.
  void reopened();

  bool following() const { return following_; }
  // Whom the nodes that are heard take for the leader; 0 = nobody knows.
  NodeId leader() const;
  // By the ledger's record of it.
  bool in_log() const;

  struct Counters {
    std::uint64_t blocks = 0;
    std::uint64_t refused = 0;  // answers that were not believed
    std::uint64_t copies = 0;
  };
  const Counters& counters() const { return counters_; }

 private:
  void look();
  void ask(NodeId peer);
  NodeId choose() const;
  std::uint64_t newest_heard() const;
  void refuse(NodeId from, const std::string& why);
  // The blocks up to `count` of those that wait.
  std::expected<void, std::string> take(const CheckpointNote& note, std::size_t count);
  std::expected<std::vector<VerifierKey>, std::string> voters_behind(std::size_t count) const;
  void drop_waiting();

  PeerLink& link_;
  Reactor& reactor_;
  Chain& chain_;
  Cosigner& cosigner_;
  Roster& roster_;
  const NodeId self_;
  const Events events_;
  bool following_ = false;
  bool fetching_ = false;
  NodeId source_ = 0;
  NodeId last_bad_ = 0;
  std::uint64_t request_ = 0;
  std::uint64_t asked_ms_ = 0;
  std::uint64_t seen_height_ = 0;  // of the chain, when it grew last
  std::uint64_t level_ms_ = 0;     // when it was level with the others, or grew, last
  std::uint64_t answered_ms_ = 0;
  struct Waiting {
    BlockHeader header;
    v1::FullBlock block;
    std::size_t bytes = 0;
  };
  std::deque<Waiting> waiting_;  // from the tip on, linked
  std::size_t waiting_bytes_ = 0;
  Counters counters_;
  Timer timer_;
};

}  // namespace swarmdns::controlplane
