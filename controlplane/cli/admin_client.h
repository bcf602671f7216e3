// A NodeControl that is somewhere else: the client of the service Admin.
#pragma once

#include <memory>

#include "controlplane/api/node_control.h"
#include "controlplane/cli/admin_channel.h"

namespace swarmdns::controlplane {

std::unique_ptr<NodeControl> make_admin_client(std::shared_ptr<AdminChannel> channel);

}  // namespace swarmdns::controlplane
