// A node that starts fills its cache before it says Ready: first the fences, then what its restart snapshot
// holds back until they are carried out, then the cache of the peer in scope that has the least to do, or the
// next when that one fails. At most 60 s; then it is ready, warm or cold.
//
// Reactor thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/core/peer_link.h"
#include "controlplane/core/reactor.h"
#include "controlplane/swarm/cache_port.h"
#include "controlplane/swarm/fences.h"
#include "controlplane/swarm/share_peers.h"
#include "controlplane/swarm/share_rules.h"

namespace swarmdns::controlplane {

inline constexpr std::uint64_t kWarmUpMs = 60'000;

class WarmUp {
 public:
  using Done = std::function<void(std::expected<std::uint64_t, std::string> entries)>;
  struct Options {
    NodeId node = 0;
    std::shared_ptr<const PrivateZones> private_zones;
    // All fences have been carried out: brings back what this node kept of its own cache. `done` later.
    std::function<void(Done done)> load_local;
    std::uint64_t at_most_ms = kWarmUpMs;
    std::uint64_t peers_ms = 3000;  // so long it waits for a peer to be there, with its clock compared
    std::uint64_t piece_ms = 5000;  // for an answer of a peer
    std::size_t insert_entries = 1024;
  };
  // `over`: once, when the data plane has been told that it is warm.
  WarmUp(Reactor& reactor, PeerLink& link, CachePort& cache, SharePeers& peers, Fences& fences,
         Options options, std::function<void()> over);

  // At the start, and for each new data plane. One that says that it is ready already is not told to wait:
  // what it has of its own still comes.
  void start(bool ready_already = false);
  void fences_clear();
  void receive(NodeId from, v1::PeerMessage message);  // warm_up_response

  enum class Phase : std::uint8_t { kIdle, kFences, kLocal, kPeers, kReady };
  struct State {
    Phase phase = Phase::kIdle;
    bool cold = false;            // kReady: nothing was there to warm up from, or the time was over
    std::string why;              // cold; or what was left out
    std::uint64_t local = 0;      // entries
    std::uint64_t from_peer = 0;  // entries
    NodeId peer = 0;              // that it is or was being warmed from
    std::uint64_t took_ms = 0;    // kReady
  };
  const State& state() const { return state_; }

 private:
  void local();
  void peers();
  void try_next_peer();
  void ask();
  void give_up_peer(const std::string& why, bool busy = false);
  void insert_next();
  void finish(bool cold, const std::string& why);
  void tell_warm(std::uint64_t generation);

  Reactor& reactor_;
  PeerLink& link_;
  CachePort& cache_;
  SharePeers& peers_;
  Fences& fences_;
  const Options options_;
  const std::function<void()> over_;
  State state_;
  std::uint64_t generation_ = 0;
  std::uint64_t begun_ms_ = 0;
  std::vector<NodeId> tried_;
  std::vector<std::string> failures_;
  std::uint64_t next_request_ = 1;
  std::uint64_t request_ = 0;  // under way
  std::uint64_t cursor_ = 0;
  v1::CachePieceResponse piece_;  // being inserted
  int next_entry_ = 0;
  Timer deadline_;
  Timer wait_;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

// The other side: pieces of this node's cache for peers that start.
class WarmUpServer {
 public:
  struct Options {
    NodeId node = 0;
    std::shared_ptr<const PrivateZones> private_zones;
    std::size_t clients = 1;         // at a time: the data plane serves two dumps, and one is for operators
    std::uint64_t idle_ms = 15'000;  // a client that asks for nothing is gone
    std::size_t queued_bytes = 8 << 20;  // more waits to be sent to it: it has to ask again
  };
  WarmUpServer(Reactor& reactor, PeerLink& link, CachePort& cache, SharePeers& peers, Fences& fences,
               Options options);

  void receive(NodeId from, v1::PeerMessage message);  // warm_up_request

  struct Stats {
    std::uint64_t clients = 0;  // served, or begun
    std::uint64_t turned_away = 0;
    std::uint64_t pieces = 0;
    std::uint64_t entries = 0;
  };
  const Stats& stats() const { return stats_; }

 private:
  struct Client {
    std::uint64_t dump = 0;         // which dump; an earlier one of the same peer is answered no more
    std::uint64_t request = 0;      // that waits for a piece; 0 = none
    v1::CachePieceResponse newest;  // the piece under its cursor
    std::function<void()> next;
    std::unique_ptr<Timer> idle;
  };
  void open(NodeId from, std::uint64_t request);
  void piece(NodeId from, std::uint64_t dump, std::expected<v1::DumpEntries, std::string> entries,
             std::function<void()> next);
  void answer(NodeId to, std::uint64_t request, v1::CachePieceResponse response);
  void refuse(NodeId to, std::uint64_t request, const std::string& problem, bool busy = false);
  void wait_for(NodeId from, Client& client);

  Reactor& reactor_;
  PeerLink& link_;
  CachePort& cache_;
  SharePeers& peers_;
  Fences& fences_;
  const Options options_;
  std::map<NodeId, Client> clients_;
  std::uint64_t next_dump_ = 1;
  Stats stats_;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace swarmdns::controlplane
