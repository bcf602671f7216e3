// docs/configuration.md, made from the schema so that it cannot go stale.
#pragma once

#include <string>

namespace swarmdns::controlplane {

// Markdown.
std::string config_reference();

}  // namespace swarmdns::controlplane
