// What belongs to the swarm's caches and recovery, and is not wired into the node yet: refused
// with that reason, and nothing is changed.
#include "controlplane/app/swarm_host.h"

namespace swarmdns::controlplane {
namespace {

std::unexpected<Refusal> not_yet(const char* what) {
  return std::unexpected(
      Refusal{Refusal::Kind::kPrecondition, std::string("this version of SwarmDNS cannot ") + what + " yet"});
}

}  // namespace

Outcome<v1::RecoverSwarmResponse> SwarmHost::recover_swarm(const v1::RecoverSwarmRequest&) {
  return not_yet("recover a swarm that lost its quorum");
}
Outcome<v1::GetAtResponse> SwarmHost::at(const v1::GetAtRequest&) {
  return not_yet("tell what a cache held at a time");
}
Outcome<v1::DiffHeightsResponse> SwarmHost::diff(const v1::DiffHeightsRequest&) {
  return not_yet("compare two heights");
}
Outcome<v1::ProveResponse> SwarmHost::prove_of_mutation(const v1::ProveMutation&) {
  return not_yet("prove a mutation");
}
Outcome<v1::EraseNameResponse> SwarmHost::erase_name(const v1::EraseNameRequest&) {
  return not_yet("erase a name");
}
Outcome<void> SwarmHost::export_ledger(const v1::ExportLedgerRequest&, const Take<v1::ExportPiece>&) {
  return not_yet("export the ledger");
}

}  // namespace swarmdns::controlplane
