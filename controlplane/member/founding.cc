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

constexpr NodeId kFounder = 1;

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

std::expected<Founded, std::string> found_swarm(const IdentityFiles& files, const FoundingWish& wish) {
  const auto now = static_cast<std::int64_t>(wish.wall_ms / 1000);
  Founded made;
  NodeKeys& own = made.identity.keys;
  own.ledger = make_ledger_key();
  auto tls = make_tls_key();
  if (!tls) return std::unexpected(tls.error());
  own.tls = std::move(*tls);

  const std::string swarm_id = random_octets(16);
  auto root = make_root(swarm_id, 1, now, wish.passphrase);
  if (!root) return std::unexpected(root.error());
  auto issuer = make_issuer(
      swarm_id, 1, {root->certificate, std::string(root->key.view()), wish.passphrase, 1, "", ""}, now);
  if (!issuer) return std::unexpected(issuer.error());
  auto request = make_request(own.tls.pem);
  if (!request) return std::unexpected(request.error());
  auto chain = issue_node_certificate(*issuer, *request, {swarm_id, 1, kFounder}, now);
  if (!chain) return std::unexpected(chain.error());
  auto box = seal_issuer(*issuer, own.ledger.public_key);
  if (!box) return std::unexpected(box.error());
  auto root_der = der_from_pem(root->certificate);
  auto issuer_der = der_from_pem(issuer->chain);
  if (!root_der || !issuer_der) return std::unexpected("a certificate just made cannot be read");

  v1::NodeIdentity& record = made.identity.record;
  record.set_swarm_id(swarm_id);
  record.set_incarnation(1);
  record.set_swarm_name(wish.swarm_name);
  record.set_node(kFounder);
  record.set_name(wish.node_name);
  record.set_address(wish.address);
  record.set_chain(*chain);
  record.set_roots(root->certificate);
  record.set_name_key(random_octets(32));

  v1::Transaction& transaction = *record.mutable_genesis();
  transaction.set_version(kOldestVersion);
  transaction.set_made_ms(wish.wall_ms);
  v1::Genesis& genesis = *transaction.mutable_genesis();
  genesis.set_swarm_id(swarm_id);
  genesis.set_incarnation(1);
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
  sealed.set_member(kFounder);
  sealed.set_box(*box);
  // What the ledger would refuse never begins.
  const EmptyState nothing;
  StateView state(nothing);
  if (auto good = apply_transaction(state, {1, wish.wall_ms, 0, 0}, transaction); !good)
    return std::unexpected(good.error());

  if (auto made_log = bootstrap_log(files.log_directory(), {{kFounder, wish.address, LogRole::kVoter}});
      !made_log)
    return std::unexpected(made_log.error());
  if (auto kept = files.keep(made.identity); !kept) return std::unexpected(kept.error());
  made.root_key = std::move(root->key);
  made.root_certificate = root->certificate;
  return made;
}

}  // namespace swarmdns::controlplane
