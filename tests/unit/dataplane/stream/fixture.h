// A stream thread on loopback ports of the kernel's choice, a real cache, and the test in the place of the
// miss thread.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "dataplane/cache/cache.h"
#include "dataplane/miss/sockaddr.h"
#include "dataplane/stream/thread.h"
#include "proto/dns/edns_write.h"
#include "proto/dns/message.h"
#include "proto/dns/name_text.h"
#include "proto/dns/query.h"

namespace swarmdns::stream::test {

using namespace std::chrono_literals;
using stats::Counter;
using Octets = std::vector<std::byte>;

inline dns::Name name(std::string_view text) {
  return *dns::name_from_text(text);
}
inline net::Address address(std::string_view text) {
  return *net::Address::parse(text);
}

inline Octets make_query(const std::string& qname, std::uint16_t id, std::uint16_t payload = 1232) {
  Octets out(dns::kMaxQuerySize);
  dns::QuerySpec spec;
  spec.id = id;
  const dns::Name owner = name(qname);
  spec.name = owner;
  spec.payload_size = payload;
  out.resize(*dns::write_query(spec, out));
  return out;
}

inline Octets framed(const Octets& message) {
  Octets out(2 + message.size());
  dns::store_be16(out.data(), static_cast<std::uint16_t>(message.size()));
  std::ranges::copy(message, out.begin() + 2);
  return out;
}

// An answer of `records` A records.
inline cache::EntryImage make_entry(const std::string& qname, cache::Seconds now, std::size_t records = 1) {
  const dns::Name folded = name(qname).folded();
  Octets sections;
  for (std::size_t i = 0; i < records; ++i) {
    const std::uint8_t record[] = {0xc0,
                                   12,
                                   0,
                                   1,
                                   0,
                                   1,
                                   0,
                                   0,
                                   1,
                                   44,
                                   0,
                                   4,
                                   192,
                                   0,
                                   static_cast<std::uint8_t>(i >> 8),
                                   static_cast<std::uint8_t>(i)};
    for (const std::uint8_t b : record) sections.push_back(std::byte{b});
  }
  cache::EntryContent content;
  content.key = {folded.wire().data(), static_cast<std::uint8_t>(folded.size()), 0, 0, 1};
  content.answers = static_cast<std::uint16_t>(records);
  content.born = now;
  content.expires = now + 300;
  content.sections = sections;
  auto image = cache::EntryImage::build(content);
  EXPECT_TRUE(image.has_value());
  return *image;
}

// A client's connection; every wait ends after some seconds with a failure.
class Client {
 public:
  explicit Client(std::uint16_t port, std::optional<int> receive_buffer = {}) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (receive_buffer) ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &*receive_buffer, sizeof(int));
    const miss::SocketAddress to = miss::to_socket_address(address("127.0.0.1"), port);
    EXPECT_EQ(::connect(fd_, to.get(), to.size), 0);
  }
  ~Client() { close(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  // By a reset, as a client that crashes.
  void abort() {
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }
  void send(const Octets& bytes) {
    EXPECT_EQ(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  // As much as the kernel takes now.
  std::size_t send_some(const Octets& bytes) {
    const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return n > 0 ? static_cast<std::size_t>(n) : 0;
  }
  void end_sending() { ::shutdown(fd_, SHUT_WR); }

  // The next message; empty when the server has closed the connection (or nothing comes: a failure).
  Octets receive() {
    Octets length(2);
    if (!read_exactly(length)) return {};
    Octets message(dns::load_be16(length.data()));
    if (!read_exactly(message)) return {};
    return message;
  }
  // True when nothing comes for that long.
  bool silent_for(std::chrono::milliseconds time) {
    pollfd p{fd_, POLLIN, 0};
    return ::poll(&p, 1, static_cast<int>(time.count())) == 0;
  }
  // True once the server has closed its side, whatever it sent before.
  bool closed_by_server() {
    std::byte sink[65536];
    for (;;) {
      pollfd p{fd_, POLLIN, 0};
      if (::poll(&p, 1, 10'000) <= 0) return false;
      const ssize_t n = ::recv(fd_, sink, sizeof sink, 0);
      if (n > 0) continue;
      ended_cleanly = n == 0;
      return true;
    }
  }
  bool ended_cleanly = false;

 private:
  bool read_exactly(Octets& into) {
    std::size_t done = 0;
    while (done < into.size()) {
      pollfd p{fd_, POLLIN, 0};
      if (::poll(&p, 1, 10'000) <= 0) {
        ADD_FAILURE() << "no reply";
        return false;
      }
      const ssize_t n = ::recv(fd_, into.data() + done, into.size() - done, 0);
      if (n <= 0) return false;
      done += static_cast<std::size_t>(n);
    }
    return true;
  }
  int fd_ = -1;
};

class StreamTest : public ::testing::Test {
 protected:
  StreamTest() {
    cache::CacheOptions cache_options;
    cache_options.budget_bytes = 16U << 20;
    cache_options.hugepages = false;
    auto made = cache::Cache::create(cache_options, *writer_counters);
    EXPECT_TRUE(made.has_value());
    cache = std::move(*made);
    const std::vector<guard::AclRule> rules = {{*net::Prefix::parse("127.0.0.0/8"), guard::AclAction::Allow}};
    policy.acl = guard::Acl::build(rules, guard::AclAction::Refuse);
    policy.service.identity = "test";
    policy_slot.current.store(&policy);
  }
  ~StreamTest() override {
    if (thread) thread->stop();
  }

  void start(std::size_t ring = 1024) {
    channel = std::make_unique<miss::Channel>(ring);
    options_slot = std::make_unique<OptionsSlot>(std::make_shared<const Options>(options));
    const std::vector<net::Address> addresses = {address("127.0.0.1")};
    auto opened = open_sockets(addresses, 0, 1);
    ASSERT_TRUE(opened.has_value()) << opened.error();
    tcp_port = local_port(opened->at(0).tcp.at(0));
    udp_port = local_port(opened->at(0).udp.at(0));
    ThreadParts parts;
    parts.table = &cache->table();
    parts.clock = &clock;
    parts.policy = &policy_slot;
    parts.options = options_slot.get();
    parts.limits = &limits;
    parts.misses = channel.get();
    parts.bell = &bell;
    parts.stats = stats.get();
    parts.max_connections = 1000;
    thread = std::make_unique<Thread>(std::move(opened->at(0)), std::move(parts));
    thread->start();
  }

  void insert(const std::string& qname, std::size_t records = 1) {
    EXPECT_EQ(cache->insert(make_entry(qname, clock.seconds(), records), clock.milliseconds()),
              cache::Outcome::Inserted);
  }

  // The next question the stream thread puts to the miss thread; copied, and its slot freed.
  std::optional<miss::Request> next_question() {
    for (int i = 0; i < 5000; ++i) {
      if (const miss::Request* request = channel->next_request(); request != nullptr) {
        miss::Request copy = *request;
        channel->pop_requests();
        return copy;
      }
      std::this_thread::sleep_for(1ms);
    }
    ADD_FAILURE() << "no question came";
    return std::nullopt;
  }
  // Answers it as the miss thread would.
  void answer(const miss::Request& request, std::size_t records = 1) {
    auto& kept = replies.emplace_back();
    kept.image = make_entry(dns::to_text(dns::NameView::trusted({request.qname.data(), request.qname_len})),
                            clock.seconds(), records);
    kept.reply.request = request;
    kept.reply.answer = kept.image.get();
    kept.reply.now = clock.seconds();
    EXPECT_TRUE(channel->push(&kept.reply));
  }
  template <class Done>
  bool eventually(Done done) {
    for (int i = 0; i < 5000; ++i) {
      if (done()) return true;
      std::this_thread::sleep_for(1ms);
    }
    return false;
  }
  [[nodiscard]] std::uint64_t count(Counter counter) const { return stats->counters.get(counter); }

  struct Kept {
    cache::EntryImage image;
    miss::Reply reply;
  };

  std::unique_ptr<stats::Block> writer_counters = std::make_unique<stats::Block>();
  std::unique_ptr<stats::ThreadStats> stats = std::make_unique<stats::ThreadStats>();
  cache::Clock clock;
  std::unique_ptr<cache::Cache> cache;
  worker::Policy policy;
  worker::PolicySlot policy_slot;
  Options options;
  std::unique_ptr<OptionsSlot> options_slot;
  ClientLimits limits{1000};
  std::deque<Kept> replies;
  sync::Roll roll;
  sync::Doorbell& bell = roll.add();  // the miss thread's
  std::unique_ptr<miss::Channel> channel;
  std::unique_ptr<Thread> thread;
  std::uint16_t tcp_port = 0;
  std::uint16_t udp_port = 0;
};

inline std::uint16_t id_of(const Octets& message) {
  return message.size() < 2 ? 0 : dns::load_be16(message.data());
}
inline unsigned rcode_of(const Octets& message) {
  return message.size() < 4 ? 99 : std::to_integer<unsigned>(message[3]) & 0x0fU;
}

}  // namespace swarmdns::stream::test
