// Prepares a start of Unbound: its directories, trust anchor and configuration, checked before it is used.
// Blocking; one thread at a time.
#pragma once

#include <expected>
#include <string>

#include "controlplane/resolver/unbound_conf.h"
#include "controlplane/supervise/process.h"
#include "swarmdns/v1/config.pb.h"

namespace swarmdns::controlplane {

// Writes everything Unbound needs below `paths` and says how to run it. The error is a sentence with what
// unbound-checkconf had to say.
std::expected<SpawnOptions, std::string> prepare_unbound(const v1::ResolverConfig& config,
                                                         const ResolverPaths& paths);

// Renders the configuration to a file beside the one in use and has unbound-checkconf judge it.
std::expected<void, std::string> check_unbound(const v1::ResolverConfig& config, const ResolverPaths& paths);

// Makes the directory if need be, and sets its owner and mode. The error is a sentence.
std::expected<void, std::string> make_directory(const std::string& path, unsigned mode, uid_t uid, gid_t gid);

}  // namespace swarmdns::controlplane
