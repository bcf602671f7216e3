// What other nodes know of a name: asked of them all at once, and told to those that ask. Segments go round
// in their scope only, and may be missing within it; a history is whole when every node has answered.
//
// Reactor thread; the store is read off it.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "controlplane/core/peer_link.h"
#include "controlplane/core/reactor.h"
#include "controlplane/swarm/segment_store.h"
#include "controlplane/swarm/share_rules.h"

namespace swarmdns::controlplane {

// What this node's store has. Any thread; reads files.
std::expected<v1::NameAnswer, std::string> answer_name(const SegmentStore& store, const v1::NameQuery& query);

class NameQueries {
 public:
  // Of those that have answered in time.
  using Answers = std::map<NodeId, v1::NameAnswer>;

  // All outlive it, and the store what was offloaded besides. Names of private zones are told to nobody.
  NameQueries(Reactor& reactor, PeerLink& link, const SegmentStore& store,
              std::shared_ptr<const PrivateZones> zones);

  // `done` as soon as all have answered, or patience is over; never from within the call.
  void ask(const v1::NameQuery& query, const std::vector<NodeId>& whom, std::uint64_t patience_ms,
           std::function<void(Answers)> done);

  void receive(NodeId from, std::uint64_t request, const v1::NameQuery& query);
  void receive(NodeId from, std::uint64_t request, v1::NameAnswer answer);

 private:
  struct Asked {
    explicit Asked(Reactor& reactor) : patience(reactor) {}
    std::vector<NodeId> missing;
    Answers answers;
    std::function<void(Answers)> done;
    Timer patience;
  };
  void finish(std::uint64_t request);

  Reactor& reactor_;
  PeerLink& link_;
  const SegmentStore& store_;
  const std::shared_ptr<const PrivateZones> zones_;
  std::uint64_t next_request_ = 1;
  std::map<std::uint64_t, std::unique_ptr<Asked>> asked_;
  std::map<NodeId, unsigned> serving_;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace swarmdns::controlplane
