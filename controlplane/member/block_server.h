// Gives committed blocks to nodes that follow the ledger without being in the log: what they ask for at once,
// and for those who wish it whatever is cosigned after that. Reactor thread.
#pragma once

#include <cstdint>
#include <map>

#include "controlplane/chain/chain.h"
#include "controlplane/chain/cosigner.h"
#include "controlplane/core/peer_link.h"
#include "controlplane/core/reactor.h"

namespace swarmdns::controlplane {

class BlockServer {
 public:
  static constexpr std::size_t kBytesMost = std::size_t{1}
                                            << 20;    // of one answer, but for a single larger block
  static constexpr std::uint64_t kFollowMs = 10'000;  // a wish to follow is good for that long
  static constexpr std::size_t kFollowersMost = 256;

  // All outlive it.
  BlockServer(Reactor& reactor, PeerLink& link, Chain& chain, Cosigner& cosigner);

  void receive(NodeId from, std::uint64_t request, const v1::BlocksRequest& message);

 private:
  struct Wish {
    std::uint64_t request = 0;
    std::uint64_t next = 0;  // height
    std::uint64_t until_ms = 0;
  };
  // The height behind the last block that was sent; `from` when nothing could be.
  std::uint64_t answer(NodeId to, std::uint64_t request, std::uint64_t from, std::size_t bytes);
  bool add(v1::BlocksResponse& response, std::uint64_t height) const;
  void cosigned();

  Reactor& reactor_;
  PeerLink& link_;
  Chain& chain_;
  Cosigner& cosigner_;
  std::map<NodeId, Wish> wishes_;
};

}  // namespace swarmdns::controlplane
