#include "controlplane/member/rotation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controlplane/member/authority_state.h"
#include "tests/unit/controlplane/support/founded.h"

namespace swarmdns::controlplane {
namespace {

using testing::HasSubstr;

class RotationTest : public FoundedSwarm {
 protected:
  RotationWish wish(bool new_root) const {
    return {std::string(founded.root_key.view()), "", new_root, seconds()};
  }
  std::int64_t seconds() const { return static_cast<std::int64_t>(reactor.wall_ms() / 1000); }
  AuthorityNow now() { return take_or_throw(authority_now(state())); }
  std::string order_rotation(const v1::CertificateRotation& rotation) {
    v1::Transaction transaction;
    *transaction.mutable_certificate_rotation() = rotation;
    const auto done = order(transaction);
    return done ? "" : done.error().text;
  }
  // Of the first member, by the issuer in force.
  std::string certificate() {
    const auto issuer = take_or_throw(issuer_in(state(), 1, founded.identity.keys.ledger));
    return take_or_throw(issue_node_certificate(*issuer,
                                                take_or_throw(make_request(founded.identity.keys.tls.pem)),
                                                {founded.identity.record.swarm_id(), 1, 1}, seconds()));
  }
  ChainState judged(const std::string& chain, const std::string& roots) const {
    return verify_chain(chain, roots, seconds()).state;
  }
};

TEST_F(RotationTest, ANewIssuingKeyUnderTheSameRoot) {
  const std::string before = issuer_in_force(now().rotation);
  const std::string old_chain = founded.identity.record.chain();
  EXPECT_TRUE(hangs_on(old_chain, now().rotation));
  const auto made = take_or_throw(make_rotation(now(), wish(false)));
  EXPECT_TRUE(made.root_key.view().empty());
  EXPECT_EQ(made.root_certificate, founded.root_certificate);
  ASSERT_EQ(order_rotation(made.rotation), "");
  EXPECT_NE(issuer_in_force(now().rotation), before);
  EXPECT_FALSE(hangs_on(old_chain, now().rotation));
  const std::string chain = certificate();
  EXPECT_TRUE(hangs_on(chain, now().rotation));
  EXPECT_EQ(judged(chain, founded.root_certificate), ChainState::kValid);
  EXPECT_EQ(now().rotation.roots_size(), 1);
}

TEST_F(RotationTest, ANewRootInTwoStepsLosesNobody) {
  const auto made = take_or_throw(make_rotation(now(), wish(true)));
  EXPECT_THAT(std::string(made.root_key.view()), HasSubstr("PRIVATE KEY"));
  ASSERT_EQ(order_rotation(made.rotation), "");
  const std::string both = take_or_throw(roots_in(state()));
  const std::string chain = certificate();
  EXPECT_EQ(judged(chain, both), ChainState::kValid);
  // Who has renewed is believed by one that does not know of the change yet, and the other way round.
  EXPECT_EQ(judged(chain, founded.root_certificate), ChainState::kValid);
  EXPECT_EQ(judged(founded.identity.record.chain(), both), ChainState::kValid);
  // Another change waits for the end of this one.
  RotationWish again = wish(true);
  again.root_key = made.root_key.view();
  EXPECT_THAT(make_rotation(now(), again).error(), HasSubstr("is not over"));

  ASSERT_EQ(order_rotation(take_or_throw(without_old_roots(now().rotation))), "");
  const std::string last = take_or_throw(roots_in(state()));
  EXPECT_EQ(last, made.root_certificate);
  EXPECT_EQ(judged(chain, last), ChainState::kValid);
  EXPECT_EQ(judged(certificate(), last), ChainState::kValid);
  EXPECT_EQ(judged(certificate(), founded.root_certificate), ChainState::kNotOurs);
  EXPECT_EQ(judged(founded.identity.record.chain(), last), ChainState::kNotOurs);
  EXPECT_FALSE(hangs_on(chain, now().rotation));  // the bridge goes with the next renewal
  EXPECT_TRUE(hangs_on(certificate(), now().rotation));
  EXPECT_EQ(take_or_throw(make_rotation(now(), again)).rotation.number(), 3U);
}

TEST_F(RotationTest, OnlyTheRootsKeyCan) {
  RotationWish wrong = wish(false);
  wrong.root_key = take_or_throw(make_p256_key()).view();
  EXPECT_THAT(make_rotation(now(), wrong).error(), HasSubstr("--root-key: it is not the key of the root"));
  wrong.root_key = "nonsense";
  EXPECT_THAT(make_rotation(now(), wrong).error(), HasSubstr("--root-key: "));
}

TEST_F(RotationTest, APassphraseIsForTheNewKeyToo) {
  RotationWish sealed = wish(true);
  sealed.passphrase = "correct horse";
  const auto made = take_or_throw(make_rotation(now(), sealed));
  EXPECT_THAT(std::string(made.root_key.view()), HasSubstr("ENCRYPTED"));
  EXPECT_TRUE(decrypt_key(made.root_key.view(), "correct horse"));
  EXPECT_FALSE(decrypt_key(made.root_key.view(), "wrong"));
}

// The hole that a leader's sealing could fall into.
TEST_F(RotationTest, SealingTheOldKeyAnewComesTooLate) {
  add_member(make_keys(), "n2");
  v1::Transaction log_members;
  log_members.mutable_log_members()->add_voters(1);
  log_members.mutable_log_members()->add_voters(2);
  ASSERT_TRUE(order(log_members));
  const auto issuer = take_or_throw(issuer_in(state(), 1, founded.identity.keys.ledger));
  const auto stale = take_or_throw(reseal(state(), *issuer));
  ASSERT_TRUE(stale);
  const auto made = take_or_throw(make_rotation(now(), wish(false)));
  EXPECT_EQ(made.rotation.sealed_size(), 2);
  ASSERT_EQ(order_rotation(made.rotation), "");
  EXPECT_THAT(order_rotation(*stale), HasSubstr("certificates.number: the authority was changed meanwhile"));
  EXPECT_EQ(issuer_in_force(now().rotation), issuer_in_force(made.rotation));
}

}  // namespace
}  // namespace swarmdns::controlplane
