// Linearizable reads without leases (Raft dissertation, 6.4). The leader notes its commit number, asks the
// voters whether they are still in its term, and once a majority has said so everything committed before the
// read is at or below that number; the read ends when this is applied here. One round of questions serves all
// reads that waited for it. A follower asks the leader for the number.
//
// Reactor thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <vector>

#include "controlplane/consensus/replicated_log.h"
#include "controlplane/core/reactor.h"

namespace swarmdns::controlplane {

// What reads look at: the engine.
class ReadIndexView {
 public:
  virtual ~ReadIndexView() = default;
  virtual NodeId read_self() const = 0;
  virtual std::uint64_t read_term() const = 0;
  // Leader, and an entry of its own term is applied: before that its commit number may be behind.
  virtual bool read_may_lead() const = 0;
  virtual NodeId read_leader() const = 0;  // 0: unknown
  virtual std::uint64_t read_commit_index() const = 0;
  virtual std::uint64_t read_applied_index() const = 0;
  virtual std::vector<NodeId> read_voters() const = 0;  // newest configuration
  virtual void read_send(NodeId to, v1::PeerMessage message) = 0;
};

class ReadIndex {
 public:
  // `resend_ms`: a question without an answer is asked again after this; `timeout_ms`: then a read fails.
  ReadIndex(Reactor& reactor, ReadIndexView& view, std::uint64_t resend_ms, std::uint64_t timeout_ms);

  void read(LogDone<std::uint64_t> done);
  void on_request(NodeId from, std::uint64_t request, bool confirm);
  void on_response(NodeId from, std::uint64_t request, const v1::ReadIndexResponse& response);

  // Term, role, leader, commit or applied number may have changed.
  void look();
  // Every read fails with this.
  void fail_all(LogFault fault);

 private:
  struct Read {
    LogDone<std::uint64_t> done;  // local
    NodeId from = 0;              // or of a follower
    std::uint64_t request = 0;
    std::uint64_t deadline_ms = 0;
  };
  // Questions under way: to the voters (leader), or to the leader (follower).
  struct Round {
    std::uint64_t number = 0;  // 0: none
    bool leading = false;
    std::uint64_t term = 0;
    NodeId leader = 0;
    std::uint64_t index = 0;
    std::set<NodeId> confirmed;
    std::uint64_t sent_ms = 0;
    std::vector<Read> reads;
  };

  void begin();
  void ask();
  void abandon();
  void confirmed(std::uint64_t index);
  bool majority() const;
  void answer(NodeId to, std::uint64_t request, std::uint64_t index);
  void expire();
  void finish(Read read, std::expected<std::uint64_t, LogFault> result);
  void arm();

  Reactor& reactor_;
  ReadIndexView& view_;
  const std::uint64_t resend_ms_;
  const std::uint64_t timeout_ms_;
  std::uint64_t next_number_ = 1;
  std::vector<Read> waiting_;  // for a round
  Round round_;
  std::multimap<std::uint64_t, Read> until_applied_;  // by number
  Timer timer_;
};

}  // namespace swarmdns::controlplane
