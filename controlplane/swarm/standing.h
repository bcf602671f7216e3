// What a cache held of a name at a time, told from the mutations that its node has written down. Pure.
//
// Entries that came from other nodes are not in a node's own segments: they stood wherever their maker's was
// shared. A data plane that was started anew without its dump held less than this says.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "swarmdns/v1/peer.pb.h"
#include "swarmdns/v1/state.pb.h"

namespace swarmdns::controlplane {

// Of each node, by its numbers: what it had learned by then, was not replaced, removed, flushed or fenced
// off, and whose TTL was not over. `mutations`: of all nodes, flushes of the zones above included, in any
// order and perhaps twice.
std::vector<v1::NameMutation> standing_at(std::span<const v1::NameMutation> mutations, std::uint64_t time_ms,
                                          std::span<const v1::FenceRecord> fences);

}  // namespace swarmdns::controlplane
