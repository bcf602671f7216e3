// Can the resolver listen where a configuration wants it to? Any thread.
#pragma once

#include <optional>
#include <string>

#include "swarmdns/v1/config.pb.h"

namespace swarmdns::controlplane {

// What stands against it, with the mend; nullopt: nothing. Both with defaults filled in. Where `current`
// listens already is not asked again: it is the resolver itself that is there.
std::optional<std::string> listening_problem(const v1::ResolverConfig& current,
                                             const v1::ResolverConfig& wanted);

}  // namespace swarmdns::controlplane
