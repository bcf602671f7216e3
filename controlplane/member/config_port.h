// What the swarm asks of the node's own configuration: implemented by the node (app/), in tests by a
// stand-in. May block; any thread but the reactor's, except in_force().
#pragma once

#include <string>
#include <vector>

#include "swarmdns/v1/identity.pb.h"

namespace swarmdns::controlplane {

class ConfigPort {
 public:
  virtual ~ConfigPort() = default;

  // Would it be put in force here? What stands against it, a sentence each that names the field; nothing: it
  // would. `file`: the document's name for messages.
  virtual std::vector<std::string> judge(const v1::KeptConfig& config, const std::string& file) = 0;

  // Puts it in force and keeps it for the next start; one of height 0 leaves the node with its own file. What
  // stands against it: then everything stays as it was.
  virtual std::vector<std::string> put_in_force(const v1::KeptConfig& config) = 0;

  // Of the swarm's; height 0: none. Does not block.
  virtual v1::KeptConfig in_force() const = 0;
};

}  // namespace swarmdns::controlplane
