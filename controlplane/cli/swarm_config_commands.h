// The configuration that the whole swarm agrees on. Each returns an exit code; `yaml` is a swarm document,
// `file` where it stands.
#pragma once

#include <string>

#include "controlplane/cli/context.h"

namespace swarmdns::controlplane {

// Without a control plane (context.swarm nullptr) the document alone is judged.
int check_swarm_config(Context& context, const std::string& yaml, const std::string& file);
int apply_swarm_config(Context& context, const std::string& yaml, const std::string& file,
                       const std::string& reason);

// The versions, newest first; with a height the document of that one.
int show_swarm_configs(Context& context, uint32_t limit, uint64_t height);

// `to`: height or time.
int roll_back_swarm_config(Context& context, const std::string& to, bool dry_run, const std::string& reason);

}  // namespace swarmdns::controlplane
