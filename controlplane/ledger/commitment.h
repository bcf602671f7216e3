// What a leaf commits to, and what a node signs when it makes transactions: a bundle of commitments, so that
// a signature still verifies when bodies and salts are erased (docs/formats/ledger.md). Thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "controlplane/ledger/merkle.h"
#include "controlplane/ledger/signature.h"

namespace swarmdns::controlplane {

using Salt = std::array<std::byte, 16>;  // random; destroyed together with what it salts
using SwarmId = std::array<std::byte, 16>;

// SHA-256("swarmdns leaf v1" 0x00 || salt || transaction)
Hash leaf_commitment(const Salt& salt, Bytes transaction);

inline constexpr std::size_t kBundleMost = 1024;

struct BundleId {
  SwarmId swarm{};
  std::uint32_t incarnation = 0;  // from 1
  std::uint64_t node = 0;         // from 1
  std::uint64_t number = 0;       // rises with each bundle of the node
};

// "swarmdns bundle v1" 0x00 || swarm || incarnation be32 || node be64 || number be64 || count be32 || the RFC
// 9162 root over the commitments.
std::string bundle_octets(const BundleId& id, std::span<const Hash> commitments);
Signature sign_bundle(const BundleId& id, std::span<const Hash> commitments, const SecretKey& key);
// false also for none and for more than kBundleMost commitments.
bool verify_bundle(const BundleId& id, std::span<const Hash> commitments, const Signature& signature,
                   const PublicKey& key);

}  // namespace swarmdns::controlplane
