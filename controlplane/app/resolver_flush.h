// Which of Unbound's commands a flush of our cache asks for: what is flushed here must not come back from
// there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "swarmdns/v1/dataplane.pb.h"

namespace swarmdns::controlplane {

// `types_seen`: types our cache holds for the name, beyond those everybody asks for. Empty: the name in the
// request is none.
std::vector<std::string> resolver_flush_commands(const v1::FlushRequest& request,
                                                 const std::vector<uint16_t>& types_seen);

}  // namespace swarmdns::controlplane
