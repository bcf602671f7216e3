// How this node gets its transactions into the ledger: signs them in bundles, sends each to the leader until
// it is seen applied here, and tells whoever asked what became of it. Bundles carry numbers, so that one sent
// twice is taken once. Reactor thread.
#pragma once

#include <cstdint>
#include <deque>
#include <expected>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "controlplane/chain/chain.h"
#include "controlplane/chain/sequencer.h"
#include "controlplane/consensus/replicated_log.h"
#include "controlplane/core/peer_link.h"
#include "controlplane/core/reactor.h"

namespace swarmdns::controlplane {

// Where an accepted transaction stands.
struct Receipt {
  std::uint64_t height = 0;
  std::uint64_t leaf = 0;
  std::uint64_t time_ms = 0;
};

struct SubmitError {
  enum class Kind : std::uint8_t {
    kRefused,  // by the swarm's rules: `text` is the reason
    kUnknown,  // no quorum, or no answer in time: it may yet be done
    kBusy,     // nothing was sent
  };
  Kind kind = Kind::kUnknown;
  std::string text;  // a sentence with the mend
};

class Submitter {
 public:
  using Done = std::function<void(std::expected<Receipt, SubmitError>)>;

  struct Options {
    NodeId self = 0;
    SecretKey key{};
    std::size_t bundles_in_flight = 4;
    std::size_t waiting_most = 100'000;  // transactions
    std::size_t bundle_bytes = std::size_t{512} << 10;
    std::uint64_t retry_ms = 1000;      // not seen applied: sent again
    std::uint64_t give_up_ms = 10'000;  // then its maker is told that the outcome is unknown
  };

  Submitter(Reactor& reactor, PeerLink& link, ReplicatedLog& log, Sequencer& sequencer, Chain& chain,
            Options options);

  // `done` on the reactor thread, never from within the call. The transaction's version and time are filled
  // in.
  void submit(v1::Transaction transaction, Done done);

  // A member's bundle for this node as the leader; and the answer to one of ours.
  v1::ForwardResponse take(v1::Bundle bundle) { return sequencer_.take(std::move(bundle)); }
  void answered(std::uint64_t request, const v1::ForwardResponse& response);
  // A leader is known, or another one: what is on its way is sent again.
  void leader_changed();
  // Whom to send to, of a node that has no part in the log and does not know by it who leads. 0 = as the log
  // says.
  void send_to(std::function<NodeId()> ask) { ask_ = std::move(ask); }

  std::size_t waiting() const { return waiting_.size(); }
  bool idle() const { return waiting_.empty() && sent_.empty(); }

 private:
  struct Waiting {
    v1::Leaf leaf;
    Done done;
    std::uint64_t since_ms = 0;
  };
  struct Sent {
    v1::Bundle bundle;
    std::vector<Done> done;
    std::uint64_t since_ms = 0;
    std::uint64_t sent_ms = 0;
    bool out = false;  // it may have got to a leader
  };

  void bundle_some();
  void send(std::uint64_t number, Sent& sent);
  void verdict(std::uint64_t number, const v1::ForwardResponse& response);
  void applied(const AppliedBlock& block);
  void renumber(std::uint64_t number);
  void look_after();
  void finish(std::uint64_t number, const SubmitError& error);

  Reactor& reactor_;
  PeerLink& link_;
  ReplicatedLog& log_;
  Sequencer& sequencer_;
  Chain& chain_;
  const Options options_;
  std::deque<Waiting> waiting_;
  std::map<std::uint64_t, Sent> sent_;  // by number
  std::uint64_t next_number_ = 0;
  bool bundling_ = false;  // posted already
  std::function<NodeId()> ask_;
  Timer look_;
  Poster poster_;
};

}  // namespace swarmdns::controlplane
