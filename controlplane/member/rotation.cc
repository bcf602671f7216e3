#include "controlplane/member/rotation.h"

#include "controlplane/certs/authority.h"
#include "controlplane/certs/certificate.h"
#include "controlplane/certs/certificate_maker.h"
#include "controlplane/certs/sealed_issuer.h"
#include "controlplane/membership/directory.h"
#include "controlplane/state/keys.h"

namespace swarmdns::controlplane {
namespace {

// The new root, and the issuing key that it has signed.
struct Signed {
  Issuer issuer;
  std::optional<Root> root;
};

std::expected<Signed, std::string> sign_anew(const AuthorityNow& from, const RotationWish& wish,
                                             const std::string& root) {
  // Every rotation has its number, so the issuers' names differ.
  const auto number = static_cast<std::uint32_t>(from.rotation.number() + 2);
  Signed made;
  IssuerWish issuer{root, wish.root_key, wish.passphrase, number, "", ""};
  if (wish.new_root) {
    auto next = make_root(from.swarm_id, from.incarnation, wish.now, wish.passphrase);
    if (!next) return std::unexpected(next.error());
    auto bridge = bridge_roots(root, wish.root_key, wish.passphrase, next->certificate, wish.now);
    if (!bridge) return std::unexpected(bridge.error());
    issuer = {next->certificate, std::string(next->key.view()), wish.passphrase, number, *bridge, root};
    made.root = std::move(*next);
  }
  auto signed_by_root = make_issuer(from.swarm_id, from.incarnation, issuer, wish.now);
  if (!signed_by_root) return std::unexpected(signed_by_root.error());
  made.issuer = std::move(*signed_by_root);
  return made;
}

}  // namespace

std::expected<AuthorityNow, std::string> authority_now(const StateView& state) {
  const auto swarm = read<v1::SwarmRecord>(state, keys::kSwarm);
  const auto rotation = read<v1::CertificateRotation>(state, keys::kCertificates);
  const auto log = read<v1::LogMembers>(state, keys::kLogMembers);
  if (!swarm || !rotation || !log) return std::unexpected("the swarm has no certification authority yet");
  AuthorityNow now{swarm->swarm_id(), swarm->incarnation(), *rotation, {}};
  for (const auto& ids : {log->voters(), log->standbys()}) {
    for (const std::uint64_t id : ids) {
      const auto record = member(state, id);
      if (record && record->removed_height() == 0) now.holders[id] = record->ledger_key();
    }
  }
  return now;
}

std::expected<MadeRotation, std::string> make_rotation(const AuthorityNow& from, const RotationWish& wish) {
  if (from.rotation.roots_size() > 1) {
    return std::unexpected(
        "an earlier change of the root is not over: swarmctl swarm status names the nodes that have no "
        "certificate of the new one yet; wait for them, or remove those that do not come back");
  }
  const auto root = pem_from_der(from.rotation.roots(0));
  if (!root) return std::unexpected("the root in force: " + root.error());
  const auto key = decrypt_key(wish.root_key, wish.passphrase);
  if (!key) return std::unexpected("--root-key: " + key.error());
  const auto of_key = public_key_of(*key);
  const auto of_root = public_key_of_certificate(*root);
  if (!of_key || !of_root || *of_key != *of_root)
    return std::unexpected("--root-key: it is not the key of the root in force");
  auto made = sign_anew(from, wish, *root);
  if (!made) return std::unexpected(made.error());

  MadeRotation done;
  done.root_certificate = made->root ? made->root->certificate : *root;
  done.rotation.set_number(from.rotation.number() + 1);
  if (made->root) {
    auto der = der_from_pem(made->root->certificate);
    if (!der) return std::unexpected(der.error());
    done.rotation.add_roots(*der);
    done.root_key = std::move(made->root->key);
  }
  done.rotation.add_roots(from.rotation.roots(0));
  auto chain = der_from_pem(made->issuer.chain);
  if (!chain) return std::unexpected(chain.error());
  done.rotation.set_issuer(*chain);
  for (const auto& [id, ledger_key] : from.holders) {
    auto box = seal_issuer(made->issuer, ledger_key);
    if (!box) return std::unexpected(box.error());
    v1::SealedKey& sealed = *done.rotation.add_sealed();
    sealed.set_member(id);
    sealed.set_box(*box);
  }
  return done;
}

std::string issuer_in_force(const v1::CertificateRotation& rotation) {
  const auto pem = pem_from_der(rotation.issuer());
  const auto facts = pem ? read_certificates(*pem) : std::unexpected(pem.error());
  return facts && !facts->empty() ? facts->front().fingerprint : "";
}

bool hangs_on(const std::string& chain, const v1::CertificateRotation& rotation) {
  const auto own = read_certificates(chain);
  const auto pem = pem_from_der(rotation.issuer());
  const auto above = pem ? read_certificates(*pem) : std::unexpected(pem.error());
  if (!own || !above || own->size() != above->size() + 1) return false;
  for (std::size_t i = 0; i < above->size(); ++i) {
    if ((*own)[i + 1].fingerprint != (*above)[i].fingerprint) return false;
  }
  return true;
}

std::expected<v1::CertificateRotation, std::string> without_old_roots(
    const v1::CertificateRotation& rotation) {
  const auto pem = pem_from_der(rotation.issuer());
  const auto root = pem_from_der(rotation.roots(0));
  const auto chain = pem ? read_certificates(*pem) : std::unexpected(pem.error());
  if (!chain) return std::unexpected(chain.error());
  if (!root) return std::unexpected(root.error());
  const auto shorter = der_from_pem(chain->front().pem + *root);
  if (!shorter) return std::unexpected(shorter.error());
  v1::CertificateRotation last = rotation;
  last.set_number(rotation.number() + 1);
  last.set_issuer(*shorter);
  last.clear_roots();
  last.add_roots(rotation.roots(0));
  return last;
}

}  // namespace swarmdns::controlplane
