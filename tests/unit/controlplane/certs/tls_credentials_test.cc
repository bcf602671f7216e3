// A real server and real channels over mTLS on loopback.
#include "controlplane/certs/tls_credentials.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include <atomic>

#include "swarmdns/v1/peer.grpc.pb.h"
#include "tests/unit/controlplane/certs/test_swarm.h"

namespace swarmdns::controlplane {
namespace {

using test::kNow;
using test::kOtherSwarm;
using test::kSwarm;
using test::must;
using test::TestNode;
using test::TestSwarm;
using ::testing::HasSubstr;

// Says in each answer how it sees the caller; echoes streams.
class Echo final : public v1::Peer::Service {
 public:
  explicit Echo(const PeerTls& tls) : tls_(tls) {}

  grpc::Status Join(grpc::ServerContext* context, const v1::JoinRequest*,
                    v1::JoinResponse* response) override {
    const PeerVerdict verdict = tls_.caller(*context);
    if (verdict.kind == PeerKind::kRefused) return {grpc::StatusCode::UNAUTHENTICATED, verdict.reason};
    response->set_id(verdict.id);
    response->set_text(verdict.kind == PeerKind::kStranger ? "stranger"
                       : verdict.outside_its_time          ? "expired"
                                                           : "member");
    return grpc::Status::OK;
  }
  grpc::Status Exchange(grpc::ServerContext*,
                        grpc::ServerReaderWriter<v1::PeerFrames, v1::PeerFrames>* stream) override {
    v1::PeerFrames frames;
    while (stream->Read(&frames)) stream->Write(frames);
    return grpc::Status::OK;
  }

 private:
  const PeerTls& tls_;
};

class TlsCredentials : public ::testing::Test {
 protected:
  void SetUp() override {
    view_ = swarm_.view();
    view_.nodes[one_.key.pin] = {1, false};
    view_.nodes[two_.key.pin] = {2, false};
    publish();
    ASSERT_TRUE(server_tls_.set_identity(one_.key.pem, one_.chain));
    ASSERT_TRUE(client_tls_.set_identity(two_.key.pem, two_.chain));
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", server_tls_.server_credentials(), &port_);
    builder.RegisterService(&echo_);
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
    ASSERT_GT(port_, 0);
  }
  void TearDown() override {
    if (server_) server_->Shutdown(std::chrono::system_clock::now());
  }

  void publish() {
    server_tls_.set_swarm(std::make_shared<SwarmView>(view_));
    client_tls_.set_swarm(std::make_shared<SwarmView>(view_));
  }
  std::unique_ptr<v1::Peer::Stub> connect(const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
    return v1::Peer::NewStub(grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(port_), credentials,
                                                       PeerTls::channel_arguments()));
  }
  grpc::Status call(v1::Peer::Stub& stub, v1::JoinResponse& response) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    return stub.Join(&context, {}, &response);
  }
  grpc::Status call() {
    answer_.Clear();
    return call(*connect(client_tls_.member_credentials(1)), answer_);
  }

  std::atomic<std::int64_t> now_ = kNow;
  TestSwarm swarm_;
  TestNode one_ = swarm_.node(1);
  TestNode two_ = swarm_.node(2);
  SwarmView view_;
  PeerTls server_tls_{[this] { return now_.load(); }};
  PeerTls client_tls_{[this] { return now_.load(); }};
  Echo echo_{server_tls_};
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
  v1::JoinResponse answer_;
};

TEST_F(TlsCredentials, AMemberIsAccepted) {
  const auto status = call();
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(answer_.id(), 2u);
  EXPECT_EQ(answer_.text(), "member");
}

TEST_F(TlsCredentials, AStrangerIsFlagged) {
  const TlsKey key = must(make_tls_key());
  ASSERT_TRUE(client_tls_.set_identity(key.pem, must(make_stranger_certificate(key.pem, kNow))));
  const JoinToken token = make_join_token(kSwarm, swarm_.root.fingerprint);
  const auto status = call(*connect(client_tls_.introducer_credentials(token)), answer_);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(answer_.text(), "stranger");
}

TEST_F(TlsCredentials, NoCertificateIsNoConnection) {
  const auto credentials = [] {
    grpc::experimental::TlsChannelCredentialsOptions options;
    options.set_verify_server_certs(false);
    options.set_check_call_host(false);
    options.set_certificate_verifier(std::make_shared<grpc::experimental::NoOpCertificateVerifier>());
    return grpc::experimental::TlsCredentials(options);
  }();
  EXPECT_EQ(call(*connect(credentials), answer_).error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(TlsCredentials, AnotherSwarmIsRefusedByBothSides) {
  const TestSwarm other{.id = kOtherSwarm};
  TestNode its_two = other.node(2);
  // By the server, with the reason.
  ASSERT_TRUE(client_tls_.set_identity(its_two.key.pem, its_two.chain));
  auto status = call();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_THAT(status.error_message(), HasSubstr("this is swarm 30313233"));
  // By the client, in the handshake.
  SwarmView its_view = other.view();
  its_view.nodes[its_two.key.pin] = {2, false};
  client_tls_.set_swarm(std::make_shared<SwarmView>(its_view));
  status = call();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), HasSubstr("this is swarm 66656463"));
}

TEST_F(TlsCredentials, AnotherNodeThanExpectedIsRefused) {
  const auto status = call(*connect(client_tls_.member_credentials(2)), answer_);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), HasSubstr("node 1 answers where node 2 should"));
}

TEST_F(TlsCredentials, ATokenOfAnotherSwarmIsNotShownToThisOne) {
  const TestSwarm other{.id = kOtherSwarm};
  const auto status =
      call(*connect(client_tls_.introducer_credentials(make_join_token(kOtherSwarm, other.root.fingerprint))),
           answer_);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), HasSubstr("the token is of swarm"));
}

TEST_F(TlsCredentials, TheExpiredButPinnedAreAcceptedWithAFlag) {
  now_ = kNow + 10 * kDay;
  const auto status = call();
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(answer_.id(), 2u);
  EXPECT_EQ(answer_.text(), "expired");
}

TEST_F(TlsCredentials, ACertificateIsRenewedWhileAStreamGoesOn) {
  const auto stub = connect(client_tls_.member_credentials(1));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
  const auto stream = stub->Exchange(&context);
  const auto exchange = [&](std::uint64_t number) {
    v1::PeerFrames frames;
    frames.add_messages()->set_request(number);
    v1::PeerFrames back;
    return stream->Write(frames) && stream->Read(&back) && back.messages(0).request() == number;
  };
  ASSERT_TRUE(exchange(1));

  now_ = kNow + 2 * kDay;  // those of before have expired
  ASSERT_TRUE(server_tls_.set_identity(one_.key.pem, swarm_.chain_for(one_.key, 1, now_)));
  ASSERT_TRUE(client_tls_.set_identity(two_.key.pem, swarm_.chain_for(two_.key, 2, now_)));
  EXPECT_TRUE(exchange(2));

  // New connections have the new ones, both ways.
  ASSERT_TRUE(call().ok());
  EXPECT_EQ(answer_.text(), "member");
  const JoinToken token = make_join_token(kSwarm, swarm_.root.fingerprint);  // does not forgive the expired
  const auto status = call(*connect(client_tls_.introducer_credentials(token)), answer_);
  EXPECT_TRUE(status.ok()) << status.error_message();

  EXPECT_TRUE(exchange(3));
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(TlsCredentials, ARemovedMemberIsRefusedOnNewConnectionsAndCalls) {
  const auto stub = connect(client_tls_.member_credentials(1));
  ASSERT_TRUE(call(*stub, answer_).ok());
  view_.nodes[two_.key.pin].removed = true;
  publish();
  for (const auto& status : {call(), call(*stub, answer_)}) {
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
    EXPECT_THAT(status.error_message(), HasSubstr("node 2 was removed"));
  }
}

TEST_F(TlsCredentials, ANodeWithoutASwarmRefusesAll) {
  server_tls_.set_swarm(nullptr);
  EXPECT_THAT(call().error_message(), HasSubstr("not in a swarm yet"));
}

TEST_F(TlsCredentials, AnIdentityMustBelongTogether) {
  EXPECT_FALSE(server_tls_.set_identity(one_.key.pem, two_.chain));
  EXPECT_FALSE(server_tls_.set_identity(one_.key.pem, "junk"));
  EXPECT_FALSE(server_tls_.set_identity(Secret("junk"), one_.chain));
  EXPECT_TRUE(call().ok());
}

}  // namespace
}  // namespace swarmdns::controlplane
