// The two private keys of a node, each in a file of its own, never sent anywhere:
//   ledger.key  Ed25519 (RFC 8032): signs bundles, segment headers, cosignatures; opens what is sealed to it
//   tls.key     ECDSA on P-256: the key of its certificates. Its pin is how the swarm knows the node.
// Both are made before the node joins and change only with a new identity. Blocking file I/O in the two
// functions on files: not from the reactor thread.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "controlplane/certs/secret.h"

namespace swarmdns::controlplane {

struct LedgerKey {
  Secret secret;           // libsodium's secret key: seed, then public key; 64 octets
  std::string public_key;  // 32 octets

  std::string sign(std::string_view message) const;  // 64 octets
};

struct TlsKey {
  Secret pem;              // PKCS#8
  std::string public_key;  // SubjectPublicKeyInfo, DER
  std::string pin;         // SHA-256 of it, 32 octets
};

struct NodeKeys {
  LedgerKey ledger;
  TlsKey tls;
};

LedgerKey make_ledger_key();
std::expected<LedgerKey, std::string> ledger_key_from_seed(std::string_view seed);  // 32 octets
std::expected<TlsKey, std::string> make_tls_key();
std::expected<TlsKey, std::string> tls_key_from_pem(Secret pem);
std::string pin_of(std::string_view public_key);

bool verify_ledger_signature(std::string_view public_key, std::string_view message,
                             std::string_view signature);

// DIRECTORY/ledger.key and DIRECTORY/tls.key, 0600. Nothing: neither file is there. One without the other, a
// file that others can read or that is damaged: an error with the mend.
std::expected<std::optional<NodeKeys>, std::string> load_node_keys(const std::string& directory);
// Replaces what is there.
std::expected<void, std::string> keep_node_keys(const std::string& directory, const NodeKeys& keys);

}  // namespace swarmdns::controlplane
