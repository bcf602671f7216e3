// A read that sees every change that was acknowledged, anywhere, before the read was asked for. Who has the
// log asks it (read_index.h); who only follows the ledger asks a member that has it how high the ledger must
// be, and waits for that block. Reactor thread.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "controlplane/chain/chain.h"
#include "controlplane/consensus/replicated_log.h"
#include "controlplane/core/peer_link.h"
#include "controlplane/core/reactor.h"
#include "controlplane/member/follower.h"

namespace swarmdns::controlplane {

class FreshRead {
 public:
  static constexpr std::uint64_t kPatienceMs = 5000;
  // Nothing: the state that is here may be read now. The error is a sentence.
  using Done = std::function<void(std::expected<void, std::string>)>;

  // All outlive it; what waits when it ends is told so.
  FreshRead(Reactor& reactor, PeerLink& link, ReplicatedLog& log, Chain& chain, Follower& follower);
  ~FreshRead();

  // `done` later, never from within the call.
  void read(Done done);

  void receive(NodeId from, std::uint64_t request, const v1::HeightRequest& message);
  void receive(NodeId from, std::uint64_t request, const v1::HeightResponse& message);

 private:
  struct Waiting {
    Done done;
    NodeId asked = 0;
    std::uint64_t height = 0;  // to be reached; 0: not told yet
    std::uint64_t deadline_ms = 0;
  };
  void look();
  void finish(std::uint64_t request, std::expected<void, std::string> result);

  Reactor& reactor_;
  PeerLink& link_;
  ReplicatedLog& log_;
  Chain& chain_;
  Follower& follower_;
  std::map<std::uint64_t, Waiting> waiting_;  // by request
  std::uint64_t next_request_ = 1;
  Timer patience_;
  Poster poster_;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace swarmdns::controlplane
