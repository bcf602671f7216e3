// A SwarmControl that is somewhere else: the client of the service SwarmAdmin.
#pragma once

#include <memory>

#include "controlplane/api/swarm_control.h"
#include "controlplane/cli/admin_channel.h"

namespace swarmdns::controlplane {

std::unique_ptr<SwarmControl> make_swarm_client(std::shared_ptr<AdminChannel> channel);

}  // namespace swarmdns::controlplane
