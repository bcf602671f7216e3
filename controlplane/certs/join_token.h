// What an operator carries to a new node: `swj1.` and base32 (RFC 4648 6, lower case, no padding) of
//   swarm id (16) ‖ SHA-256 of the CA's root certificate (32) ‖ secret (16) ‖ checksum (4)
// The fingerprint lets the new node know the swarm before it says the secret; the secret lets the swarm know
// the new node. The checksum, the first four octets of SHA-256("swarmdns join token v1" 0x00 ‖ the rest),
// finds typing errors, nothing more. Used once, by its hash in the ledger. Pure but for make_join_token's
// random numbers; any thread.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace swarmdns::controlplane {

struct JoinToken {
  std::string swarm_id;          // 16 octets
  std::string root_fingerprint;  // 32 octets
  std::string secret;            // 16 octets

  bool operator==(const JoinToken&) const = default;
};

JoinToken make_join_token(std::string_view swarm_id, std::string_view root_fingerprint);
std::string join_token_text(const JoinToken& token);
// Upper case and white space around it are forgiven. The error says what is wrong: another kind, cut, too
// long, a character that base32 does not have, mistyped.
std::expected<JoinToken, std::string> parse_join_token(std::string_view text);

// What the ledger keeps instead of the token: SHA-256("swarmdns join token hash v1" 0x00 ‖ swarm id ‖
// fingerprint ‖ secret), 32 octets.
std::string join_token_hash(const JoinToken& token);

}  // namespace swarmdns::controlplane
