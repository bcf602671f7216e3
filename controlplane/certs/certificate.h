// Reads X.509 certificates (RFC 5280) that come from outside, and judges chains. Times are seconds since
// 1970, the clock is the caller's. Pure; any thread, gRPC's too: nothing is left in OpenSSL's queue of
// errors.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace swarmdns::controlplane {

struct CertificateFacts {
  std::string pin;          // SHA-256 of the SubjectPublicKeyInfo, 32 octets
  std::string fingerprint;  // SHA-256 of the whole certificate, 32 octets
  std::string uri;          // the subjectAltName's swarmdns:// URI; empty: none
  std::string pem;          // this certificate alone
  std::int64_t not_before = 0;
  std::int64_t not_after = 0;
};

// The certificates of a PEM text, the first is the peer's own. At most 64 KiB and 16 of them. Anything but
// certificates in it, or more than one swarmdns:// URI in one, is an error.
std::expected<std::vector<CertificateFacts>, std::string> read_certificates(std::string_view pem);

// The same certificates as DER, one after the other, and back: how the ledger keeps them.
std::expected<std::string, std::string> der_from_pem(std::string_view pem);
std::expected<std::string, std::string> pem_from_der(std::string_view der);

enum class ChainState {
  kValid,
  kOutsideItsTime,  // signed as it should be, but a certificate of it has expired or is not valid yet
  kNotOurs,         // no chain of good signatures to one of the roots
};
struct ChainVerdict {
  ChainState state = ChainState::kNotOurs;
  std::string reason;  // why it is not kValid
};

// RFC 5280 6: from the first certificate of `chain`, by way of the others, to one of `roots`. What `chain`
// says are roots is not believed. Names of hosts play no part.
ChainVerdict verify_chain(std::string_view chain, std::string_view roots, std::int64_t now);

// "2026-02-03 04:05:06 UTC"
std::string utc_text(std::int64_t seconds);

}  // namespace swarmdns::controlplane
