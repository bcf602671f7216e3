// What of a block a caller may not read who is none of node.ledger_readers. Any thread.
#pragma once

#include "swarmdns/v1/swarm.pb.h"

namespace swarmdns::controlplane {

// Takes out of its transactions whatever people have written or configured: words, of which nobody knows
// whether they are names. Who did what stays.
void withhold_names(v1::BlockView& block);

}  // namespace swarmdns::controlplane
