// UDP by kernel sockets, and the opening of sockets.
#include "tests/unit/dataplane/stream/fixture.h"

namespace swarmdns::stream::test {
namespace {

class UdpTest : public StreamTest {
 protected:
  ~UdpTest() override { ::close(fd); }
  void send(const Octets& query) {
    const miss::SocketAddress to = miss::to_socket_address(address("127.0.0.1"), udp_port);
    EXPECT_EQ(::sendto(fd, query.data(), query.size(), 0, to.get(), to.size),
              static_cast<ssize_t>(query.size()));
  }
  Octets receive() {
    pollfd p{fd, POLLIN, 0};
    if (::poll(&p, 1, 10'000) <= 0) {
      ADD_FAILURE() << "no reply";
      return {};
    }
    Octets out(65535);
    miss::SocketAddress from;
    from.size = sizeof from.storage;
    const ssize_t n = ::recvfrom(fd, out.data(), out.size(), 0, from.get(), &from.size);
    EXPECT_EQ(miss::from_socket_address(from.get()).port, udp_port);  // from where it was asked
    out.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return out;
  }
  int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
};

TEST_F(UdpTest, AnswersFromTheCacheAndByTheMissPath) {
  insert("www.example.com");
  start();
  send(make_query("www.example.com", 1));
  EXPECT_EQ(id_of(receive()), 1);
  send(make_query("other.example.com", 2));
  const auto question = next_question();
  ASSERT_TRUE(question);
  EXPECT_EQ(question->transport, dns::Transport::Udp);
  answer(*question);
  const Octets reply = receive();
  EXPECT_EQ(id_of(reply), 2);
  EXPECT_EQ(dns::Message::parse(reply)->answers().size(), 1U);
}

TEST_F(UdpTest, ALargeDatagramIsAQueryToo) {
  insert("www.example.com");
  start();
  Octets query = make_query("www.example.com", 1, 0);
  query[11] = std::byte{1};
  Octets space(4000);
  dns::OptWriter opt(space, {});
  ASSERT_TRUE(opt.padding(3000));  // as a client would, whose datagram then comes in fragments
  query.insert(query.end(), opt.finish().begin(), opt.finish().end());
  send(query);
  EXPECT_EQ(rcode_of(receive()), 0U);
}

TEST_F(UdpTest, TruncatesToTheClientsLimit) {
  insert("big.example.com", 200);
  start();
  send(make_query("big.example.com", 1));
  const Octets reply = receive();
  EXPECT_LE(reply.size(), 1232U);
  EXPECT_TRUE(dns::Message::parse(reply)->flags().tc());
  EXPECT_EQ(count(Counter::Truncated), 1U);
}

TEST_F(UdpTest, GarbageGetsNothingAndIsCounted) {
  insert("www.example.com");
  start();
  send(Octets(5));
  send(Octets{});
  send(make_query("www.example.com", 3));
  EXPECT_EQ(id_of(receive()), 3);
  EXPECT_EQ(count(Counter::DropShortMessage), 2U);
}

TEST(OpenSockets, OneSetAThreadOnOnePort) {
  const std::vector<net::Address> addresses = {address("127.0.0.1"), address("::1")};
  const auto opened = open_sockets(addresses, 0, 3);
  ASSERT_TRUE(opened.has_value()) << opened.error();
  ASSERT_EQ(opened->size(), 3U);
  for (const ThreadSockets& thread : *opened) {
    ASSERT_EQ(thread.tcp.size(), 2U);
    ASSERT_EQ(thread.udp.size(), 2U);
    EXPECT_EQ(local_port(thread.tcp[0]), local_port(opened->front().tcp[0]));
  }
}

TEST(OpenSockets, TheAddressNeedNotBeThereYet) {
  const std::vector<net::Address> addresses = {address("203.0.113.53"), address("2001:db8::53")};
  EXPECT_TRUE(open_sockets(addresses, 0, 1).has_value());
}

TEST(OpenSockets, TheErrorNamesAddressAndMend) {
  FileDescriptor taken(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  miss::SocketAddress local = miss::to_socket_address(address("127.0.0.1"), 0);
  ASSERT_EQ(::bind(taken.get(), local.get(), local.size), 0);
  ASSERT_EQ(::listen(taken.get(), 1), 0);
  ASSERT_EQ(::getsockname(taken.get(), local.get(), &local.size), 0);
  const std::uint16_t port = miss::from_socket_address(local.get()).port;
  const std::vector<net::Address> addresses = {address("127.0.0.1")};
  const auto opened = open_sockets(addresses, port, 1);
  ASSERT_FALSE(opened.has_value());
  EXPECT_NE(opened.error().find("TCP 127.0.0.1 port " + std::to_string(port)), std::string::npos)
      << opened.error();
  EXPECT_NE(opened.error().find("stop the other server"), std::string::npos) << opened.error();
}

TEST(ClientLimits, CountsAddressesOfIpv4AndNetsOfIpv6) {
  ClientLimits limits(10);
  EXPECT_TRUE(limits.enter(address("192.0.2.1"), 10, 1));
  EXPECT_FALSE(limits.enter(address("192.0.2.1"), 10, 1));
  EXPECT_TRUE(limits.enter(address("192.0.2.2"), 10, 1));
  EXPECT_TRUE(limits.enter(address("2001:db8::1"), 10, 1));
  EXPECT_FALSE(limits.enter(address("2001:db8::2"), 10, 1));
  EXPECT_TRUE(limits.enter(address("2001:db8:0:1::2"), 10, 1));
  EXPECT_FALSE(limits.enter(address("198.51.100.1"), 4, 1));
  limits.leave(address("192.0.2.1"));
  EXPECT_TRUE(limits.enter(address("192.0.2.1"), 4, 1));
  EXPECT_EQ(limits.total(), 4U);
}

}  // namespace
}  // namespace swarmdns::stream::test
