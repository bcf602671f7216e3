// Carries out on this node what the ledger says is to be erased: one erasure after the other, its files off
// the reactor thread, each once. What comes only later is refused by the store of segments itself.
//
// Reactor thread.
#pragma once

#include <cstdint>
#include <deque>
#include <expected>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>

#include "controlplane/core/reactor.h"
#include "controlplane/swarm/segment_store.h"
#include "swarmdns/v1/state.pb.h"

namespace swarmdns::controlplane {

class Erasures {
 public:
  using Result = std::expected<void, std::string>;
  // This node's store of transactions.
  struct Ledger {
    std::function<Result(std::span<const std::uint64_t>)> erase_leaves;  // reactor thread
    std::function<Result()> scrub;  // any thread; afterwards they are in none of its files
  };
  // Segments that end so long after an erasure's block are part of it: they were cut with what came before,
  // by clocks that may be ahead.
  static constexpr std::uint64_t kSlackMs = 3000;

  // `store` outlives it, and what was offloaded besides.
  Erasures(Reactor& reactor, SegmentStore& store, Ledger ledger);

  // An erasure of the state. One that was carried out, or is waiting, is passed over.
  void committed(const v1::ErasureRecord& record);
  // All that the state has were told.
  void start();

  // The height up to which all is carried out, when the ledger is applied up to `applied`.
  std::uint64_t done_to(std::uint64_t applied) const;
  const std::string& trouble() const { return trouble_; }

 private:
  struct Waiting {
    Hash hash{};
    v1::ErasureRecord record;
  };
  void next();
  void erase(const Waiting& one);
  void done();
  void retry(const std::string& why);

  Reactor& reactor_;
  SegmentStore& store_;
  const Ledger ledger_;
  bool started_ = false;
  bool busy_ = false;
  std::set<Hash> known_;  // waiting, or done in this run
  std::deque<Waiting> waiting_;
  std::string trouble_;
  Timer again_;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace swarmdns::controlplane
