#include "controlplane/resolver/listening.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "controlplane/supervise/unique_fd.h"

namespace swarmdns::controlplane {
namespace {

v1::ResolverConfig at(const std::string& address, std::uint32_t port) {
  v1::ResolverConfig config;
  config.set_mode(v1::UNBOUND);
  config.set_address(address);
  config.set_port(port);
  return config;
}

// A socket on a port that the kernel has chosen.
std::uint32_t take_port(int type, UniqueFd& fd) {
  fd = UniqueFd(socket(AF_INET, type, 0));
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof where;
  EXPECT_EQ(bind(fd.get(), reinterpret_cast<sockaddr*>(&where), length), 0);
  if (type == SOCK_STREAM) {
    EXPECT_EQ(listen(fd.get(), 1), 0);
  }
  EXPECT_EQ(getsockname(fd.get(), reinterpret_cast<sockaddr*>(&where), &length), 0);
  return ntohs(where.sin_port);
}

TEST(Listening, APortThatIsTakenIsNamed) {
  for (const int type : {SOCK_DGRAM, SOCK_STREAM}) {
    UniqueFd fd;
    const std::uint32_t port = take_port(type, fd);
    const auto problem = listening_problem(at("127.0.0.1", 1), at("127.0.0.1", port));
    ASSERT_TRUE(problem);
    EXPECT_NE(problem->find("another program listens on 127.0.0.1 port " + std::to_string(port)),
              std::string::npos)
        << *problem;
    // The resolver itself is there already.
    EXPECT_FALSE(listening_problem(at("127.0.0.1", port), at("127.0.0.1", port)));
    v1::ResolverConfig off = at("127.0.0.1", port);
    off.set_mode(v1::NONE);
    EXPECT_TRUE(listening_problem(off, at("127.0.0.1", port)));
    fd.reset();
    EXPECT_FALSE(listening_problem(at("127.0.0.1", 1), at("127.0.0.1", port)));
  }
}

TEST(Listening, AnAddressOfAnotherMachineIsNamed) {
  const auto problem = listening_problem(at("127.0.0.1", 1), at("192.0.2.1", 5399));
  ASSERT_TRUE(problem);
  EXPECT_NE(problem->find("192.0.2.1 port 5399 is not an address of this machine"), std::string::npos);
}

}  // namespace
}  // namespace swarmdns::controlplane
