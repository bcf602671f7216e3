#include "proto/rpc/peers.h"

#include <fcntl.h>
#include <grpcpp/create_channel_posix.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <future>
#include <set>
#include <thread>

#include "proto/rpc/unix_server.h"
#include "swarmdns/v1/dataplane.grpc.pb.h"

namespace swarmdns::rpc {
namespace {

constexpr uid_t kNobody = 65534;

TEST(PeersTable, AnswersOnlyForWhatWasConnected) {
  Peers peers;
  peers.connected(7, {100, 1000, 1000});
  ASSERT_TRUE(peers.of("fd:7"));
  EXPECT_EQ(peers.of("fd:7")->uid, 1000u);
  for (const char* other : {"", "fd:", "fd:70", "fd:07", "ipv4:127.0.0.1:7", "unix:fd:7"}) {
    EXPECT_FALSE(peers.of(other)) << other;
  }
  peers.connected(7, {101, 0, 0});
  EXPECT_EQ(peers.of("fd:7")->uid, 0u);
}

class Service final : public v1::Dataplane::Service {
 public:
  std::function<void(grpc::ServerContext&)> on_call;
  grpc::Status GetStatus(grpc::ServerContext* context, const v1::GetStatusRequest*,
                         v1::DataplaneStatus*) override {
    on_call(*context);
    return grpc::Status::OK;
  }
};

// A connection made by `uid`: the kernel notes the credentials of the thread that connects.
class Client {
 public:
  Client(const std::string& path, uid_t uid) {
    std::thread([&] {
      // Of this thread alone; the C library's wrapper would change all of them.
      if (uid != 0 && syscall(SYS_setresuid, uid, uid, uid) != 0) return;
      if (const auto connected = connect_unix(path)) fd_ = *connected;
    }).join();
    if (fd_ < 0) return;
    fcntl(fd_, F_SETFL, fcntl(fd_, F_GETFL) | O_NONBLOCK);
    stub_ = v1::Dataplane::NewStub(grpc::CreateInsecureChannelFromFd("test", fd_));
  }
  bool call(grpc::ClientContext& context) {
    if (!stub_) return false;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    v1::DataplaneStatus status;
    return stub_->GetStatus(&context, v1::GetStatusRequest(), &status).ok();
  }
  bool call() {
    grpc::ClientContext context;
    return call(context);
  }

 private:
  int fd_ = -1;
  std::unique_ptr<v1::Dataplane::Stub> stub_;
};

class PeersTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root to become another user";
    char pattern[] = "/tmp/peers_XXXXXX";
    dir_ = mkdtemp(pattern);
    chmod(dir_.c_str(), 0755);
    UnixServer::Options options;
    options.path = dir_ + "/s.sock";
    options.mode = 0666;
    options.allowed = {kNobody};
    options.peers = &peers_;
    auto server = UnixServer::start(std::move(options), {&service_});
    ASSERT_TRUE(server) << server.error();
    server_ = std::move(*server);
  }
  void TearDown() override {
    server_.reset();
    if (!dir_.empty()) std::filesystem::remove_all(dir_);
  }
  std::string path() const { return dir_ + "/s.sock"; }

  std::string dir_;
  Peers peers_;
  Service service_;
  std::unique_ptr<UnixServer> server_;
};

TEST_F(PeersTest, EachCallIsItsOwnConnections) {
  std::optional<PeerCredentials> seen;
  service_.on_call = [&](grpc::ServerContext& context) { seen = peers_.of(context.peer()); };
  Client root(path(), 0);
  Client nobody(path(), kNobody);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(root.call());
    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->uid, 0u);
    ASSERT_TRUE(nobody.call());
    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->uid, kNobody);
    EXPECT_EQ(seen->pid, getpid());
  }
}

// Nobody calls and goes away at once; root connects while the call still runs. Were the descriptor's number
// used again by then, nobody's call would count as root's.
TEST_F(PeersTest, ACallKeepsItsConnectionsNumber) {
  std::mutex mutex;
  std::condition_variable changed;
  bool gone = false;
  bool go_on = false;
  std::string held;
  std::set<std::string> others;
  std::promise<std::optional<PeerCredentials>> answer;
  service_.on_call = [&](grpc::ServerContext& context) {
    std::unique_lock lock(mutex);
    if (!held.empty()) {
      others.insert(context.peer());
      return;
    }
    held = context.peer();
    lock.unlock();
    while (!context.IsCancelled()) usleep(1000);
    lock.lock();
    gone = true;
    changed.notify_all();
    changed.wait(lock, [&] { return go_on; });
    answer.set_value(peers_.of(context.peer()));
  };
  {
    Client nobody(path(), kNobody);
    grpc::ClientContext context;
    auto calling = std::async(std::launch::async, [&] { return nobody.call(context); });
    for (std::unique_lock lock(mutex); held.empty(); lock.lock()) {
      lock.unlock();
      usleep(1000);
    }
    context.TryCancel();
    EXPECT_FALSE(calling.get());
  }  // its end of the connection is closed
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return gone; });
  }
  std::vector<std::unique_ptr<Client>> roots;
  for (int i = 0; i < 64; ++i) {
    roots.push_back(std::make_unique<Client>(path(), 0));
    ASSERT_TRUE(roots.back()->call());
    if (i % 2 == 0) roots.pop_back();
  }
  {
    const std::lock_guard lock(mutex);
    EXPECT_FALSE(others.contains(held)) << held;
    go_on = true;
    changed.notify_all();
  }
  const auto credentials = answer.get_future().get();
  ASSERT_TRUE(credentials);
  EXPECT_EQ(credentials->uid, kNobody);

  // The number comes back once the call is over, and is root's then: what was looked at above does happen.
  roots.clear();
  std::vector<std::unique_ptr<Client>> more;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  for (;;) {
    more.push_back(std::make_unique<Client>(path(), 0));
    ASSERT_TRUE(more.back()->call());
    const std::lock_guard lock(mutex);
    if (others.contains(held)) break;
    if (more.size() > 100) more.clear();
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
  }
  EXPECT_EQ(peers_.of(held)->uid, 0u);
}

}  // namespace
}  // namespace swarmdns::rpc
