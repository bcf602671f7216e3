// Members of one swarm in this process, as they run on nodes: mTLS over loopback, logs and ledgers on a real
// disk. They have no data plane and no resolver.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "controlplane/member/member.h"

namespace swarmdns::bench {

class RunningSwarm {
 public:
  // Founds it and lets the others join, until each votes. `directory` is this one's to fill; port by port
  // from `first_port`. What goes wrong ends the program.
  RunningSwarm(std::string directory, unsigned nodes, std::uint16_t first_port);
  ~RunningSwarm();
  RunningSwarm(const RunningSwarm&) = delete;
  RunningSwarm& operator=(const RunningSwarm&) = delete;

  [[nodiscard]] unsigned size() const { return static_cast<unsigned>(members_.size()); }
  controlplane::Member& at(unsigned index) { return *members_[index]; }
  // Waits until one of them leads.
  unsigned leader();
  // One more node joins; what it has not got yet comes by itself.
  void add();

 private:
  // "": it is done; else why not.
  std::string order(v1::Transaction transaction);

  const std::string directory_;
  const std::uint16_t first_port_;
  std::string swarm_id_;
  std::string root_fingerprint_;
  std::vector<std::unique_ptr<controlplane::Member>> members_;
};

}  // namespace swarmdns::bench
