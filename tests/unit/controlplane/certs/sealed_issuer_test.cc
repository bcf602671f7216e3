#include "controlplane/certs/sealed_issuer.h"

#include <gmock/gmock.h>

#include "tests/unit/controlplane/certs/test_swarm.h"

namespace swarmdns::controlplane {
namespace {

using test::must;
using test::TestSwarm;
using ::testing::HasSubstr;

TEST(SealedIssuer, IsOpenedByItsRecipientOnly) {
  const TestSwarm swarm;
  const LedgerKey voter = make_ledger_key();
  const std::string box = must(seal_issuer(swarm.issuer, voter.public_key));
  EXPECT_THAT(box, ::testing::Not(HasSubstr("PRIVATE KEY")));
  const Issuer opened = must(open_issuer(swarm.issuer.chain, box, voter));
  EXPECT_EQ(opened.key.view(), swarm.issuer.key.view());
  EXPECT_EQ(opened.chain, swarm.issuer.chain);

  const auto other = open_issuer(swarm.issuer.chain, box, make_ledger_key());
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error(), HasSubstr("cannot be opened"));
}

TEST(SealedIssuer, DamageIsSeen) {
  const TestSwarm swarm;
  const LedgerKey voter = make_ledger_key();
  const std::string box = must(seal_issuer(swarm.issuer, voter.public_key));
  for (const std::size_t at : {std::size_t{0}, std::size_t{40}, box.size() - 1}) {
    std::string damaged = box;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    EXPECT_FALSE(open_issuer(swarm.issuer.chain, damaged, voter)) << at;
  }
  EXPECT_FALSE(open_issuer(swarm.issuer.chain, box.substr(0, 47), voter));
  EXPECT_FALSE(open_issuer(swarm.issuer.chain, "", voter));
}

TEST(SealedIssuer, AKeyOfAnotherCertificateIsRefused) {
  const TestSwarm swarm;
  const TestSwarm other;
  const LedgerKey voter = make_ledger_key();
  const auto opened =
      open_issuer(swarm.issuer.chain, must(seal_issuer(other.issuer, voter.public_key)), voter);
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error(), HasSubstr("not that of the issuing certificate"));
}

TEST(SealedIssuer, SealsToGoodKeysOnly) {
  const TestSwarm swarm;
  EXPECT_FALSE(seal_issuer(swarm.issuer, "short"));
  EXPECT_FALSE(seal_issuer(swarm.issuer, std::string(32, '\0')));  // a point of small order
}

}  // namespace
}  // namespace swarmdns::controlplane
