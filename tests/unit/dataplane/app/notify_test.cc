#include "dataplane/app/notify.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "tests/unit/dataplane/control/sample_config.h"

namespace swarmdns::app {
namespace {

class NotifyTest : public testing::Test {
 protected:
  void TearDown() override {
    unsetenv("NOTIFY_SOCKET");
    if (fd_ >= 0) close(fd_);
  }
  // Listens there as a supervisor does; '@' begins an abstract name.
  void listen_at(const std::string& name) {
    fd_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    ASSERT_GE(fd_, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name[0] == '@') address.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    ASSERT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), length), 0);
    setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  std::string heard() {
    char buffer[64];
    const ssize_t n = recv(fd_, buffer, sizeof buffer, 0);
    return n < 0 ? std::string() : std::string(buffer, static_cast<std::size_t>(n));
  }
  int fd_ = -1;
};

TEST_F(NotifyTest, TellsAPath) {
  control::ScratchDirectory directory;
  listen_at(directory.path() + "/notify");
  notify_supervisor("READY=1");
  EXPECT_EQ(heard(), "READY=1");
}

TEST_F(NotifyTest, TellsAnAbstractName) {
  listen_at("@swarmdns-notify-test-" + std::to_string(getpid()));
  notify_supervisor("STOPPING=1");
  EXPECT_EQ(heard(), "STOPPING=1");
}

TEST_F(NotifyTest, NobodyToTellIsNoTrouble) {
  unsetenv("NOTIFY_SOCKET");
  notify_supervisor("READY=1");
  setenv("NOTIFY_SOCKET", "/nonexistent/notify", 1);
  notify_supervisor("READY=1");
  setenv("NOTIFY_SOCKET", "", 1);
  notify_supervisor("READY=1");
}

}  // namespace
}  // namespace swarmdns::app
