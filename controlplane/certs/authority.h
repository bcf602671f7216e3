// The swarm's own certification authority, three levels, all ECDSA on P-256:
//
//   root     made at `swarm init`; its private key goes to the operator and is never kept by a node
//   issuer   signed by the root; its private key lies in the state, sealed to the voters (sealed_issuer.h)
//   node     signed by the issuer for 24 h, again and again, by whichever voter is asked; no quorum is needed
//
// A node sends its certificate and all above it, the root too: one who joins knows that by fingerprint only.
//
// Changing the root without losing anyone (needs both root keys):
//   1. make_root, bridge_roots(old, new), make_issuer by the new root with the bridge; seal its key to
//   voters.
//   2. One transaction: the trusted roots are old and new; the issuer is the new one. Nodes that have applied
//      it trust both. Nodes that have not yet trust the new chain by the bridge: the new root's name and key
//      in a certificate that the old root signed, which every new chain carries.
//   3. Everyone renews by and by. When no member's certificate hangs on the old root any more, a second
//      transaction takes the old root off and brings a chain without the bridge.
//   A node that was away all the while has a chain that nobody trusts and is refused: it joins anew. With the
//   old root's key lost there is no bridge, and the same befalls whoever misses step 2.
// A new issuer under the same root is step 1 and 2 without bridge and second transaction.
//
// Times are seconds since 1970; the clock is the caller's. Pure but for random numbers; any thread.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "controlplane/certs/node_name.h"
#include "controlplane/certs/secret.h"

namespace swarmdns::controlplane {

inline constexpr std::int64_t kDay = 86400;
inline constexpr std::int64_t kClockSkew = 300;  // certificates begin this long before they are made
inline constexpr std::int64_t kRootLifetime = 20 * 365 * kDay;
inline constexpr std::int64_t kIssuerLifetime = 3 * 365 * kDay;
inline constexpr std::int64_t kNodeLifetime = kDay;

struct Root {
  std::string certificate;  // PEM
  std::string fingerprint;  // SHA-256 of it, 32 octets: what tokens carry
  Secret key;               // PEM, encrypted when a passphrase was given
};

struct Issuer {
  std::string chain;  // PEM: the issuer's certificate first, then bridges, then roots
  Secret key;         // PEM
};

// With an empty passphrase the key comes plain.
std::expected<Root, std::string> make_root(std::string_view swarm_id, std::uint32_t incarnation,
                                           std::int64_t now, std::string_view passphrase);

// The new root, signed by the old one. `old_key` as make_root gave it.
std::expected<std::string, std::string> bridge_roots(std::string_view old_root, std::string_view old_key,
                                                     std::string_view passphrase, std::string_view new_root,
                                                     std::int64_t now);

// `number` from 1 tells issuers of one root apart. `bridge` and `old_root` are empty unless the root changes.
struct IssuerWish {
  std::string root;      // certificate
  std::string root_key;  // as make_root gave it
  std::string passphrase;
  std::uint32_t number = 1;
  std::string bridge;
  std::string old_root;
};
std::expected<Issuer, std::string> make_issuer(std::string_view swarm_id, std::uint32_t incarnation,
                                               const IssuerWish& wish, std::int64_t now);

// The chain a node presents, its own certificate first, for the key of a certificate request that
// make_request made. It ends with the issuer's certificate when that is earlier; an issuer that has expired
// signs nothing. `lifetime` in seconds, 600 to 30 days.
std::expected<std::string, std::string> issue_node_certificate(const Issuer& issuer, std::string_view request,
                                                               const NodeName& name, std::int64_t now,
                                                               std::int64_t lifetime = kNodeLifetime);

// What one who is not a member yet shows: a certificate signed by itself that says nothing.
std::expected<std::string, std::string> make_stranger_certificate(const Secret& tls_key, std::int64_t now);

}  // namespace swarmdns::controlplane
