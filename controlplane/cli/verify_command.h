// ledger verify FILE --trust TRUSTFILE: needs no node.
#pragma once

#include <string>

#include "controlplane/cli/context.h"

namespace swarmdns::controlplane {

int verify_file(Context& context, const std::string& file, const std::string& trust_file);

}  // namespace swarmdns::controlplane
