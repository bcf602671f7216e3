// Where a log lies: gives the engine a fresh struct raft_io each time it opens the log. In production raft_uv
// on a directory (uv_log_store.h), in tests/sim a simulated disk.
//
// Reactor thread, all of it.
#pragma once

#include <expected>
#include <functional>
#include <string>

#include "controlplane/consensus/raft_headers.h"

namespace swarmdns::controlplane {

class LogStore {
 public:
  virtual ~LogStore() = default;

  // An io for raft_init(); it stays the store's own. Only its disk half is used (send and the receive
  // callback of start are not). `failed` is called, from anywhere in the io, when the io cannot go on; the
  // engine then closes it and opens it again. Error: a sentence naming the file and the mend.
  virtual std::expected<struct raft_io*, std::string> open(std::function<void(std::string)> failed) = 0;

  // The io has been closed, or raft_init() failed with it: it can be freed.
  virtual void closed() = 0;

  // What C-raft said when the log could not be opened, as a sentence that names the place and the mend.
  virtual std::string explain(const std::string& error) const = 0;

  // A sentence for why writes take so long, with the mend (a full disk ...); "" = no reason that this knows.
  // May look at the file system.
  virtual std::string why_stuck() = 0;
};

}  // namespace swarmdns::controlplane
