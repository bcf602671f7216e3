// Names and types as they are typed.
#pragma once

#include <string>

#include "controlplane/cli/context.h"

namespace swarmdns::controlplane {

// false: it is none, and that has been said.
bool read_name(Context& context, const std::string& text, std::string& wire);
// "" leaves `type` as it is: all types.
bool read_type(Context& context, const std::string& text, uint32_t& type);

}  // namespace swarmdns::controlplane
