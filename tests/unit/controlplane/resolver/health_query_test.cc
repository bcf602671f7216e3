#include "controlplane/resolver/health_query.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <functional>
#include <thread>
#include <vector>

#include "controlplane/supervise/unique_fd.h"

namespace swarmdns::controlplane {
namespace {

using Answers = std::vector<std::vector<uint8_t>>;

// Answers one datagram with whatever `reply` makes of it.
class FakeServer {
 public:
  explicit FakeServer(std::function<Answers(std::vector<uint8_t>)> reply)
      : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    socklen_t length = sizeof(address);
    getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, reply] {
      std::vector<uint8_t> buffer(512);
      sockaddr_in from{};
      socklen_t size = sizeof(from);
      const ssize_t n =
          recvfrom(fd_.get(), buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
      if (n <= 0) return;
      buffer.resize(static_cast<size_t>(n));
      query = buffer;
      for (const auto& answer : reply(buffer)) {
        sendto(fd_.get(), answer.data(), answer.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
      }
    });
  }
  ~FakeServer() {
    shutdown(fd_.get(), SHUT_RDWR);
    thread_.join();
  }
  uint16_t port() const { return port_; }
  std::vector<uint8_t> query;

 private:
  UniqueFd fd_;
  uint16_t port_ = 0;
  std::thread thread_;
};

std::vector<uint8_t> answer_to(std::vector<uint8_t> query, uint8_t rcode) {
  query[2] |= 0x80;
  query[3] = rcode;
  return query;
}

TEST(DnsAnswers, AnswerWithOurIdCounts) {
  FakeServer server([](auto query) { return Answers{answer_to(query, 0)}; });
  EXPECT_TRUE(dns_answers("127.0.0.1", server.port(), "a.bc.", 10000));
  const std::vector<uint8_t> question(server.query.begin() + 12, server.query.end());
  EXPECT_EQ(question, (std::vector<uint8_t>{1, 'a', 2, 'b', 'c', 0, 0, 16, 0, 1}));
}

TEST(DnsAnswers, AnErrorIsNoHealth) {
  FakeServer server([](auto query) { return Answers{answer_to(query, 2)}; });
  EXPECT_FALSE(dns_answers("127.0.0.1", server.port(), "a.", 10000));
}

TEST(DnsAnswers, StrayDatagramsAreSkipped) {
  FakeServer server([](auto query) {
    auto other = answer_to(query, 2);
    other[0] ^= 1;
    return Answers{{1, 2, 3}, other, answer_to(query, 0)};
  });
  EXPECT_TRUE(dns_answers("127.0.0.1", server.port(), "a.", 10000));
}

TEST(DnsAnswers, AnEchoIsNoAnswer) {
  FakeServer server([](auto query) { return Answers{query}; });
  EXPECT_FALSE(dns_answers("127.0.0.1", server.port(), "a.", 10000));
}

TEST(DnsAnswers, SilenceEnds) {
  FakeServer server([](auto) { return Answers{}; });
  EXPECT_FALSE(dns_answers("127.0.0.1", server.port(), "a.", 20));
}

TEST(DnsAnswers, NonsenseIsRefused) {
  EXPECT_FALSE(dns_answers("nonsense", 53, "a.", 20));
  EXPECT_FALSE(dns_answers("127.0.0.1", 1, "a..b.", 20));
}

}  // namespace
}  // namespace swarmdns::controlplane
