#include "controlplane/member/certificate_keeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controlplane/member/authority_state.h"
#include "controlplane/member/rotation.h"
#include "tests/unit/controlplane/support/founded.h"

namespace swarmdns::controlplane {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kHourMs = 3'600'000;

// The founder, which has the issuing key, and a second member, which has not.
class CertificateKeeperTest : public FoundedSwarm {
 protected:
  struct Kept {
    Identity* identity = nullptr;
    std::unique_ptr<PeerTls> tls;
    std::vector<v1::NodeIdentity> written;
    std::unique_ptr<CertificateKeeper> keeper;
  };

  CertificateKeeperTest() {
    second.keys = make_keys();
    const NodeId id = add_member(second.keys, "n2");
    second.record.set_node(id);
    const auto issuer = issuer_in(state(), 1, founded.identity.keys.ledger);
    second.record.set_chain(
        take_or_throw(issue_node_certificate(**issuer, take_or_throw(make_request(second.keys.tls.pem)),
                                             {founded.identity.record.swarm_id(), 1, id}, seconds())));
    node(2, second);
    keep(1, founded.identity);
    keep(2, second);
    reactor.run_for(100);
  }
  ~CertificateKeeperTest() override { kept.clear(); }

  void keep(NodeId id, Identity& identity) {
    Kept& each = kept[id];
    each.identity = &identity;
    each.tls = std::make_unique<PeerTls>([this] { return seconds(); });
    each.keeper = std::make_unique<CertificateKeeper>(
        reactor, net.link(id), *at(id).core, *each.tls, identity,
        [&each](const v1::NodeIdentity& record) { each.written.push_back(record); },
        [](const std::string&) {});
    at(id).core->on_other([&each](NodeId from, const v1::PeerMessage& message) {
      EXPECT_TRUE(each.keeper->receive(from, message));
    });
    each.keeper->start();
  }
  std::int64_t seconds() const { return static_cast<std::int64_t>(reactor.wall_ms() / 1000); }
  std::int64_t expires(NodeId id) { return kept[id].keeper->expires(); }
  std::size_t sealed() {
    return static_cast<std::size_t>(
        read<v1::CertificateRotation>(state(), keys::kCertificates)->sealed_size());
  }
  void record_voters(std::vector<std::uint64_t> ids, NodeId by) {
    v1::Transaction transaction;
    for (const std::uint64_t id : ids) transaction.mutable_log_members()->add_voters(id);
    ASSERT_TRUE(order(transaction, by));
  }

  Identity second;
  std::map<NodeId, Kept> kept;
};

TEST_F(CertificateKeeperTest, WhoHasTheIssuingKeyRenewsByItself) {
  const std::int64_t before = expires(1);
  EXPECT_EQ(before - seconds(), kNodeLifetime);
  reactor.wall_offset_ms += 12 * kHourMs;
  reactor.run_for(6000);
  EXPECT_EQ(expires(1), before);  // not before its time
  reactor.wall_offset_ms += 5 * kHourMs;
  reactor.run_for(6000);
  EXPECT_GT(expires(1), before);
  ASSERT_EQ(kept[1].written.size(), 1U);
  EXPECT_EQ(verify_chain(kept[1].written[0].chain(), founded.root_certificate, seconds()).state,
            ChainState::kValid);
  EXPECT_EQ(founded.identity.record.chain(), kept[1].written[0].chain());
  EXPECT_EQ(kept[1].keeper->trouble(), "");
  EXPECT_EQ(net.count(v1::PeerMessage::kRenewRequest), kept[2].written.size());
}

TEST_F(CertificateKeeperTest, OthersAskOneThatHasIt) {
  const std::int64_t before = expires(2);
  reactor.wall_offset_ms += 17 * kHourMs;
  reactor.run_for(6000);
  EXPECT_GT(expires(2), before);
  EXPECT_EQ(net.count(v1::PeerMessage::kRenewRequest), 1U);
  const auto facts = read_certificates(second.record.chain());
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->front().pin, second.keys.tls.pin);
}

TEST_F(CertificateKeeperTest, BacksOffWhileNobodyCanBeReached) {
  const std::int64_t before = expires(2);
  net.cut(2);
  reactor.wall_offset_ms += 17 * kHourMs;
  reactor.run_for(600'000);
  EXPECT_EQ(expires(2), before);
  EXPECT_THAT(kept[2].keeper->trouble(), HasSubstr("could not be renewed"));
  net.mend(2);
  ASSERT_TRUE(reactor.run_until([&] { return expires(2) > before; }, 1'000'000));
  EXPECT_EQ(kept[2].keeper->trouble(), "");
}

TEST_F(CertificateKeeperTest, AsksASilentHolderEverMoreRarely) {
  net.lose = [](NodeId, NodeId, const v1::PeerMessage& message) { return message.has_renew_request(); };
  reactor.wall_offset_ms += 17 * kHourMs;
  reactor.run_for(600'000);
  const std::size_t first = net.count(v1::PeerMessage::kRenewRequest);
  EXPECT_GE(first, 3U);
  EXPECT_LE(first, 10U);
  reactor.run_for(600'000);
  EXPECT_LE(net.count(v1::PeerMessage::kRenewRequest), first + 3);
  EXPECT_THAT(kept[2].keeper->trouble(), HasSubstr("did not answer"));
}

TEST_F(CertificateKeeperTest, BelievesOnlyWhomItAskedAndOnlyTheSwarmsAuthority) {
  const std::int64_t before = expires(2);
  net.lose = [](NodeId, NodeId, const v1::PeerMessage& message) { return message.has_renew_request(); };
  reactor.wall_offset_ms += 17 * kHourMs;
  ASSERT_TRUE(reactor.run_until([&] { return net.count(v1::PeerMessage::kRenewRequest) == 1; }));
  const auto csr = take_or_throw(make_request(second.keys.tls.pem));
  const std::string& swarm = founded.identity.record.swarm_id();
  // For the right key, by an authority of its own making.
  const Root root = take_or_throw(make_root(swarm, 1, seconds(), ""));
  const Issuer forger = take_or_throw(
      make_issuer(swarm, 1, {root.certificate, std::string(root.key.view()), "", 1, "", ""}, seconds()));
  v1::PeerMessage answer;
  answer.mutable_renew_response()->set_chain(
      take_or_throw(issue_node_certificate(forger, csr, {swarm, 1, 2}, seconds())));
  EXPECT_TRUE(kept[2].keeper->receive(3, answer));
  EXPECT_EQ(kept[2].keeper->trouble(), "");  // not even looked at
  EXPECT_TRUE(kept[2].keeper->receive(1, answer));
  EXPECT_THAT(kept[2].keeper->trouble(), HasSubstr("not of the swarm's authority"));
  EXPECT_EQ(expires(2), before);
  EXPECT_TRUE(kept[2].written.empty());
}

TEST_F(CertificateKeeperTest, IssuesForMembersAndTheirKeysOnly) {
  const auto problem = [&](NodeId from, const std::string& csr) {
    v1::PeerMessage message;
    message.mutable_renew_request()->set_csr(csr);
    net.sent.clear();
    EXPECT_TRUE(kept[1].keeper->receive(from, message));
    EXPECT_EQ(net.sent.at(0).message.renew_response().chain(), "");
    return net.sent.at(0).message.renew_response().problem();
  };
  const NodeKeys others = make_keys();
  EXPECT_THAT(problem(2, take_or_throw(make_request(others.tls.pem))), HasSubstr("not for the key"));
  EXPECT_THAT(problem(2, "nonsense"), HasSubstr("not for the key"));
  v1::Transaction removed;
  removed.mutable_member_removed()->set_id(2);
  const std::string csr = take_or_throw(make_request(second.keys.tls.pem));
  // Of one that has just been removed, and whose question was on its way.
  ASSERT_TRUE(order(removed));
  v1::PeerMessage message;
  message.mutable_renew_request()->set_csr(csr);
  net.link(1).told_peers = false;  // so that the answer can be seen
  net.sent.clear();
  EXPECT_TRUE(kept[1].keeper->receive(2, message));
  EXPECT_THAT(net.sent.at(0).message.renew_response().problem(), HasSubstr("no member"));
  EXPECT_FALSE(kept[1].keeper->receive(2, v1::PeerMessage()));  // of another's business
}

TEST_F(CertificateKeeperTest, TheLeaderSealsTheIssuingKeyToNewVoters) {
  record_voters({1, 2}, 1);
  kept[1].keeper->state_changed();
  ASSERT_TRUE(reactor.run_until([&] { return sealed() == 2; }));
  const auto issuer = issuer_in(at(2).chain().state(), 2, second.keys.ledger);
  ASSERT_TRUE(issuer) << issuer.error();
  EXPECT_TRUE(*issuer);
  // Once, and not again.
  const std::uint64_t height = at(1).chain().height();
  reactor.run_for(20'000);
  EXPECT_EQ(at(1).chain().height(), height);
  record_voters({1}, 1);
  ASSERT_TRUE(reactor.run_until([&] { return sealed() == 1; }));
}

// The founder lost the lead before the others had the key.
TEST_F(CertificateKeeperTest, WhereTheLeaderHasNoKeyAHolderSealsIt) {
  log.lead(2);
  record_voters({1, 2}, 2);
  ASSERT_TRUE(reactor.run_until([&] { return sealed() == 2; }));
}

// The operator's change reaches everybody without anybody's doing, and the old root goes last.
TEST_F(CertificateKeeperTest, AChangeOfTheRootIsRenewedByAllAndTheOldOneGoes) {
  const auto rotation = [&] { return *read<v1::CertificateRotation>(state(), keys::kCertificates); };
  for (const NodeId id : {NodeId{1}, NodeId{2}})
    at(id).describe = [this, id](v1::NodeReport& report) { kept[id].keeper->describe(report); };
  const auto made = take_or_throw(make_rotation(take_or_throw(authority_now(state())),
                                                {std::string(founded.root_key.view()), "", true, seconds()}));
  net.lose = [](NodeId from, NodeId, const v1::PeerMessage& message) {
    return from == 2 && message.has_renew_request();
  };
  v1::Transaction transaction;
  *transaction.mutable_certificate_rotation() = made.rotation;
  ASSERT_TRUE(order(transaction));
  // Looked at once a second: reading certificates takes its time.
  const auto in_time = [&](const std::function<bool()>& holds) {
    for (int s = 0; s < 600 && !holds(); ++s) reactor.run_for(1000);
    return holds();
  };
  ASSERT_TRUE(in_time([&] { return hangs_on(founded.identity.record.chain(), rotation()); }));
  reactor.run_for(20'000);
  EXPECT_EQ(rotation().roots_size(), 2);  // the second has none yet
  EXPECT_EQ(kept[1].keeper->not_renewed(), std::vector<NodeId>{2});
  net.lose = nullptr;
  ASSERT_TRUE(in_time([&] { return rotation().roots_size() == 1; }));
  EXPECT_EQ(*roots_in(state()), made.root_certificate);
  EXPECT_TRUE(kept[1].keeper->not_renewed().empty());
  // And with the bridge gone the chains are told anew.
  ASSERT_TRUE(in_time([&] { return hangs_on(second.record.chain(), rotation()); }));
  EXPECT_EQ(rotation().number(), 2U);
  EXPECT_EQ(verify_chain(second.record.chain(), made.root_certificate, seconds()).state, ChainState::kValid);
}

}  // namespace
}  // namespace swarmdns::controlplane
