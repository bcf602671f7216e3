// What a configuration asks of this machine: users, programs, files.
#pragma once

#include <vector>

#include "proto/config/check.h"
#include "swarmdns/v1/config.pb.h"

namespace swarmdns::controlplane {

// `config` with defaults filled in. Empty: everything is there. Looks at the machine; blocking.
std::vector<config::Problem> environment_problems(const v1::Config& config);

}  // namespace swarmdns::controlplane
