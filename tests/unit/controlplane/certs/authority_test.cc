#include "controlplane/certs/authority.h"

#include <gmock/gmock.h>

#include "controlplane/certs/certificate.h"
#include "tests/unit/controlplane/certs/test_swarm.h"

namespace swarmdns::controlplane {
namespace {

using test::kNow;
using test::kSwarm;
using test::must;
using test::TestSwarm;
using ::testing::HasSubstr;

template <typename T>
std::string error_of(const std::expected<T, std::string>& result) {
  return result ? "" : result.error();
}

TEST(Authority, IssuesACertificateThatChainsToTheRoot) {
  const TestSwarm swarm;
  const auto node = swarm.node(3);
  EXPECT_EQ(verify_chain(node.chain, swarm.root.certificate, kNow).state, ChainState::kValid);
  const auto facts = must(read_certificates(node.chain));
  ASSERT_EQ(facts.size(), 3u);  // its own, the issuer's, the root
  EXPECT_EQ(facts[0].uri, node_uri({kSwarm, 1, 3}));
  EXPECT_EQ(facts[0].pin, node.key.pin);
  EXPECT_EQ(facts[0].not_before, kNow - 300);
  EXPECT_EQ(facts[0].not_after, kNow + 86400);
  EXPECT_EQ(facts[2].fingerprint, swarm.root.fingerprint);
}

TEST(Authority, ANodeCannotIssue) {
  const TestSwarm swarm;
  const auto node = swarm.node(3);
  const Issuer false_issuer{node.chain, node.key.pem.clone()};
  const TlsKey key = must(make_tls_key());
  const auto chain =
      must(issue_node_certificate(false_issuer, must(make_request(key.pem)), {kSwarm, 1, 4}, kNow));
  EXPECT_EQ(verify_chain(chain, swarm.root.certificate, kNow).state, ChainState::kNotOurs);
}

TEST(Authority, ARequestMustBeSignedByItsKey) {
  const TestSwarm swarm;
  std::string request = must(make_request(must(make_tls_key()).pem));
  EXPECT_EQ(error_of(issue_node_certificate(swarm.issuer, request, {kSwarm, 1, 4}, kNow)), "");
  EXPECT_THAT(error_of(issue_node_certificate(swarm.issuer, request + "x", {kSwarm, 1, 4}, kNow)),
              HasSubstr("behind it"));
  request.back() = static_cast<char>(request.back() ^ 1);  // in the signature
  EXPECT_THAT(error_of(issue_node_certificate(swarm.issuer, request, {kSwarm, 1, 4}, kNow)),
              HasSubstr("not signed by its own key"));
  EXPECT_THAT(error_of(issue_node_certificate(swarm.issuer, "junk", {kSwarm, 1, 4}, kNow)),
              HasSubstr("not a certificate request"));
  EXPECT_THAT(error_of(issue_node_certificate(swarm.issuer, "", {kSwarm, 1, 4}, kNow)),
              HasSubstr("not a certificate request"));
}

TEST(Authority, LifetimesHaveLimits) {
  const TestSwarm swarm;
  const std::string request = must(make_request(must(make_tls_key()).pem));
  const NodeName name{kSwarm, 1, 4};
  EXPECT_THAT(error_of(issue_node_certificate(swarm.issuer, request, name, kNow, 599)),
              HasSubstr("600 seconds"));
  EXPECT_THAT(error_of(issue_node_certificate(swarm.issuer, request, name, kNow, 31 * kDay)),
              HasSubstr("30 days"));
  // Not longer than the issuer's.
  const std::int64_t late = kNow + kIssuerLifetime - 1000;
  EXPECT_EQ(
      must(read_certificates(must(issue_node_certificate(swarm.issuer, request, name, late))))[0].not_after,
      kNow + kIssuerLifetime);
  EXPECT_THAT(error_of(issue_node_certificate(swarm.issuer, request, name, kNow + kIssuerLifetime)),
              HasSubstr("issuing certificate has expired on"));
}

TEST(Authority, TheRootsKeyCanBeUnderAPassphrase) {
  const Root root = must(make_root(kSwarm, 1, kNow, "correct horse"));
  EXPECT_THAT(std::string(root.key.view()), HasSubstr("BEGIN ENCRYPTED PRIVATE KEY"));
  IssuerWish wish{root.certificate, std::string(root.key.view()), "correct horse", 1, "", ""};
  EXPECT_EQ(error_of(make_issuer(kSwarm, 1, wish, kNow)), "");
  wish.passphrase = "wrong";
  EXPECT_THAT(error_of(make_issuer(kSwarm, 1, wish, kNow)), HasSubstr("passphrase does not fit"));
  wish.passphrase = "";
  EXPECT_THAT(error_of(make_issuer(kSwarm, 1, wish, kNow)), HasSubstr("give its passphrase"));
}

TEST(Authority, AnotherRootsKeyIsRefused) {
  const TestSwarm swarm;
  const TestSwarm other;
  IssuerWish wish = swarm.wish();
  wish.root_key = std::string(other.root.key.view());
  EXPECT_THAT(error_of(make_issuer(kSwarm, 1, wish, kNow)), HasSubstr("does not belong"));
}

TEST(Authority, ASuccessorOfTheIssuerIsTrustedAtOnce) {
  TestSwarm swarm;
  const auto before = swarm.node(1);
  IssuerWish wish = swarm.wish();
  wish.number = 2;
  swarm.issuer = must(make_issuer(kSwarm, 1, wish, kNow));
  const auto after = swarm.node(2);
  EXPECT_EQ(verify_chain(before.chain, swarm.root.certificate, kNow).state, ChainState::kValid);
  EXPECT_EQ(verify_chain(after.chain, swarm.root.certificate, kNow).state, ChainState::kValid);
}

// The steps of authority.h: nobody is lost between them.
TEST(Authority, TheRootCanBeChanged) {
  TestSwarm swarm;
  const auto old_node = swarm.node(1);
  const std::string old_root = swarm.root.certificate;
  const Root new_root = must(make_root(kSwarm, 1, kNow, "p"));
  const std::string bridge =
      must(bridge_roots(old_root, swarm.root.key.view(), "", new_root.certificate, kNow));
  swarm.issuer = must(make_issuer(
      kSwarm, 1, {new_root.certificate, std::string(new_root.key.view()), "p", 1, bridge, old_root}, kNow));
  const auto new_node = swarm.node(2);

  const std::string both = new_root.certificate + old_root;
  for (const auto& [chain, roots] : {std::pair{old_node.chain, both},
                                     {new_node.chain, both},
                                     {new_node.chain, old_root},  // has not applied step 2: the bridge
                                     {new_node.chain, new_root.certificate}}) {
    const auto verdict = verify_chain(chain, roots, kNow);
    EXPECT_EQ(verdict.state, ChainState::kValid) << verdict.reason;
  }
  EXPECT_EQ(verify_chain(old_node.chain, new_root.certificate, kNow).state, ChainState::kNotOurs);

  // Step 3: without bridge and old root.
  swarm.issuer = must(
      make_issuer(kSwarm, 1, {new_root.certificate, std::string(new_root.key.view()), "p", 2, "", ""}, kNow));
  const auto later = swarm.node(3);
  EXPECT_EQ(verify_chain(later.chain, new_root.certificate, kNow).state, ChainState::kValid);
  EXPECT_EQ(verify_chain(later.chain, old_root, kNow).state, ChainState::kNotOurs);
}

TEST(Authority, WrongNamesAreRefused) {
  const TestSwarm swarm;
  const std::string request = must(make_request(must(make_tls_key()).pem));
  EXPECT_NE(error_of(make_root("short", 1, kNow, "")), "");
  EXPECT_NE(error_of(make_root(kSwarm, 0, kNow, "")), "");
  EXPECT_NE(error_of(issue_node_certificate(swarm.issuer, request, {kSwarm, 1, 0}, kNow)), "");
  EXPECT_NE(error_of(issue_node_certificate(swarm.issuer, request, {"short", 1, 1}, kNow)), "");
}

TEST(Certificates, GoToDerAndBack) {
  const TestSwarm swarm;
  const auto node = swarm.node(1);
  const std::string der = must(der_from_pem(node.chain));
  EXPECT_EQ(must(pem_from_der(der)), node.chain);
  EXPECT_NE(error_of(pem_from_der("")), "");
  EXPECT_NE(error_of(pem_from_der(der + "x")), "");
  EXPECT_NE(error_of(pem_from_der(der.substr(0, der.size() - 1))), "");
}

}  // namespace
}  // namespace swarmdns::controlplane
