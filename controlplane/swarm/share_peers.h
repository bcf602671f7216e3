// Whom this node shares its cache with: the members of its scope, their clocks and their newest reports.
// Reactor thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/core/peer_link.h"
#include "controlplane/ledger/signature.h"
#include "controlplane/swarm/skew.h"
#include "swarmdns/v1/ledger.pb.h"
#include "swarmdns/v1/peer.pb.h"

namespace swarmdns::controlplane {

class SharePeers {
 public:
  struct Peer {
    NodeId id = 0;
    std::string name;
    std::string region;
    PublicKey ledger_key{};
  };
  // All members but this node, from the state; whenever it changes.
  void set(v1::SharingScope scope, std::string region, std::vector<Peer> peers);

  // A report of a peer, at that monotonic and Unix time.
  void report(NodeId from, const v1::NodeReport& report, std::uint64_t now_ms, std::uint64_t wall_ms);

  const Peer* find(NodeId id) const;
  bool in_scope(NodeId id) const;
  std::vector<NodeId> scope() const;  // ascending
  const v1::NodeReport* newest_report(NodeId id) const;
  std::optional<SkewEstimate::Estimate> clock(NodeId id, std::uint64_t now_ms) const;
  // More than 2 s apart: nothing is shared with it, neither way.
  bool skewed(NodeId id, std::uint64_t now_ms) const;
  // How old here and now is what it had at its Unix time; nullopt: nobody knows (no estimate, skewed, a clock
  // was set).
  std::optional<std::uint64_t> age_ms(NodeId id, std::uint64_t now_ms, std::uint64_t wall_ms,
                                      std::uint64_t peer_wall_ms) const;
  std::vector<std::string> troubles(std::uint64_t now_ms) const;

 private:
  struct Known {
    Peer peer;
    SkewEstimate skew;
    std::optional<v1::NodeReport> report;
  };
  v1::SharingScope scope_ = v1::SHARE_NONE;
  std::string region_;
  std::map<NodeId, Known> peers_;
};

}  // namespace swarmdns::controlplane
