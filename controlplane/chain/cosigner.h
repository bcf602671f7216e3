// Checkpoints: the leader asks the voters to cosign its newest block, and what a majority of that height's
// voters has cosigned is kept and told to everybody. A voter signs only what it has applied itself. Reactor
// thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/chain/chain.h"
#include "controlplane/core/peer_link.h"
#include "controlplane/core/reactor.h"
#include "controlplane/ledger/checkpoint.h"

namespace swarmdns::controlplane {

class Cosigner {
 public:
  struct Options {
    NodeId self = 0;
    KeyPair keys;
    std::uint64_t interval_ms = 100;  // between two rounds
    std::uint64_t round_ms = 1000;    // what has no majority by then is begun anew, at the newest block
  };
  struct Counters {
    std::uint64_t rounds = 0;
    std::uint64_t checkpoints = 0;
    std::uint64_t refused = 0;  // requests and notes that are not ours to believe
  };

  Cosigner(Reactor& reactor, PeerLink& link, Chain& chain, Options options);

  void set_leader(bool leader);
  // The chain was reopened on other content (Chain::reopen).
  void reopened();

  void receive(NodeId from, std::uint64_t request, const v1::CosignRequest& message);
  void receive(NodeId from, const v1::CosignResponse& message);
  // Believed when it is of a block this node has applied, or is about to, with a majority of its voters.
  void receive(NodeId from, const v1::CheckpointNotice& message);

  // The newest that this node holds; 0 and "" before the first.
  std::uint64_t height() const { return newest_height_; }
  const std::string& note() const { return newest_note_; }
  // The voters of a height whose block is at most the tip, as verifier keys; nothing when it is too long ago
  // to know.
  std::optional<std::vector<VerifierKey>> voters_at(std::uint64_t height) const;

  // Called with each newer checkpoint.
  void on_checkpoint(std::function<void(std::uint64_t height, const std::string& note)> callback) {
    told_ = std::move(callback);
  }
  const Counters& counters() const { return counters_; }

 private:
  struct Voter {
    NodeId id = 0;
    VerifierKey key;
  };
  struct Round {
    CheckpointNote checkpoint;
    std::vector<Voter> voters;
    std::size_t needed = 0;
  };

  void begin();
  void applied(const AppliedBlock& block);
  void catch_up();
  void note_voters(std::uint64_t height);
  const std::vector<Voter>* voters_of(std::uint64_t height) const;
  std::optional<BlockHeader> header_at(std::uint64_t height) const;
  bool votes(std::uint64_t height) const;
  void begin_round();
  void take(NodeId from, NoteSignature signature);
  void finish_round();
  void keep(std::uint64_t height, std::string note);
  void consider(const std::string& note);
  v1::CosignResponse sign(std::uint64_t height, const std::string& block_hash) const;

  Reactor& reactor_;
  PeerLink& link_;
  Chain& chain_;
  const Options options_;
  bool leader_ = false;
  std::uint64_t newest_height_ = 0;
  std::string newest_note_;
  std::optional<Round> round_;
  Timer pace_;
  Timer patience_;
  struct Asked {
    std::uint64_t request = 0;
    std::uint64_t height = 0;
    std::string block_hash;
  };
  std::map<NodeId, Asked> asked_;               // for blocks not applied yet: the newest of each asker
  std::map<std::uint64_t, std::string> ahead_;  // notes of blocks that are not applied yet; the lowest few
  std::map<std::uint64_t, std::vector<Voter>> voters_;  // from that height on; the newest few
  std::map<std::uint64_t, BlockHeader> headers_;        // of the newest few
  std::function<void(std::uint64_t, const std::string&)> told_;
  Counters counters_;
};

}  // namespace swarmdns::controlplane
