#include "controlplane/resolver/unbound_control.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <filesystem>
#include <thread>

#include "controlplane/supervise/unique_fd.h"

namespace swarmdns::controlplane {
namespace {

// Takes one connection, notes the request and answers.
class FakeUnbound {
 public:
  explicit FakeUnbound(std::string answer) {
    char pattern[] = "/tmp/unbound_control_XXXXXX";
    dir_ = mkdtemp(pattern);
    path_ = dir_ + "/ctl";
    listener_ = UniqueFd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.c_str(), path_.size() + 1);
    EXPECT_EQ(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(listen(listener_.get(), 1), 0);
    thread_ = std::thread([this, answer] {
      const UniqueFd fd(accept(listener_.get(), nullptr, nullptr));
      char buffer[256];
      const ssize_t n = recv(fd.get(), buffer, sizeof(buffer), 0);
      if (n > 0) request_.assign(buffer, static_cast<size_t>(n));
      send(fd.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
    });
  }
  ~FakeUnbound() {
    if (thread_.joinable()) thread_.join();
    std::filesystem::remove_all(dir_);
  }
  const std::string& path() const { return path_; }
  std::string request() {
    thread_.join();
    return request_;
  }

 private:
  std::string dir_;
  std::string path_;
  UniqueFd listener_;
  std::thread thread_;
  std::string request_;
};

TEST(UnboundCommand, SpeaksTheProtocol) {
  FakeUnbound unbound("ok removed 3 rrsets\n");
  const auto answer = unbound_command(unbound.path(), "flush_zone example.org.");
  ASSERT_TRUE(answer) << answer.error();
  EXPECT_EQ(*answer, "ok removed 3 rrsets");
  EXPECT_EQ(unbound.request(), "UBCT1 flush_zone example.org.\n");
}

TEST(UnboundCommand, AnErrorIsAnError) {
  FakeUnbound unbound("error unknown command 'x'\n");
  EXPECT_EQ(unbound_command(unbound.path(), "x").error(),
            "the resolver refused \"x\": error unknown command 'x'");
}

TEST(UnboundCommand, ALineBreakCannotSmuggleASecondCommand) {
  EXPECT_EQ(unbound_command("/nonexistent", "flush a\nstop").error(), "the command holds a line break");
}

TEST(UnboundCommand, NamesASocketNobodyListensOn) {
  EXPECT_EQ(unbound_command("/nonexistent/ctl", "status").error(),
            "the resolver does not listen on /nonexistent/ctl: No such file or directory");
}

}  // namespace
}  // namespace swarmdns::controlplane
