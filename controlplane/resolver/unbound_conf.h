// ResolverConfig -> unbound.conf. Pure; any thread.
#pragma once

#include <string>

#include "swarmdns/v1/config.pb.h"

namespace swarmdns::controlplane {

// Where the resolver's files are. The directories above belong to root: an unprivileged process must not be
// able to put a configuration in front of a program that starts as root.
struct ResolverPaths {
  std::string directory;       // STATE_DIR/resolver, root's
  std::string conf;            // .../unbound.conf
  std::string anchor_dir;      // .../anchor, the resolver user's: it follows key rollovers there
  std::string anchor;          // .../anchor/root.key
  std::string control_socket;  // RUN_DIR/unbound.ctl
  std::string pid_file;        // RUN_DIR/resolver.pid, the control plane's own
  std::string log_file;        // STATE_DIR/log/resolver.log
};
ResolverPaths resolver_paths(const v1::NodeConfig& node);

// A name only our Unbound answers, from its own configuration: it says that the process serves, whatever the
// state of the network.
inline constexpr const char* kHealthName = "health.swarmdns.invalid.";

// `config` with defaults filled in.
std::string render_unbound_conf(const v1::ResolverConfig& config, const ResolverPaths& paths);

}  // namespace swarmdns::controlplane
