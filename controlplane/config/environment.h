// What a configuration asks of this machine: users, programs, files.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "proto/config/check.h"
#include "swarmdns/v1/config.pb.h"

namespace swarmdns::controlplane {

// `config` with defaults filled in. Empty: everything is there. Looks at the machine; blocking.
std::vector<config::Problem> environment_problems(const v1::Config& config);

// Debian's AppArmor profile lets Unbound read its own folders only. What is missing for ours, with the mend;
// nullopt: nothing. `profiles`: /sys/kernel/security/apparmor/profiles; `local`: the machine's additions to
// Unbound's profile.
std::optional<std::string> apparmor_problem(const v1::Config& config, const std::string& profiles,
                                            const std::string& local);

}  // namespace swarmdns::controlplane
