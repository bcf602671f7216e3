#include "controlplane/certs/authority.h"

#include <algorithm>

#include "controlplane/certs/certificate.h"
#include "controlplane/certs/certificate_maker.h"

namespace swarmdns::controlplane {
namespace {

constexpr std::int64_t kMinLifetime = 600;
constexpr std::int64_t kMaxLifetime = 30 * kDay;

// Names of roots differ by their keys: two roots of one swarm would be told apart by key identifiers alone.
std::string root_name(std::string_view swarm_id, std::uint32_t incarnation, std::string_view public_key) {
  return "SwarmDNS root " + hex_text(swarm_id.substr(0, 4)) + "/" + std::to_string(incarnation) + " " +
         hex_text(public_key.substr(public_key.size() - 4));
}

std::expected<void, std::string> check_swarm(std::string_view swarm_id, std::uint32_t incarnation) {
  if (swarm_id.size() != kSwarmIdSize) return std::unexpected("a swarm id has 16 octets");
  if (incarnation == 0) return std::unexpected("incarnations count from 1");
  return {};
}

std::expected<CertificateFacts, std::string> first_of(std::string_view pem, const std::string& what) {
  auto facts = read_certificates(pem);
  if (!facts) return std::unexpected(what + ": " + facts.error());
  return std::move(facts->front());
}

}  // namespace

std::expected<Root, std::string> make_root(std::string_view swarm_id, std::uint32_t incarnation,
                                           std::int64_t now, std::string_view passphrase) {
  if (auto good = check_swarm(swarm_id, incarnation); !good) return std::unexpected(good.error());
  auto key = make_p256_key();
  if (!key) return std::unexpected(key.error());
  const auto public_key = public_key_of(*key);
  if (!public_key) return std::unexpected(public_key.error());
  const auto certificate =
      sign_certificate({CertificateKind::kRoot, root_name(swarm_id, incarnation, *public_key), "",
                        *public_key, now - kClockSkew, now + kRootLifetime},
                       "", *key);
  if (!certificate) return std::unexpected(certificate.error());
  const auto facts = first_of(*certificate, "the new root");
  if (!facts) return std::unexpected(facts.error());
  if (!passphrase.empty()) {
    key = encrypt_key(*key, passphrase);
    if (!key) return std::unexpected(key.error());
  }
  return Root{*certificate, facts->fingerprint, std::move(*key)};
}

std::expected<std::string, std::string> bridge_roots(std::string_view old_root, std::string_view old_key,
                                                     std::string_view passphrase, std::string_view new_root,
                                                     std::int64_t now) {
  const auto key = decrypt_key(old_key, passphrase);
  if (!key) return std::unexpected("the old root's key: " + key.error());
  const auto old_facts = first_of(old_root, "the old root");
  if (!old_facts) return std::unexpected(old_facts.error());
  const auto name = common_name_of(new_root);
  if (!name) return std::unexpected("the new root: " + name.error());
  const auto public_key = public_key_of_certificate(new_root);
  if (!public_key) return std::unexpected("the new root: " + public_key.error());
  return sign_certificate({CertificateKind::kRoot, *name, "", *public_key, now - kClockSkew,
                           std::min(old_facts->not_after, now + kIssuerLifetime)},
                          old_root, *key);
}

std::expected<Issuer, std::string> make_issuer(std::string_view swarm_id, std::uint32_t incarnation,
                                               const IssuerWish& wish, std::int64_t now) {
  if (auto good = check_swarm(swarm_id, incarnation); !good) return std::unexpected(good.error());
  const auto root_key = decrypt_key(wish.root_key, wish.passphrase);
  if (!root_key) return std::unexpected("the root's key: " + root_key.error());
  const auto root = first_of(wish.root, "the root");
  if (!root) return std::unexpected(root.error());
  if (root->not_after <= now) {
    return std::unexpected("the root has expired on " + utc_text(root->not_after) +
                           ": change the root, see docs/operations/swarm.md");
  }
  auto key = make_p256_key();
  if (!key) return std::unexpected(key.error());
  const auto public_key = public_key_of(*key);
  if (!public_key) return std::unexpected(public_key.error());
  const std::string name = "SwarmDNS issuer " + hex_text(swarm_id.substr(0, 4)) + "/" +
                           std::to_string(incarnation) + " " + std::to_string(wish.number);
  const auto certificate =
      sign_certificate({CertificateKind::kIssuer, name, "", *public_key, now - kClockSkew,
                        std::min(root->not_after, now + kIssuerLifetime)},
                       wish.root, *root_key);
  if (!certificate) return std::unexpected(certificate.error());
  return Issuer{*certificate + wish.bridge + root->pem + wish.old_root, std::move(*key)};
}

std::expected<std::string, std::string> issue_node_certificate(const Issuer& issuer, std::string_view request,
                                                               const NodeName& name, std::int64_t now,
                                                               std::int64_t lifetime) {
  if (auto good = check_swarm(name.swarm_id, name.incarnation); !good) return std::unexpected(good.error());
  if (name.node == 0) return std::unexpected("node numbers count from 1");
  if (lifetime < kMinLifetime || lifetime > kMaxLifetime) {
    return std::unexpected("the lifetime of a node's certificate is 600 seconds to 30 days, not " +
                           std::to_string(lifetime) + " seconds");
  }
  const auto public_key = public_key_of_request(request);
  if (!public_key) return std::unexpected(public_key.error());
  const auto above = first_of(issuer.chain, "the issuer");
  if (!above) return std::unexpected(above.error());
  if (above->not_after <= now) {
    return std::unexpected("the swarm's issuing certificate has expired on " + utc_text(above->not_after) +
                           ": make its successor with the root's key, see docs/operations/swarm.md");
  }
  const auto certificate =
      sign_certificate({CertificateKind::kNode, "SwarmDNS node " + std::to_string(name.node), node_uri(name),
                        *public_key, now - kClockSkew, std::min(above->not_after, now + lifetime)},
                       above->pem, issuer.key);
  if (!certificate) return certificate;
  return *certificate + issuer.chain;
}

std::expected<std::string, std::string> make_stranger_certificate(const Secret& tls_key, std::int64_t now) {
  const auto public_key = public_key_of(tls_key);
  if (!public_key) return std::unexpected(public_key.error());
  return sign_certificate(
      {CertificateKind::kNode, "SwarmDNS stranger", "", *public_key, now - kClockSkew, now + kDay}, "",
      tls_key);
}

}  // namespace swarmdns::controlplane
