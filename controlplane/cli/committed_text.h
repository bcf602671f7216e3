// What was done, and where it stands in the ledger.
#pragma once

#include <string>

#include "controlplane/cli/context.h"

namespace swarmdns::controlplane {

// "block 57, 2026-11-22T17:05:12Z"
std::string committed_text(const v1::Committed& committed);

// "WHAT: block 57, ...", and the swarm's note below; as JSON the message.
int print_committed(Context& context, const std::string& what, const v1::Committed& committed);

}  // namespace swarmdns::controlplane
