// Ed25519 by libsodium: the nodes' ledger keys. Thread-safe.
#pragma once

#include <array>
#include <cstddef>

#include "controlplane/ledger/octets.h"

namespace swarmdns::controlplane {

using PublicKey = std::array<std::byte, 32>;
using KeySeed = std::array<std::byte, 32>;
using SecretKey = std::array<std::byte, 64>;  // seed and public key, as libsodium keeps it
using Signature = std::array<std::byte, 64>;

struct KeyPair {
  PublicKey public_key{};
  SecretKey secret_key{};
};

KeyPair key_pair_from_seed(const KeySeed& seed);
Signature sign(Bytes message, const SecretKey& key);
bool verify_signature(Bytes message, const Signature& signature, const PublicKey& key);

}  // namespace swarmdns::controlplane
