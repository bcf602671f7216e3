// An operator's key: the private half (X25519) of a recipient. It never is on a node. Its file is sealed
// under a passphrase, four lines of text and nothing more:
//   swarmdns operator key v1
//   recipient swarmdns-recipient-1…
//   argon2id <passes> <octets of memory> <salt, 16 octets in hex>
//   sealed <nonce, 24 octets ‖ XChaCha20-Poly1305 of the private key, 48 octets, in hex>
// The key of the seal is Argon2id (RFC 9106, one lane) of the passphrase, the associated data are the three
// lines before. A recovery form for paper: see base32.h. Pure but for random numbers; any thread. Sealing and
// opening take about a second and 256 MiB.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "controlplane/backup/recipient.h"
#include "controlplane/certs/secret.h"

namespace swarmdns::controlplane {

struct OperatorKey {
  Secret secret;  // 32 octets
  Recipient recipient;
};

OperatorKey make_operator_key();
std::expected<OperatorKey, std::string> operator_key_from_secret(Secret secret);  // 32 octets

// What Argon2id costs. The file says it; a reader takes no more than kMostPassphraseCost.
struct PassphraseCost {
  std::uint64_t passes = crypto_pwhash_OPSLIMIT_MODERATE;
  std::uint64_t bytes = crypto_pwhash_MEMLIMIT_MODERATE;
};
inline constexpr PassphraseCost kMostPassphraseCost{.passes = 64, .bytes = std::uint64_t{1} << 30};

std::expected<std::string, std::string> seal_operator_key(const OperatorKey& key, const Secret& passphrase,
                                                          const PassphraseCost& cost = {});

struct SealedOperatorKey {
  Recipient recipient;  // as the file says; opening proves it
  PassphraseCost cost;
  std::string salt;
  std::string sealed;
  std::string lines;  // the first three
};
// `path` is for the messages.
std::expected<SealedOperatorKey, std::string> parse_operator_key(std::string_view text,
                                                                 const std::string& path);
std::expected<OperatorKey, std::string> open_operator_key(const SealedOperatorKey& file,
                                                          const Secret& passphrase, const std::string& path);

}  // namespace swarmdns::controlplane
