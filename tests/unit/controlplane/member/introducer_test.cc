#include "controlplane/member/introducer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controlplane/member/authority_state.h"
#include "controlplane/member/joining.h"
#include "controlplane/membership/directory.h"
#include "tests/unit/controlplane/support/founded.h"

namespace swarmdns::controlplane {
namespace {

using testing::HasSubstr;

using Answer = std::optional<v1::JoinResponse>;

class IntroducerTest : public FoundedSwarm {
 protected:
  // What a node with these keys asks.
  static v1::JoinRequest request(const NodeKeys& keys, const JoinToken& token,
                                 const std::string& name = "n2") {
    v1::JoinRequest request;
    request.set_token(join_token_text(token));
    request.set_name(name);
    request.set_address(name + ":8453");
    request.set_csr(take_or_throw(make_request(keys.tls.pem)));
    request.set_ledger_key(keys.ledger.public_key);
    request.set_ledger_key_proof(keys.ledger.sign(join_proof_octets(request.csr(), join_token_hash(token))));
    request.set_version_min(1);
    request.set_version_max(1);
    return request;
  }
  std::shared_ptr<Answer> ask(const v1::JoinRequest& request, const std::string& pin) {
    auto answer = std::make_shared<Answer>();
    PeerVerdict caller;
    caller.kind = PeerKind::kStranger;
    caller.pin = pin;
    introducer.join(request, caller, [answer](v1::JoinResponse response) { *answer = std::move(response); });
    return answer;
  }
  v1::JoinResponse join(const v1::JoinRequest& request, const std::string& pin) {
    const auto answer = ask(request, pin);
    EXPECT_TRUE(reactor.run_until([&] { return answer->has_value(); }));
    return answer->value_or(v1::JoinResponse());
  }
  std::string refusal(const v1::JoinRequest& request, const std::string& pin) {
    const v1::JoinResponse answer = join(request, pin);
    EXPECT_EQ(answer.verdict(), v1::JoinResponse::REFUSED);
    EXPECT_EQ(answer.chain(), "");
    EXPECT_EQ(answer.name_key(), "");
    return answer.text();
  }

  NodeKeys keys = make_keys();
  Introducer introducer{reactor, *at(1).core, founded.identity};
};

TEST_F(IntroducerTest, LetsANodeIn) {
  const JoinToken token = issue_token(true);
  const auto answer = join(request(keys, token), keys.tls.pin);
  ASSERT_EQ(answer.verdict(), v1::JoinResponse::JOINED) << answer.text();
  EXPECT_EQ(answer.id(), 2U);
  EXPECT_EQ(answer.region(), "west");  // the token's
  EXPECT_TRUE(answer.backup());
  EXPECT_EQ(answer.swarm_id(), token.swarm_id);
  EXPECT_EQ(answer.incarnation(), 1U);
  EXPECT_EQ(answer.swarm_name(), "test");
  EXPECT_EQ(answer.name_key(), founded.identity.record.name_key());
  ASSERT_EQ(answer.members_size(), 2);
  EXPECT_EQ(answer.members(0).tls_pin(), founded.identity.keys.tls.pin);
  const auto record = member(state(), 2);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->ledger_key(), keys.ledger.public_key);
  EXPECT_EQ(record->address(), "n2:8453");
  // The certificate makes it a member to everybody.
  const auto now = static_cast<std::int64_t>(reactor.wall_ms() / 1000);
  const PeerVerdict verdict = check_peer(answer.chain(), *peers_in(state()), now);
  EXPECT_EQ(verdict.kind, PeerKind::kMember) << verdict.reason;
  EXPECT_EQ(verdict.id, 2U);
  EXPECT_EQ(check_introducer(answer.chain(), token, now), "");
  // And the checkpoint can be verified by the keys that come with it.
  std::vector<VerifierKey> voters;
  for (const std::string& text : answer.voter_keys()) voters.push_back(take_or_throw(parse_vkey(text)));
  const auto note = parse_checkpoint_note(answer.checkpoint());
  ASSERT_TRUE(note) << note.error();
  EXPECT_TRUE(check_cosigned(note->note, voters, 1));
}

TEST_F(IntroducerTest, TokensThatLetNobodyIn) {
  JoinToken token = issue_token();
  v1::JoinRequest asked = request(keys, token);
  asked.set_token("swj1.nonsense");
  EXPECT_THAT(refusal(asked, keys.tls.pin), HasSubstr("token: "));
  JoinToken other = token;
  other.swarm_id = std::string(16, 'o');
  EXPECT_THAT(refusal(request(keys, other), keys.tls.pin), HasSubstr("of another swarm"));
  other = token;
  other.secret = std::string(16, 'o');
  EXPECT_THAT(refusal(request(keys, other), keys.tls.pin), HasSubstr("no such token"));
  EXPECT_EQ(join(request(keys, token), keys.tls.pin).verdict(), v1::JoinResponse::JOINED);
  const NodeKeys next = make_keys();
  EXPECT_THAT(refusal(request(next, token, "n3"), next.tls.pin), HasSubstr("used already, by member 2"));
  token = issue_token();
  reactor.wall_offset_ms += 3'700'000;
  EXPECT_THAT(refusal(request(next, token, "n3"), next.tls.pin), HasSubstr("expired"));
  token = issue_token();
  v1::Transaction revoked;
  revoked.mutable_token_revoked()->set_token_hash(join_token_hash(token));
  ASSERT_TRUE(order(revoked));
  EXPECT_THAT(refusal(request(next, token, "n3"), next.tls.pin), HasSubstr("revoked"));
  EXPECT_FALSE(member(state(), 3));
}

TEST_F(IntroducerTest, KeysMustBeTheAskersOwn) {
  const JoinToken token = issue_token();
  const NodeKeys others = make_keys();
  EXPECT_THAT(refusal(request(keys, token), others.tls.pin), HasSubstr("csr: it is for another key"));
  EXPECT_THAT(refusal(request(keys, token), ""), HasSubstr("csr: it is for another key"));
  v1::JoinRequest asked = request(keys, token);
  asked.set_csr("nonsense");
  EXPECT_THAT(refusal(asked, keys.tls.pin), HasSubstr("csr: "));
  asked = request(keys, token);
  asked.set_ledger_key(others.ledger.public_key);
  EXPECT_THAT(refusal(asked, keys.tls.pin), HasSubstr("ledger_key_proof"));
  // A proof is good with its own csr and token only.
  asked = request(keys, token);
  asked.set_ledger_key_proof(request(keys, issue_token()).ledger_key_proof());
  EXPECT_THAT(refusal(asked, keys.tls.pin), HasSubstr("ledger_key_proof"));
  EXPECT_FALSE(member(state(), 2));
}

TEST_F(IntroducerTest, WhoAsksAgainGetsTheSameNumber) {
  const JoinToken token = issue_token();
  const auto first = join(request(keys, token), keys.tls.pin);
  const auto second = join(request(keys, token), keys.tls.pin);
  EXPECT_EQ(first.id(), 2U);
  EXPECT_EQ(second.verdict(), v1::JoinResponse::JOINED);
  EXPECT_EQ(second.id(), 2U);
  EXPECT_FALSE(member(state(), 3));
}

TEST_F(IntroducerTest, WhoAsksTwiceAtOnceGetsTheSameNumberTwice) {
  const JoinToken token = issue_token();
  log.at_once = false;
  const auto first = ask(request(keys, token), keys.tls.pin);
  reactor.run_for(5);
  const auto second = ask(request(keys, token), keys.tls.pin);
  reactor.run_for(5);
  EXPECT_FALSE(*first);
  log.commit();
  reactor.run_for(5);
  ASSERT_TRUE(*first && *second);
  EXPECT_EQ((*first)->id(), 2U);
  EXPECT_EQ((*second)->verdict(), v1::JoinResponse::JOINED) << (*second)->text();
  EXPECT_EQ((*second)->id(), 2U);
}

TEST_F(IntroducerTest, WithoutAQuorumOthersAreToBeAsked) {
  const JoinToken token = issue_token();
  log.at_once = false;
  const auto answer = join(request(keys, token), keys.tls.pin);
  EXPECT_EQ(answer.verdict(), v1::JoinResponse::ASK_OTHERS);
  EXPECT_THAT(answer.text(), HasSubstr("has not confirmed"));
  ASSERT_EQ(answer.members_size(), 1);
  EXPECT_EQ(answer.members(0).address(), "10.54.0.1:8453");
}

TEST_F(IntroducerTest, WithoutTheIssuingKeyOthersAreToBeAsked) {
  Identity second;
  second.record = founded.identity.record;
  second.record.clear_genesis();
  second.keys = make_keys();
  ASSERT_EQ(add_member(second.keys, "n2"), 2U);
  node(2, second);
  Introducer other(reactor, *at(2).core, second);
  Answer answer;
  PeerVerdict caller;
  caller.pin = keys.tls.pin;
  other.join(request(keys, issue_token(), "n3"), caller,
             [&](v1::JoinResponse response) { answer = std::move(response); });
  reactor.run_for(100);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->verdict(), v1::JoinResponse::ASK_OTHERS);
  EXPECT_THAT(answer->text(), HasSubstr("no issuing key"));
  ASSERT_EQ(answer->members_size(), 1);  // the voters
  EXPECT_EQ(answer->members(0).id(), 1U);
}

}  // namespace
}  // namespace swarmdns::controlplane
