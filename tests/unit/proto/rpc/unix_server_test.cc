#include "proto/rpc/unix_server.h"

#include <fcntl.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>

#include "swarmdns/v1/dataplane.grpc.pb.h"

namespace swarmdns::rpc {
namespace {

class StatusService final : public v1::Dataplane::Service {
 public:
  grpc::Status GetStatus(grpc::ServerContext*, const v1::GetStatusRequest*,
                         v1::DataplaneStatus* status) override {
    status->set_node_name("n1");
    return grpc::Status::OK;
  }
  // Runs until the client is gone or the server stops.
  grpc::Status Journal(grpc::ServerContext* context, const v1::JournalRequest*,
                       grpc::ServerWriter<v1::JournalBatch>* writer) override {
    while (!context->IsCancelled()) {
      if (!writer->Write(v1::JournalBatch())) break;
      usleep(1000);
    }
    return grpc::Status::OK;
  }
};

class UnixServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/unix_server_XXXXXX";
    dir_ = mkdtemp(pattern);
    chmod(dir_.c_str(), 0755);
    path_ = dir_ + "/s.sock";
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  UnixServer::Options options(mode_t mode = 0600) {
    UnixServer::Options result;
    result.path = path_;
    result.mode = mode;
    return result;
  }

  grpc::Status call(v1::DataplaneStatus* status) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    auto channel = grpc::CreateCustomChannel("unix:" + path_, grpc::InsecureChannelCredentials(), arguments);
    auto stub = v1::Dataplane::NewStub(channel);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    return stub->GetStatus(&context, v1::GetStatusRequest(), status);
  }

  std::string dir_;
  std::string path_;
  StatusService service_;
};

// Connects as `uid` in a process of its own. 0: the connection stays open; 1: the server closed it; 2: no
// connection.
int connect_as(uid_t uid, const std::string& path) {
  const pid_t pid = fork();
  if (pid == 0) {
    if (setresuid(uid, uid, uid) != 0) _exit(9);
    const auto fd = connect_unix(path);
    if (!fd) _exit(2);
    pollfd wait{*fd, POLLIN, 0};
    // gRPC's server sends its HTTP/2 settings first; a refused connection only ends.
    if (poll(&wait, 1, 10000) <= 0) _exit(8);
    char byte = 0;
    _exit(read(*fd, &byte, 1) == 1 ? 0 : 1);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(UnixServerTest, ServesItsOwnUser) {
  auto server = UnixServer::start(options(), {&service_});
  ASSERT_TRUE(server) << server.error();
  v1::DataplaneStatus status;
  const auto result = call(&status);
  EXPECT_TRUE(result.ok()) << result.error_message();
  EXPECT_EQ(status.node_name(), "n1");
  EXPECT_EQ((*server)->accepted(), 1u);
  EXPECT_EQ((*server)->refused(), 0u);
}

TEST_F(UnixServerTest, SocketFileHasTheModeAskedFor) {
  auto server = UnixServer::start(options(0640), {&service_});
  ASSERT_TRUE(server) << server.error();
  struct stat info {};
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0640u);
}

TEST_F(UnixServerTest, TurnsAwayAForeignUserWhateverTheFileModeSays) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to become another user";
  uid_t seen = 0;
  auto with_hook = options(0666);
  with_hook.on_refused = [&seen](const PeerCredentials& peer) { seen = peer.uid; };
  auto server = UnixServer::start(std::move(with_hook), {&service_});
  ASSERT_TRUE(server) << server.error();
  EXPECT_EQ(connect_as(65534, path_), 1);
  EXPECT_EQ((*server)->refused(), 1u);
  EXPECT_EQ((*server)->accepted(), 0u);
  (*server)->stop();
  EXPECT_EQ(seen, 65534u);
}

TEST_F(UnixServerTest, AllowedUsersChangeWhileServing) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to become another user";
  auto listed = options(0666);
  listed.allowed = {65534};
  auto server = UnixServer::start(std::move(listed), {&service_});
  ASSERT_TRUE(server) << server.error();
  EXPECT_EQ(connect_as(65534, path_), 0);
  EXPECT_EQ(connect_as(65533, path_), 1);
  (*server)->set_allowed({65533});
  EXPECT_EQ(connect_as(65534, path_), 1);
  EXPECT_EQ(connect_as(65533, path_), 0);
}

TEST_F(UnixServerTest, FileModeKeepsOthersOutBeforeCredentialsAreLookedAt) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to become another user";
  auto server = UnixServer::start(options(0600), {&service_});
  ASSERT_TRUE(server) << server.error();
  EXPECT_EQ(connect_as(65534, path_), 2);
}

TEST_F(UnixServerTest, ReplacesTheSocketOfADeadProcess) {
  const auto fd = listen_unix(path_, 0600);
  ASSERT_TRUE(fd) << fd.error();
  close(*fd);  // the file stays, as after kill -9
  ASSERT_TRUE(std::filesystem::exists(path_));
  auto server = UnixServer::start(options(), {&service_});
  ASSERT_TRUE(server) << server.error();
  v1::DataplaneStatus status;
  EXPECT_TRUE(call(&status).ok());
}

TEST_F(UnixServerTest, LeavesASocketAloneThatSomebodyServes) {
  auto first = UnixServer::start(options(), {&service_});
  ASSERT_TRUE(first) << first.error();
  auto second = UnixServer::start(options(), {&service_});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error(), path_ + " is already served by process " + std::to_string(getpid()) +
                                "; stop it or choose another run_dir");
  v1::DataplaneStatus status;
  EXPECT_TRUE(call(&status).ok());
}

TEST_F(UnixServerTest, DoesNotReplaceAFileThatIsNoSocket) {
  std::ofstream(path_) << "precious";
  auto server = UnixServer::start(options(), {&service_});
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error(), path_ + " exists and is not a socket; remove it or choose another run_dir");
  EXPECT_EQ(std::filesystem::file_size(path_), 8u);
}

TEST_F(UnixServerTest, NamesAPathThatIsTooLongOrRelative) {
  auto long_path = options();
  long_path.path = "/" + std::string(107, 'x');
  const auto too_long = UnixServer::start(std::move(long_path), {&service_});
  ASSERT_FALSE(too_long);
  EXPECT_NE(too_long.error().find("is longer than 107 bytes"), std::string::npos) << too_long.error();
  auto relative = options();
  relative.path = "s.sock";
  const auto not_absolute = UnixServer::start(std::move(relative), {&service_});
  ASSERT_FALSE(not_absolute);
  EXPECT_EQ(not_absolute.error(), "socket path \"s.sock\" is not absolute");
}

TEST_F(UnixServerTest, StopRemovesTheFileAndEndsStreams) {
  auto server = UnixServer::start(options(), {&service_});
  ASSERT_TRUE(server) << server.error();
  auto channel = grpc::CreateChannel("unix:" + path_, grpc::InsecureChannelCredentials());
  auto stub = v1::Dataplane::NewStub(channel);
  grpc::ClientContext context;
  auto reader = stub->Journal(&context, v1::JournalRequest());
  v1::JournalBatch batch;
  ASSERT_TRUE(reader->Read(&batch));
  auto stopping = std::async(std::launch::async, [&] { (*server)->stop(20); });
  while (reader->Read(&batch)) {
  }
  EXPECT_FALSE(reader->Finish().ok());
  stopping.get();
  EXPECT_FALSE(std::filesystem::exists(path_));
  (*server)->stop();  // again: nothing happens
}

TEST_F(UnixServerTest, StopLeavesTheSocketOfASuccessor) {
  auto server = UnixServer::start(options(), {&service_});
  ASSERT_TRUE(server) << server.error();
  std::filesystem::rename(path_, path_ + ".old");
  const auto successor = listen_unix(path_, 0600);
  ASSERT_TRUE(successor) << successor.error();
  (*server)->stop();
  EXPECT_TRUE(std::filesystem::exists(path_));
  close(*successor);
}

TEST_F(UnixServerTest, SurvivesClientsThatVanishOrTalkNonsense) {
  auto server = UnixServer::start(options(), {&service_});
  ASSERT_TRUE(server) << server.error();
  for (int i = 0; i < 20; ++i) {
    const auto fd = connect_unix(path_);
    ASSERT_TRUE(fd) << fd.error();
    if (i % 2 == 0) {
      ASSERT_EQ(write(*fd, "GET / HTTP/1.1\r\n\r\n\0\xff", 20), 20);
    }
    close(*fd);
  }
  v1::DataplaneStatus status;
  EXPECT_TRUE(call(&status).ok());
}

}  // namespace
}  // namespace swarmdns::rpc
