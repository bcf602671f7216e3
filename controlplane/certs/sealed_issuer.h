// The issuer's private key as it lies in the swarm's state: sealed to the ledger key of each voter
// (libsodium's crypto_box_seal, to the X25519 form of the Ed25519 key), so that any voter can issue
// certificates, and nobody else who reads the state can. Sealed anew whenever the voters change; who was a
// voter once may still know the key, so a removed voter that is not trusted calls for a new issuer. Pure but
// for random numbers; any thread.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "controlplane/certs/authority.h"
#include "controlplane/certs/keys.h"

namespace swarmdns::controlplane {

// A box for one voter, by its ledger key; an error when that is no good Ed25519 key.
std::expected<std::string, std::string> seal_issuer(const Issuer& issuer, std::string_view ledger_key);

// `chain` as in Issuer. A box says nothing of who made it: a key that does not fit the chain's first
// certificate is refused.
std::expected<Issuer, std::string> open_issuer(std::string_view chain, std::string_view box,
                                               const LedgerKey& own);

}  // namespace swarmdns::controlplane
