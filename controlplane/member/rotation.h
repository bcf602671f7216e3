// The operator's change of the certification authority: certs/authority.h has the steps, the ledger's
// transaction is made here. Pure but for random numbers and the reading of the state.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>

#include "controlplane/certs/secret.h"
#include "controlplane/core/peer_link.h"
#include "controlplane/state/state_view.h"
#include "swarmdns/v1/ledger.pb.h"

namespace swarmdns::controlplane {

// What a change begins from.
struct AuthorityNow {
  std::string swarm_id;
  std::uint32_t incarnation = 0;
  v1::CertificateRotation rotation;
  std::map<NodeId, std::string>
      holders;  // who is to have the issuing key: the log's members, with their ledger keys
};
std::expected<AuthorityNow, std::string> authority_now(const StateView& state);

struct RotationWish {
  std::string root_key;    // PEM, of the root in force
  std::string passphrase;  // of it, and of a new one; "" = plain
  bool new_root = false;
  std::int64_t now = 0;  // seconds since 1970
};
struct MadeRotation {
  v1::CertificateRotation rotation;
  Secret root_key;               // PEM; empty when the root stays
  std::string root_certificate;  // PEM, of the root in force from then on
};
// A new issuing key, signed by the root in force or by a new one. The error names the field. Takes some
// milliseconds, more with a passphrase: not on the reactor thread.
std::expected<MadeRotation, std::string> make_rotation(const AuthorityNow& from, const RotationWish& wish);

// SHA-256 of the issuing certificate in force; "" = there is none.
std::string issuer_in_force(const v1::CertificateRotation& rotation);
// Whether a node's chain (PEM) is its own certificate and then all that stands above it now.
bool hangs_on(const std::string& chain, const v1::CertificateRotation& rotation);

// The last step of a change of roots: only the new one is trusted, and nothing leads to the old one any more.
std::expected<v1::CertificateRotation, std::string> without_old_roots(
    const v1::CertificateRotation& rotation);

}  // namespace swarmdns::controlplane
