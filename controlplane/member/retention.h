// Forgets of this node's ledger what the settings do not keep: blocks older than `retain_blocks`, and most of
// the old checkpoints. Every node does it for itself; no transaction says so. Reactor thread, a piece at a
// time.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "controlplane/chain/chain.h"
#include "controlplane/core/reactor.h"
#include "controlplane/ledger/store.h"

namespace swarmdns::controlplane {

class Retention {
 public:
  // All outlive it. `say`: to the node's log.
  Retention(Reactor& reactor, const Chain& chain, LedgerStore& store,
            std::function<void(const std::string&)> say);

  void start();
  // What the last run could not do; "" = nothing.
  const std::string& trouble() const { return trouble_; }

 private:
  void run();
  void prune();
  void thin();

  Reactor& reactor_;
  const Chain& chain_;
  LedgerStore& store_;
  const std::function<void(const std::string&)> say_;
  std::size_t tier_ = 0;    // of the checkpoints that are being thinned out
  std::uint64_t from_ = 0;  // height
  std::string trouble_;
  Timer timer_;
};

}  // namespace swarmdns::controlplane
