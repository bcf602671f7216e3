// What swarmctl can do on a machine where no control plane runs yet: judge a configuration file and bind
// ports, the steps before a first start.
#pragma once

#include <memory>

#include "controlplane/api/node_control.h"

namespace swarmdns::controlplane {

// Everything else is refused with `why` (kUnreachable).
std::unique_ptr<NodeControl> make_local_node(Refusal why);

}  // namespace swarmdns::controlplane
