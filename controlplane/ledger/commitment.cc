#include "controlplane/ledger/commitment.h"

namespace swarmdns::controlplane {
namespace {

// With their terminating zero.
constexpr char kLeafDomain[] = "swarmdns leaf v1";
constexpr char kBundleDomain[] = "swarmdns bundle v1";

}  // namespace

Hash leaf_commitment(const Salt& salt, Bytes transaction) {
  return sha256({std::as_bytes(std::span(kLeafDomain)), salt, transaction});
}

std::string bundle_octets(const BundleId& id, std::span<const Hash> commitments) {
  CompactRange tree;
  for (const Hash& commitment : commitments) tree.append(merkle_leaf_hash(commitment));
  std::string octets(kBundleDomain, sizeof kBundleDomain);
  append(octets, id.swarm);
  append_be32(octets, id.incarnation);
  append_be64(octets, id.node);
  append_be64(octets, id.number);
  append_be32(octets, static_cast<std::uint32_t>(commitments.size()));
  append(octets, tree.root());
  return octets;
}

Signature sign_bundle(const BundleId& id, std::span<const Hash> commitments, const SecretKey& key) {
  return sign(as_octets(bundle_octets(id, commitments)), key);
}

bool verify_bundle(const BundleId& id, std::span<const Hash> commitments, const Signature& signature,
                   const PublicKey& key) {
  if (commitments.empty() || commitments.size() > kBundleMost) return false;
  return verify_signature(as_octets(bundle_octets(id, commitments)), signature, key);
}

}  // namespace swarmdns::controlplane
