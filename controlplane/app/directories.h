// STATE_DIR and RUN_DIR of a node, and who may do what in them.
#pragma once

#include <expected>
#include <string>

#include "swarmdns/v1/config.pb.h"

namespace swarmdns::controlplane {

// Makes STATE_DIR, STATE_DIR/log and RUN_DIR. The first and last belong to root, are writable by the data
// plane's group and sticky: the unprivileged data plane keeps its own files there, and can neither remove nor
// replace those of root (the resolver's configuration, pid files). The error is a sentence.
std::expected<void, std::string> prepare_directories(const v1::NodeConfig& node);

// Gives `path` to the data plane's user; a link is not followed.
std::expected<void, std::string> give_to_dataplane(const std::string& path, const v1::NodeConfig& node);

}  // namespace swarmdns::controlplane
