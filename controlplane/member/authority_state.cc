#include "controlplane/member/authority_state.h"

#include <set>

#include "controlplane/certs/certificate.h"
#include "controlplane/certs/sealed_issuer.h"
#include "controlplane/membership/directory.h"
#include "controlplane/state/keys.h"

namespace swarmdns::controlplane {

std::expected<std::string, std::string> roots_in(const StateView& state) {
  const auto rotation = read<v1::CertificateRotation>(state, keys::kCertificates);
  if (!rotation) return std::unexpected("the swarm has no certification authority yet");
  std::string all;
  for (const std::string& root : rotation->roots()) {
    auto pem = pem_from_der(root);
    if (!pem) return std::unexpected(pem.error());
    all += *pem;
  }
  return all;
}

std::shared_ptr<const SwarmView> peers_in(const StateView& state) {
  auto view = std::make_shared<SwarmView>();
  const auto swarm = read<v1::SwarmRecord>(state, keys::kSwarm);
  const auto roots = roots_in(state);
  if (!swarm || !roots) return nullptr;
  view->swarm_id = swarm->swarm_id();
  view->incarnation = swarm->incarnation();
  view->roots = *roots;
  for (const v1::MemberRecord& record : all_members(state))
    view->nodes[record.tls_pin()] = {record.id(), record.removed_height() != 0};
  return view;
}

std::expected<std::optional<Issuer>, std::string> issuer_in(const StateView& state, NodeId self,
                                                            const LedgerKey& own) {
  const auto rotation = read<v1::CertificateRotation>(state, keys::kCertificates);
  if (!rotation) return std::nullopt;
  for (const v1::SealedKey& sealed : rotation->sealed()) {
    if (sealed.member() != self) continue;
    auto chain = pem_from_der(rotation->issuer());
    if (!chain) return std::unexpected(chain.error());
    auto issuer = open_issuer(*chain, sealed.box(), own);
    if (!issuer) return std::unexpected(issuer.error());
    return std::move(*issuer);
  }
  return std::nullopt;
}

std::expected<std::optional<v1::CertificateRotation>, std::string> reseal(const StateView& state,
                                                                          const Issuer& issuer) {
  auto rotation = read<v1::CertificateRotation>(state, keys::kCertificates);
  const auto log = read<v1::LogMembers>(state, keys::kLogMembers);
  if (!rotation || !log) return std::nullopt;
  std::set<std::uint64_t> wanted(log->voters().begin(), log->voters().end());
  wanted.insert(log->standbys().begin(), log->standbys().end());
  std::erase_if(wanted, [&](std::uint64_t id) {
    const auto record = member(state, id);
    return !record || record->removed_height() != 0;
  });
  std::set<std::uint64_t> have;
  for (const v1::SealedKey& sealed : rotation->sealed()) have.insert(sealed.member());
  if (have == wanted) return std::nullopt;
  rotation->set_number(rotation->number() + 1);
  rotation->clear_sealed();
  for (const std::uint64_t id : wanted) {
    auto box = seal_issuer(issuer, member(state, id)->ledger_key());
    if (!box) return std::unexpected(box.error());
    v1::SealedKey& sealed = *rotation->add_sealed();
    sealed.set_member(id);
    sealed.set_box(*box);
  }
  return std::move(*rotation);
}

}  // namespace swarmdns::controlplane
