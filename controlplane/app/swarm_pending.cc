// What belongs to the swarm's caches, configuration and recovery, and is not wired into the node yet: refused
// with that reason, and nothing is changed.
#include "controlplane/app/swarm_host.h"

namespace swarmdns::controlplane {
namespace {

std::unexpected<Refusal> not_yet(const char* what) {
  return std::unexpected(
      Refusal{Refusal::Kind::kPrecondition, std::string("this version of SwarmDNS cannot ") + what + " yet"});
}

}  // namespace

Outcome<v1::RotateAuthorityResponse> SwarmHost::rotate_authority(const v1::RotateAuthorityRequest&) {
  return not_yet("rotate the certification authority");
}
Outcome<v1::ApplySwarmConfigResponse> SwarmHost::apply_swarm_config(const v1::ApplySwarmConfigRequest&) {
  return not_yet("apply a configuration to all nodes");
}
Outcome<v1::ListSwarmConfigsResponse> SwarmHost::swarm_configs(const v1::ListSwarmConfigsRequest&) {
  return not_yet("keep configurations of all nodes");
}
Outcome<v1::ApplySwarmConfigResponse> SwarmHost::rollback_swarm_config(
    const v1::RollbackSwarmConfigRequest&) {
  return not_yet("roll a configuration of all nodes back");
}

}  // namespace swarmdns::controlplane
