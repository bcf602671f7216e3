#include "controlplane/member/founding.h"

#include <sodium.h>

#include "controlplane/certs/authority.h"
#include "controlplane/certs/certificate.h"
#include "controlplane/certs/certificate_maker.h"
#include "controlplane/certs/sealed_issuer.h"
#include "controlplane/consensus/uv_log_store.h"
#include "controlplane/state/apply.h"

namespace swarmdns::controlplane {
namespace {

class EmptyState final : public StateSource {
 public:
  std::expected<std::optional<std::string>, std::string> get(std::string_view) const override {
    return std::nullopt;
  }
  std::expected<void, std::string> scan(
      std::string_view, const std::function<bool(std::string_view, std::string_view)>&) const override {
    return {};
  }
};

std::string random_octets(std::size_t count) {
  std::string octets(count, '\0');
  randombytes_buf(octets.data(), octets.size());
  return octets;
}

}  // namespace

std::expected<Founded, std::string> make_founded(const FoundingWish& wish, Beginning beginning) {
  const auto now = static_cast<std::int64_t>(wish.wall_ms / 1000);
  const std::string& swarm_id = beginning.swarm_id;
  const std::uint32_t incarnation = beginning.incarnation;
  Founded made;
  NodeKeys& own = made.identity.keys;
  own.ledger = make_ledger_key();
  auto tls = make_tls_key();
  if (!tls) return std::unexpected(tls.error());
  own.tls = std::move(*tls);

  auto root = make_root(swarm_id, incarnation, now, wish.passphrase);
  if (!root) return std::unexpected(root.error());
  auto issuer =
      make_issuer(swarm_id, incarnation,
                  {root->certificate, std::string(root->key.view()), wish.passphrase, 1, "", ""}, now);
  if (!issuer) return std::unexpected(issuer.error());
  auto request = make_request(own.tls.pem);
  if (!request) return std::unexpected(request.error());
  auto chain = issue_node_certificate(*issuer, *request, {swarm_id, incarnation, beginning.founder}, now);
  if (!chain) return std::unexpected(chain.error());
  auto box = seal_issuer(*issuer, own.ledger.public_key);
  if (!box) return std::unexpected(box.error());
  auto root_der = der_from_pem(root->certificate);
  auto issuer_der = der_from_pem(issuer->chain);
  if (!root_der || !issuer_der) return std::unexpected("a certificate just made cannot be read");

  v1::NodeIdentity& record = made.identity.record;
  record.set_swarm_id(swarm_id);
  record.set_incarnation(incarnation);
  record.set_swarm_name(wish.swarm_name);
  record.set_node(beginning.founder);
  record.set_name(wish.node_name);
  record.set_address(wish.address);
  record.set_chain(*chain);
  record.set_roots(root->certificate);
  record.set_name_key(beginning.name_key);
  record.set_place(beginning.place);

  v1::Transaction& transaction = *record.mutable_genesis();
  transaction.set_version(kOldestVersion);
  transaction.set_made_ms(wish.wall_ms);
  transaction.set_principal(wish.principal);
  transaction.set_reason(wish.reason);
  v1::Genesis& genesis = *transaction.mutable_genesis();
  genesis = std::move(beginning.genesis);
  genesis.set_swarm_id(swarm_id);
  genesis.set_incarnation(incarnation);
  genesis.set_name(wish.swarm_name);
  genesis.set_ca_root(*root_der);
  *genesis.mutable_settings() = with_defaults(wish.settings);
  v1::MemberAdded& first = *genesis.mutable_first();
  first.set_name(wish.node_name);
  first.set_address(wish.address);
  first.set_region(wish.region);
  first.set_ledger_key(own.ledger.public_key);
  first.set_tls_pin(own.tls.pin);
  first.set_version_min(kOldestVersion);
  first.set_version_max(kVersion);
  v1::CertificateRotation& certificates = *genesis.mutable_certificates();
  certificates.add_roots(*root_der);
  certificates.set_issuer(*issuer_der);
  v1::SealedKey& sealed = *certificates.add_sealed();
  sealed.set_member(beginning.founder);
  sealed.set_box(*box);
  // What the ledger would refuse never begins.
  const EmptyState nothing;
  StateView state(nothing);
  if (auto good = apply_transaction(state, {1, wish.wall_ms, 0, 0}, transaction); !good)
    return std::unexpected(good.error());
  made.root_key = std::move(root->key);
  made.root_certificate = root->certificate;
  return made;
}

std::expected<void, std::string> lay_out(const IdentityFiles& files, const Identity& identity) {
  const v1::NodeIdentity& record = identity.record;
  if (auto made = bootstrap_log(files.log_directory(record.place()),
                                {{record.node(), record.address(), LogRole::kVoter}});
      !made)
    return made;
  return keep_node_keys(files.place_directory(record.place()), identity.keys);
}

std::expected<Founded, std::string> found_swarm(const IdentityFiles& files, const FoundingWish& wish) {
  auto made = make_founded(wish, {random_octets(16), 1, 1, random_octets(32), "", {}});
  if (!made) return made;
  if (auto laid = lay_out(files, made->identity); !laid) return std::unexpected(laid.error());
  if (auto kept = files.keep(made->identity.record); !kept) return std::unexpected(kept.error());
  return made;
}

}  // namespace swarmdns::controlplane
