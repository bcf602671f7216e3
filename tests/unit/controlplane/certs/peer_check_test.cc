#include "controlplane/certs/peer_check.h"

#include <gmock/gmock.h>
#include <openssl/err.h>

#include "controlplane/certs/certificate.h"
#include "tests/unit/controlplane/certs/test_swarm.h"

namespace swarmdns::controlplane {

void PrintTo(PeerKind kind, std::ostream* out) {
  *out << (kind == PeerKind::kMember ? "member" : kind == PeerKind::kStranger ? "stranger" : "refused");
}

namespace {

using test::kNow;
using test::kOtherSwarm;
using test::kSwarm;
using test::must;
using test::TestNode;
using test::TestSwarm;
using ::testing::HasSubstr;

class PeerCheck : public ::testing::Test {
 protected:
  PeerCheck() : one_(swarm_.node(1)), view_(swarm_.view()) { view_.nodes[one_.key.pin] = {1, false}; }

  PeerVerdict check(const std::string& chain, std::int64_t now = kNow) {
    return check_peer(chain, view_, now);
  }

  TestSwarm swarm_;
  TestNode one_;
  SwarmView view_;
};

TEST_F(PeerCheck, AMemberIsKnown) {
  const auto verdict = check(one_.chain);
  EXPECT_EQ(verdict.kind, PeerKind::kMember) << verdict.reason;
  EXPECT_EQ(verdict.id, 1u);
  EXPECT_EQ(verdict.pin, one_.key.pin);
  EXPECT_FALSE(verdict.outside_its_time);
  EXPECT_EQ(verdict.reason, "");
}

TEST_F(PeerCheck, ItsCertificateOfTomorrowIsAsGood) {
  EXPECT_EQ(check(swarm_.chain_for(one_.key, 1, kNow + kDay), kNow + kDay).kind, PeerKind::kMember);
}

TEST_F(PeerCheck, AnExpiredMemberIsKnownByItsKey) {
  for (const std::int64_t now : {kNow + kDay + 1, kNow + 30 * kDay, kNow + kIssuerLifetime + kDay}) {
    const auto verdict = check(one_.chain, now);
    EXPECT_EQ(verdict.kind, PeerKind::kMember) << verdict.reason;
    EXPECT_EQ(verdict.id, 1u);
    EXPECT_TRUE(verdict.outside_its_time);
    EXPECT_THAT(verdict.reason, HasSubstr("expired"));
  }
}

TEST_F(PeerCheck, SoIsAMemberWhoseClockIsAhead) {
  EXPECT_FALSE(check(one_.chain, kNow - 300).outside_its_time);
  const auto verdict = check(one_.chain, kNow - 301);
  EXPECT_EQ(verdict.kind, PeerKind::kMember);
  EXPECT_TRUE(verdict.outside_its_time);
  EXPECT_THAT(verdict.reason, HasSubstr("not yet valid"));
}

TEST_F(PeerCheck, ARemovedNodeIsRefused) {
  view_.nodes[one_.key.pin].removed = true;
  const auto verdict = check(one_.chain);
  EXPECT_EQ(verdict.kind, PeerKind::kRefused);
  EXPECT_EQ(verdict.id, 1u);
  EXPECT_THAT(verdict.reason, HasSubstr("node 1 was removed"));
  EXPECT_EQ(check(must(make_stranger_certificate(one_.key.pem, kNow))).kind, PeerKind::kRefused);
}

TEST_F(PeerCheck, ASelfSignedCertificateIsAStrangers) {
  const TlsKey key = must(make_tls_key());
  const auto verdict = check(must(make_stranger_certificate(key.pem, kNow)));
  EXPECT_EQ(verdict.kind, PeerKind::kStranger);
  EXPECT_EQ(verdict.pin, key.pin);
  EXPECT_EQ(verdict.id, 0u);
}

TEST_F(PeerCheck, AMemberThatIsNotKnownYetIsAStranger) {
  const auto verdict = check(swarm_.node(9).chain);
  EXPECT_EQ(verdict.kind, PeerKind::kStranger);
  EXPECT_THAT(verdict.reason, HasSubstr("node 9 is not among the members"));
}

TEST_F(PeerCheck, AMembersNameWithAnotherKeyIsRefused) {
  const auto verdict = check(swarm_.node(1).chain);
  EXPECT_EQ(verdict.kind, PeerKind::kRefused);
  EXPECT_THAT(verdict.reason, HasSubstr("not the one that the swarm knows"));
}

TEST_F(PeerCheck, AMembersKeyWithAnotherNameIsRefused) {
  EXPECT_THAT(check(swarm_.chain_for(one_.key, 2)).reason, HasSubstr("the certificate is of node 2"));
  EXPECT_EQ(check(swarm_.chain_for(one_.key, 2)).kind, PeerKind::kRefused);
}

TEST_F(PeerCheck, AMemberWithoutACertificateYetMayAskToJoinAgain) {
  const auto verdict = check(must(make_stranger_certificate(one_.key.pem, kNow)));
  EXPECT_EQ(verdict.kind, PeerKind::kStranger);
  EXPECT_EQ(verdict.id, 1u);
  EXPECT_THAT(verdict.reason, HasSubstr("of no node"));
}

TEST_F(PeerCheck, ACaWithTheSameNamesIsAnother) {
  const TestSwarm false_swarm;  // same swarm id, same common names where they do not come from the key
  EXPECT_EQ(check(false_swarm.node(1).chain).kind, PeerKind::kStranger);
  // With a member's key it is no stranger, and no member either, at no time.
  for (const std::int64_t now : {kNow, kNow + 2 * kDay}) {
    const auto verdict = check(false_swarm.chain_for(one_.key, 1), now);
    EXPECT_EQ(verdict.kind, PeerKind::kRefused);
    EXPECT_THAT(verdict.reason, HasSubstr("not of this swarm's CA"));
  }
  // Nor does the real root, which anyone can append, help.
  EXPECT_EQ(check(false_swarm.chain_for(one_.key, 1) + swarm_.root.certificate).kind, PeerKind::kRefused);
}

TEST_F(PeerCheck, AChainWithoutItsIssuerIsRefused) {
  EXPECT_EQ(check(must(read_certificates(one_.chain))[0].pem).kind, PeerKind::kRefused);
}

TEST_F(PeerCheck, TheOrderOfTheOthersIsFreeAndRepeatsDoNoHarm) {
  const auto parts = must(read_certificates(one_.chain));
  EXPECT_EQ(check(parts[0].pem + parts[2].pem + parts[1].pem).kind, PeerKind::kMember);
  EXPECT_EQ(check(parts[0].pem + one_.chain).kind, PeerKind::kMember);  // as TLS clients give it
}

TEST_F(PeerCheck, AnotherSwarmIsRefused) {
  const TestSwarm other{.id = kOtherSwarm};
  const auto verdict = check(other.node(1).chain);
  EXPECT_EQ(verdict.kind, PeerKind::kRefused);
  EXPECT_THAT(verdict.reason, HasSubstr("this is swarm 30313233"));
}

TEST_F(PeerCheck, AnotherIncarnationIsRefused) {
  const TestSwarm later{.incarnation = 2};
  EXPECT_EQ(check(later.node(1).chain).kind, PeerKind::kRefused);
  EXPECT_THAT(check(later.node(1).chain).reason, HasSubstr("left behind at incarnation 1"));
  view_.incarnation = 2;
  EXPECT_EQ(check(one_.chain).kind, PeerKind::kRefused);
  EXPECT_THAT(check(one_.chain).reason, HasSubstr("it is at incarnation 2"));
}

TEST_F(PeerCheck, MalformedCertificatesAreRefused) {
  std::string cut = one_.chain;
  cut.resize(cut.size() - 40);
  std::string damaged = one_.chain;
  damaged[100] = damaged[100] == '!' ? '?' : '!';
  std::string many;
  for (int i = 0; i < 17; ++i) many += swarm_.root.certificate;
  for (const std::string& chain :
       {std::string(), std::string("junk"), cut, damaged, many, std::string(70000, 'x'),
        std::string("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        std::string(swarm_.issuer.key.view())}) {
    const auto verdict = check(chain);
    EXPECT_EQ(verdict.kind, PeerKind::kRefused);
    EXPECT_THAT(verdict.reason, HasSubstr("the peer's certificate: "));
    EXPECT_EQ(verdict.pin, "");
  }
}

TEST_F(PeerCheck, TwoRootsAreTrustedWhileTheRootChanges) {
  const TestSwarm next;
  view_.roots = next.root.certificate + swarm_.root.certificate;
  EXPECT_EQ(check(one_.chain).kind, PeerKind::kMember);
  EXPECT_EQ(check(next.chain_for(one_.key, 1)).kind, PeerKind::kMember);
}

TEST_F(PeerCheck, NothingStaysInOpenSslsQueue) {
  // What is left there breaks a connection of gRPC's on the same thread.
  check("junk");
  check(TestSwarm{}.chain_for(one_.key, 1));
  EXPECT_EQ(ERR_peek_error(), 0u);
}

class Introducer : public ::testing::Test {
 protected:
  std::string check(const std::string& chain, std::int64_t now = kNow) {
    return check_introducer(chain, token_, now);
  }
  TestSwarm swarm_;
  TestNode one_ = swarm_.node(1);
  JoinToken token_ = make_join_token(kSwarm, swarm_.root.fingerprint);
};

TEST_F(Introducer, AnyNodeOfTheTokensSwarmIsGood) {
  EXPECT_EQ(check(one_.chain), "");
  EXPECT_EQ(check(swarm_.node(7).chain), "");
}

TEST_F(Introducer, OthersAreNot) {
  const TlsKey key = must(make_tls_key());
  EXPECT_THAT(check(must(make_stranger_certificate(key.pem, kNow))), HasSubstr("not a node of a swarm"));
  EXPECT_THAT(check(TestSwarm{.id = kOtherSwarm}.node(1).chain), HasSubstr("the token is of swarm"));
  EXPECT_THAT(check(TestSwarm{}.node(1).chain), HasSubstr("do not lead to the CA"));
  EXPECT_THAT(check(TestSwarm{}.node(1).chain + swarm_.root.certificate), HasSubstr("is not of the CA"));
  EXPECT_THAT(check("junk"), HasSubstr("no certificate in PEM"));
  EXPECT_THAT(check(one_.chain, kNow + 2 * kDay), HasSubstr("this node's clock"));
}

TEST_F(Introducer, ATokenOfTheOldRootServesWhileTheRootChanges) {
  const Root next = must(make_root(kSwarm, 1, kNow, ""));
  const std::string bridge =
      must(bridge_roots(swarm_.root.certificate, swarm_.root.key.view(), "", next.certificate, kNow));
  TestSwarm after;
  after.issuer = must(make_issuer(
      kSwarm, 1, {next.certificate, std::string(next.key.view()), "", 1, bridge, swarm_.root.certificate},
      kNow));
  const TestNode node = after.node(1);
  EXPECT_EQ(check(node.chain), "");
  token_.root_fingerprint = next.fingerprint;
  EXPECT_EQ(check(node.chain), "");
}

}  // namespace
}  // namespace swarmdns::controlplane
