#include "controlplane/ledger/commitment.h"

#include <gtest/gtest.h>

#include "tests/unit/controlplane/ledger/samples.h"

namespace swarmdns::controlplane {
namespace {

const BundleId kId{.swarm = samples::kSwarm, .incarnation = 1, .node = 2, .number = 3};

std::vector<Hash> commitments(unsigned count) {
  std::vector<Hash> all;
  for (unsigned i = 0; i < count; ++i)
    all.push_back(leaf_commitment(samples::salt(i), as_octets(samples::transaction(i))));
  return all;
}

TEST(Commitment, DependsOnSaltAndTransaction) {
  const Hash one = leaf_commitment(samples::filled<16>(1), as_octets("a"));
  EXPECT_EQ(one, leaf_commitment(samples::filled<16>(1), as_octets("a")));
  EXPECT_NE(one, leaf_commitment(samples::filled<16>(2), as_octets("a")));
  EXPECT_NE(one, leaf_commitment(samples::filled<16>(1), as_octets("b")));
  EXPECT_NE(one, leaf_commitment(samples::filled<16>(1), as_octets("")));
}

TEST(Bundle, SignatureVerifiesForWhatWasSignedOnly) {
  const auto keys = samples::keys(1);
  const auto signed_over = commitments(5);
  const Signature signature = sign_bundle(kId, signed_over, keys.secret_key);
  EXPECT_TRUE(verify_bundle(kId, signed_over, signature, keys.public_key));
  EXPECT_FALSE(verify_bundle(kId, signed_over, signature, samples::keys(2).public_key));

  BundleId id = kId;
  id.swarm[15] ^= std::byte{1};
  EXPECT_FALSE(verify_bundle(id, signed_over, signature, keys.public_key));
  id = kId;
  id.incarnation = 2;
  EXPECT_FALSE(verify_bundle(id, signed_over, signature, keys.public_key));
  id = kId;
  id.node = 3;
  EXPECT_FALSE(verify_bundle(id, signed_over, signature, keys.public_key));
  id = kId;
  id.number = 4;
  EXPECT_FALSE(verify_bundle(id, signed_over, signature, keys.public_key));

  auto other = signed_over;
  std::swap(other[0], other[1]);
  EXPECT_FALSE(verify_bundle(kId, other, signature, keys.public_key));
  EXPECT_FALSE(verify_bundle(kId, std::span(signed_over).first(4), signature, keys.public_key));
  for (std::size_t i = 0; i < signature.size(); ++i) {
    Signature changed = signature;
    changed[i] ^= std::byte{0x10};
    EXPECT_FALSE(verify_bundle(kId, signed_over, changed, keys.public_key)) << i;
  }
}

TEST(Bundle, CountIsFrom1To1024) {
  const auto keys = samples::keys(1);
  const auto all = commitments(kBundleMost + 1);
  for (const std::size_t count : {std::size_t{0}, kBundleMost + 1}) {
    const auto some = std::span(all).first(count);
    EXPECT_FALSE(verify_bundle(kId, some, sign_bundle(kId, some, keys.secret_key), keys.public_key)) << count;
  }
  for (const std::size_t count : {std::size_t{1}, kBundleMost}) {
    const auto some = std::span(all).first(count);
    EXPECT_TRUE(verify_bundle(kId, some, sign_bundle(kId, some, keys.secret_key), keys.public_key)) << count;
  }
}

// RFC 8032, section 7.1, TEST 2.
TEST(Signature, KnownAnswer) {
  const auto octets = [](const char* hex) { return *from_hex(hex); };
  const auto keys = key_pair_from_seed(
      *array_from<32>(octets("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")));
  EXPECT_EQ(to_hex(keys.public_key), "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
  EXPECT_EQ(to_hex(sign(as_octets("\x72"), keys.secret_key)),
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
}

}  // namespace
}  // namespace swarmdns::controlplane
