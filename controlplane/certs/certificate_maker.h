// Makes keys, certificate requests and certificates: ECDSA on P-256 with SHA-256, nothing else. What the
// parts mean is authority.h's job. Times are seconds since 1970. Pure but for random numbers; any thread; a
// signature costs some tens of microseconds.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "controlplane/certs/secret.h"

namespace swarmdns::controlplane {

// A private key as PEM (PKCS#8).
std::expected<Secret, std::string> make_p256_key();
// The same key encrypted under a passphrase (PKCS#8, PBES2 with AES-256-CBC), which may not be empty.
std::expected<Secret, std::string> encrypt_key(const Secret& key, std::string_view passphrase);
// Back to plain PEM. A plain one passes as it is; an encrypted one without or with a wrong passphrase is an
// error.
std::expected<Secret, std::string> decrypt_key(std::string_view pem, std::string_view passphrase);
// The public half: SubjectPublicKeyInfo in DER. Another key than one on P-256 is an error.
std::expected<std::string, std::string> public_key_of(const Secret& key);

// PKCS#10 (RFC 2986) in DER: proof that its maker has the private key. It asks for nothing but a certificate.
std::expected<std::string, std::string> make_request(const Secret& key);
// The public key of a request, when its signature is good and the key is on P-256.
std::expected<std::string, std::string> public_key_of_request(std::string_view request);
std::expected<std::string, std::string> public_key_of_certificate(std::string_view certificate);
std::expected<std::string, std::string> common_name_of(std::string_view certificate);

// The name that channels ask every node for (SNI), and that nobody judges: without one that fits, gRPC's
// server logs an error for each connection.
inline constexpr std::string_view kTlsServerName = "swarmdns";

enum class CertificateKind {
  kRoot,    // may sign certificates of CAs
  kIssuer,  // may sign certificates of nodes only (pathLenConstraint 0)
  kNode,    // TLS, both sides
};
struct CertificateWish {
  CertificateKind kind = CertificateKind::kNode;
  std::string common_name;
  std::string uri;         // subjectAltName, with kTlsServerName; empty: none
  std::string public_key;  // SubjectPublicKeyInfo in DER
  std::int64_t not_before = 0;
  std::int64_t not_after = 0;
};

// The certificate in PEM. `signer` is the certificate that `signer_key` belongs to, its first one when there
// are several; empty: the certificate signs itself.
std::expected<std::string, std::string> sign_certificate(const CertificateWish& wish, std::string_view signer,
                                                         const Secret& signer_key);

}  // namespace swarmdns::controlplane
