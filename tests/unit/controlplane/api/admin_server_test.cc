// The admin API from one end to the other: swarmctl's client, the socket, the service, a node.
#include "controlplane/api/admin_server.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "controlplane/cli/admin_connection.h"
#include "tests/unit/controlplane/api/one_answer_node.h"

namespace swarmdns::controlplane {
namespace {

class AdminServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/admin_server_XXXXXX";
    dir_ = mkdtemp(pattern);
    chmod(dir_.c_str(), 0755);
    path_ = dir_ + "/admin.sock";
    auto server = AdminServer::start(path_, {"n1", {}, {}}, node_, nullptr,
                                     [this](const std::string& text) { logged_ = text; });
    ASSERT_TRUE(server) << server.error();
    server_ = std::move(*server);
  }
  void TearDown() override {
    server_.reset();
    std::filesystem::remove_all(dir_);
  }
  std::unique_ptr<NodeControl> client() {
    auto connected = connect_admin(path_);
    EXPECT_TRUE(connected) << connected.error().text;
    return connected ? std::move(connected->node) : nullptr;
  }

  std::string dir_;
  std::string path_;
  OneAnswerNode node_;
  std::string logged_;
  std::unique_ptr<AdminServer> server_;
};

TEST_F(AdminServerTest, CarriesCallsAndAnswers) {
  const auto node = client();
  EXPECT_EQ(node->node_status()->node(), "n1");
  ASSERT_TRUE(node->apply_config("a: b", "f"));
  EXPECT_EQ(node_.yaml, "a: b");
  v1::FlushRequest flush;
  flush.set_all(true);
  EXPECT_EQ(node->flush(flush)->removed(), 7u);
}

TEST_F(AdminServerTest, CarriesEveryRefusalWithItsKindAndText) {
  const auto node = client();
  for (const auto kind : {Refusal::Kind::kInvalid, Refusal::Kind::kNotFound, Refusal::Kind::kPrecondition,
                          Refusal::Kind::kUnavailable, Refusal::Kind::kForbidden, Refusal::Kind::kFailed}) {
    node_.refusal = Refusal{kind, "because"};
    const auto answer = node->stats();
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, kind);
    EXPECT_EQ(answer.error().text, "because");
  }
}

TEST_F(AdminServerTest, AnEmptyFlushIsNotAWish) {
  const auto node = client();
  v1::FlushRequest request;
  EXPECT_EQ(node->flush(request).error().text, "scope: name, zone or all: true is required");
  request.set_all(false);
  EXPECT_EQ(node->flush(request).error().kind, Refusal::Kind::kInvalid);
  request.set_zone("x");
  request.set_qtype(1);
  EXPECT_EQ(node->flush(request).error().text,
            "qtype: only with a name; a zone or everything is flushed with all its types");
  EXPECT_EQ(node->lookup(v1::LookupRequest()).error().text, "qname: is required");
  EXPECT_EQ(node->bind_port("", false).error().text, "device: is required");
  EXPECT_EQ(node->control_process(v1::ControlProcessRequest()).error().text, "action: is required");
}

TEST_F(AdminServerTest, StreamsADumpAndBreaksOffWhenTheReaderGoes) {
  const auto node = client();
  int got = 0;
  ASSERT_TRUE(node->dump([&](const v1::CacheSlice&) { return ++got, true; }));
  EXPECT_EQ(got, 1000);
  node_.slices_taken = 0;
  EXPECT_FALSE(node->dump([](const v1::CacheSlice&) { return false; }));
  server_->stop();
  EXPECT_LT(node_.slices_taken, 1000);
}

TEST_F(AdminServerTest, StreamsALoad) {
  int left = 50;
  ASSERT_TRUE(client()->load([&](v1::CacheSlice& slice) {
    slice.mutable_entries();
    return left-- > 0;
  }));
  EXPECT_EQ(node_.slices_got, 50);
}

TEST_F(AdminServerTest, AServerThatWentAwayIsUnreachable) {
  const auto node = client();
  ASSERT_TRUE(node->stats());
  server_->stop();
  const auto answer = node->stats();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, Refusal::Kind::kUnreachable);
  const auto again = connect_admin(path_);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, Refusal::Kind::kUnreachable);
  EXPECT_NE(again.error().text.find("Start it: systemctl start swarmdns-controlplane"), std::string::npos);
}

TEST_F(AdminServerTest, SocketOpensForNamedUsersOnly) {
  const auto mode = [this] {
    struct stat info {};
    stat(path_.c_str(), &info);
    return info.st_mode & 0777;
  };
  EXPECT_EQ(mode(), 0600u);
  server_->set_access({"n1", {65534}, {}});
  EXPECT_EQ(mode(), 0666u);
  server_->set_access({"n1", {}, {}});
  EXPECT_EQ(mode(), 0600u);
}

TEST_F(AdminServerTest, AForeignUserIsToldThatItMayNot) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to become another user";
  const auto as_nobody = [this]() -> int {
    const pid_t pid = fork();
    if (pid == 0) {
      if (setresuid(65534, 65534, 65534) != 0) _exit(9);
      // No gRPC in a forked process: the socket's mode already says no.
      const auto connected = connect_admin(path_);
      _exit(connected ? 0 : connected.error().kind == Refusal::Kind::kForbidden ? 1 : 2);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    return WEXITSTATUS(status);
  };
  EXPECT_EQ(as_nobody(), 1);
}

}  // namespace
}  // namespace swarmdns::controlplane
