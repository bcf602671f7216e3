// swarmdns.v1.Config -> YAML that yaml_reader accepts.
#pragma once

#include <string>

#include "swarmdns/v1/config.pb.h"

namespace swarmdns::controlplane {

// Set fields only, in the order of the schema; fields filled in by the control plane are left out.
// `hide_secrets` writes "(hidden)" for cookie secrets: such text is for eyes and is not accepted back.
std::string to_yaml(const v1::Config& config, bool hide_secrets);

}  // namespace swarmdns::controlplane
