// Strangers that join, over mTLS on loopback.
#include "controlplane/peer/join_call.h"

#include <gmock/gmock.h>

#include <atomic>
#include <future>

#include "tests/unit/controlplane/peer/peer_links.h"

namespace swarmdns::controlplane {
namespace {

using test::eventually;
using test::kNow;
using test::kOtherSwarm;
using test::kSwarm;
using test::LinkNode;
using test::must;
using test::PeerLinks;
using test::TestSwarm;
using ::testing::HasSubstr;

constexpr auto kConsensus = Channel::kConsensus;

class Joining : public PeerLinks {
 protected:
  Joining() : key_(must(make_tls_key())), token_(make_join_token(kSwarm, swarm_.root.fingerprint)) {
    EXPECT_TRUE(tls_.set_identity(key_.pem, must(make_stranger_certificate(key_.pem, kNow))));
  }
  std::expected<v1::JoinResponse, std::string> call(LinkNode& node) {
    v1::JoinRequest request;
    request.set_name("new");
    return call_join(tls_, node.address().address, token_, request, std::chrono::seconds(60));
  }

  TlsKey key_;
  JoinToken token_;
  PeerTls tls_{[] { return kNow; }};
};

TEST_F(Joining, AStrangerIsAnsweredLater) {
  LinkNode& one = add(1);
  one.join = [&](v1::JoinRequest request, PeerVerdict caller, JoinAnswer answer) {
    one.reactor().after(20, [this, request, caller, answer] {
      v1::JoinResponse response;
      response.set_verdict(v1::JoinResponse::JOINED);
      response.set_text(request.name() + (caller.kind == PeerKind::kStranger ? ", a stranger" : ""));
      response.set_roots(caller.pin == key_.pin ? "its key" : "");
      answer(response);
    });
  };
  connect();
  const auto response = must(call(one));
  EXPECT_EQ(response.text(), "new, a stranger");
  EXPECT_EQ(response.roots(), "its key");
}

TEST_F(Joining, WhoHasJoinedAlreadyMayAskAgain) {
  LinkNode& one = add(1);
  one.join = [](const v1::JoinRequest&, const PeerVerdict& caller, const JoinAnswer& answer) {
    v1::JoinResponse response;
    response.set_id(caller.id);
    answer(response);
  };
  view_.nodes[key_.pin] = {9, false};
  connect();
  EXPECT_EQ(must(call(one)).id(), 9u);
}

TEST_F(Joining, ARemovedNodeIsRefusedWithTheReason) {
  LinkNode& one = add(1);
  one.join = [](const v1::JoinRequest&, const PeerVerdict&, const JoinAnswer& answer) { answer({}); };
  view_.nodes[key_.pin] = {9, true};
  connect();
  const auto response = call(one);
  ASSERT_FALSE(response);
  EXPECT_THAT(response.error(), HasSubstr("node 9 was removed"));
  EXPECT_TRUE(eventually([&] { return one.notes().contains("refused ipv4:127.0.0.1:"); })) << one.notes();
}

TEST_F(Joining, AnAnswerThatNobodyGivesIsGivenUp) {
  LinkNode& one = add(1);
  one.join = [](const v1::JoinRequest&, const PeerVerdict&, const JoinAnswer&) {};
  connect();
  EXPECT_THAT(call(one).error(), HasSubstr("ask again"));
}

TEST_F(Joining, TheLinksEndEndsTheCall) {
  LinkNode& one = add(1);
  JoinAnswer kept;
  std::atomic<bool> asked = false;
  one.join = [&](const v1::JoinRequest&, const PeerVerdict&, JoinAnswer answer) {
    kept = std::move(answer);
    asked = true;
  };
  connect();
  auto response = std::async(std::launch::async, [&] { return call(one); });
  ASSERT_TRUE(eventually([&] { return asked.load(); }));
  one.stop();
  EXPECT_FALSE(response.get());
  kept({});  // too late, and harmless
}

TEST_F(Joining, WithoutAHandlerThereIsNoJoining) {
  LinkNode& one = add(1);
  connect();
  EXPECT_THAT(call(one).error(), HasSubstr("lets nobody join yet"));
}

TEST_F(Joining, ANodeOfAnotherSwarmNeverSeesTheToken) {
  const TestSwarm other{.id = kOtherSwarm};
  LinkNode node(other, 1);
  std::atomic<bool> asked = false;
  node.join = [&](const v1::JoinRequest&, const PeerVerdict&, const JoinAnswer&) { asked = true; };
  node.know(other.view());
  node.start();
  EXPECT_THAT(call(node).error(), HasSubstr("the token is of swarm"));
  EXPECT_FALSE(asked);
}

TEST_F(Joining, AStrangerHasNoStreams) {
  LinkNode& one = add(1);
  connect();
  // A member of the CA that nobody here knows as one.
  LinkNode nine(swarm_, 9);
  nine.know(view_);
  nine.start();
  nine.set_peers({one.address()});
  ASSERT_TRUE(eventually([&] {
    return nine.stats(1, kConsensus).problem.contains("node 9 is not among the members");
  })) << nine.stats(1, kConsensus).problem;
  EXPECT_TRUE(eventually([&] { return one.notes().contains("node 9 is not among the members"); }));
}

}  // namespace
}  // namespace swarmdns::controlplane
