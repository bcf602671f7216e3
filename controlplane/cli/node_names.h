// Names of nodes by their numbers, gathered from whatever an answer says. Pure.
#pragma once

#include <map>
#include <string>

#include "swarmdns/v1/swarm.pb.h"

namespace swarmdns::controlplane {

class NodeNames {
 public:
  void learn(const v1::SwarmView& view);
  // Who made a transaction, and whom it is about.
  void learn(const v1::BlockView& block);
  // "n2"; "node 7" when nothing said its name. 0 is nobody: "no node".
  std::string of(uint64_t id) const;

 private:
  void learn(uint64_t id, const std::string& name);
  std::map<uint64_t, std::string> names_;
};

// Text from elsewhere as a terminal may show it: control characters become "?".
std::string printable(const std::string& text);

}  // namespace swarmdns::controlplane
