// An engine with a hand-moved clock, a store in memory, and an upstream of our own on loopback that answers
// what the test tells it to.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "dataplane/miss/engine.h"
#include "dataplane/miss/sockaddr.h"
#include "proto/dns/edns_write.h"
#include "proto/dns/message.h"
#include "proto/dns/name_text.h"
#include "proto/dns/writer.h"

namespace swarmdns::miss::test {

using stats::Counter;

inline dns::Name name(std::string_view text) {
  return *dns::name_from_text(text);
}

inline net::Address loopback() {
  return *net::Address::parse("127.0.0.1");
}

// Remembers what was submitted; what a test puts into `entries` is found.
class FakeStore final : public Store {
 public:
  std::uint64_t hash(const cache::Key& key) const noexcept override {
    std::uint64_t h = 1469598103934665603ULL ^ key.word();
    for (std::size_t i = 0; i < key.qname_len; ++i)
      h = (h ^ std::to_integer<std::uint64_t>(key.qname[i])) * 1099511628211ULL;
    return h;
  }
  const cache::Entry* find(const cache::Key& key) const noexcept override {
    const auto it = entries.find(text(key));
    return it == entries.end() ? nullptr : it->second.get();
  }
  cache::UpstreamId upstream_id(std::string_view name) override { return upstreams.id_of(name); }
  void submit(const cache::EntryImage& image, std::uint16_t asked_epoch,
              cache::UpstreamId upstream) override {
    submitted.push_back(image);
    submitted_from.push_back(upstreams.name_of(upstream));
    if (asked_epoch == epoch_now) entries[text(image.entry().key())] = image;
  }
  std::uint16_t epoch() const noexcept override { return epoch_now; }
  void quiescent() noexcept override {}
  void offline() noexcept override {}
  void online() noexcept override {}

  static std::string text(const cache::Key& key) {
    return std::string(reinterpret_cast<const char*>(key.qname), key.qname_len) + '/' +
           std::to_string(key.word());
  }

  std::map<std::string, cache::EntryImage> entries;
  std::vector<cache::EntryImage> submitted;
  std::vector<std::string> submitted_from;  // of each, the upstream
  cache::UpstreamNames upstreams;
  std::uint16_t epoch_now = 1;
};

struct Record {
  dns::Type type = dns::Type::A;
  std::uint32_t ttl = 300;
  std::string data = "\x01\x02\x03\x04";  // RDATA
  dns::Section section = dns::Section::Answer;
};

inline Record soa(std::uint32_t ttl, std::uint32_t minimum) {
  std::string rdata(2, '\0');  // two root names
  for (const std::uint32_t n : {1U, 2U, 3U, 4U, minimum}) {
    for (int shift = 24; shift >= 0; shift -= 8) rdata += static_cast<char>(n >> shift & 0xff);
  }
  return {dns::Type::SOA, ttl, rdata, dns::Section::Authority};
}

struct Answer {
  unsigned rcode = 0;
  std::vector<Record> records = {Record{}};
  std::optional<unsigned> ede;
  bool truncated = false;
  std::optional<std::uint16_t> id;      // instead of the query's
  std::optional<std::string> question;  // instead of the query's
  std::optional<std::uint8_t> ecs_scope;
};

inline Answer failure(unsigned rcode = 2, std::optional<unsigned> ede = {}) {
  return {rcode, {}, ede};
}

// A response to `query` (a message with one question).
inline std::vector<std::byte> make_response(std::span<const std::byte> query, const Answer& answer) {
  const auto asked = dns::Message::parse(query);
  EXPECT_TRUE(asked.has_value());
  std::vector<std::byte> out(65535);
  dns::Writer writer(out);
  writer.set_id(answer.id.value_or(asked->id()));
  dns::Flags flags;
  flags.set_qr(true).set_rd(true).set_ra(true).set_tc(answer.truncated);
  flags.set_rcode(static_cast<dns::Rcode>(answer.rcode));
  writer.set_flags(flags);
  const dns::Question question = *asked->question();
  dns::Name owner(question.name);
  if (answer.question) owner = name(*answer.question);
  EXPECT_TRUE(writer.question(owner, question.type, question.klass).has_value());
  for (const Record& record : answer.records) {
    EXPECT_TRUE(writer
                    .record(record.section, owner, record.type, dns::Class::IN, record.ttl,
                            dns::as_octets(record.data))
                    .has_value());
  }
  std::array<std::byte, 256> opt_space{};
  dns::OptWriter opt(opt_space, {});
  if (answer.ede) {
    EXPECT_TRUE(opt.extended_error(static_cast<dns::EdeCode>(*answer.ede)));
  }
  if (answer.ecs_scope) {
    dns::ClientSubnet subnet;
    subnet.family = 1;
    subnet.source_prefix = 24;
    subnet.scope_prefix = *answer.ecs_scope;
    EXPECT_TRUE(opt.client_subnet(subnet));
  }
  EXPECT_TRUE(writer.raw_record(dns::Section::Additional, opt.finish()).has_value());
  out.resize(writer.size());
  return out;
}

// One upstream on loopback: UDP and TCP on one port.
class Upstream {
 public:
  struct Query {
    std::vector<std::byte> bytes;
    sockaddr_in from{};
    int tcp = -1;  // the connection it came by
    [[nodiscard]] std::uint16_t id() const { return dns::load_be16(bytes.data()); }
    [[nodiscard]] dns::Message message() const { return *dns::Message::parse(bytes); }
  };

  Upstream() {
    for (int i = 0; i < 50; ++i) {
      udp_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      tcp_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      SocketAddress any = to_socket_address(loopback(), 0);
      EXPECT_EQ(::bind(udp_, any.get(), any.size), 0);
      SocketAddress own;
      own.size = sizeof own.storage;
      ::getsockname(udp_, own.get(), &own.size);
      port_ = from_socket_address(own.get()).port;
      if (::bind(tcp_, own.get(), own.size) == 0 && ::listen(tcp_, 16) == 0) return;
      ::close(udp_);
      ::close(tcp_);
    }
    ADD_FAILURE() << "no port free for both UDP and TCP";
  }
  ~Upstream() {
    close_udp();
    for (const int c : connections_) ::close(c);
    if (tcp_ >= 0) ::close(tcp_);
  }

  [[nodiscard]] Server server() const { return {loopback(), port_}; }
  void close_udp() {
    if (udp_ >= 0) ::close(udp_);
    udp_ = -1;
  }
  void open_udp() {
    udp_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const SocketAddress own = to_socket_address(loopback(), port_);
    ASSERT_EQ(::bind(udp_, own.get(), own.size), 0);
  }

  // Everything that has arrived by UDP.
  std::vector<Query> take() {
    std::vector<Query> out;
    for (;;) {
      Query q;
      q.bytes.resize(4096);
      socklen_t size = sizeof q.from;
      const ssize_t n =
          ::recvfrom(udp_, q.bytes.data(), q.bytes.size(), 0, reinterpret_cast<sockaddr*>(&q.from), &size);
      if (n < 0) return out;
      q.bytes.resize(static_cast<std::size_t>(n));
      out.push_back(std::move(q));
    }
  }
  // By TCP.
  std::vector<Query> take_tcp() {
    for (;;) {
      const int c = ::accept4(tcp_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (c < 0) break;
      connections_.push_back(c);
    }
    std::vector<Query> out;
    for (const int c : connections_) {
      std::byte chunk[4096];
      ssize_t n = 0;
      while ((n = ::recv(c, chunk, sizeof chunk, 0)) > 0) input_[c].insert(input_[c].end(), chunk, chunk + n);
      auto& in = input_[c];
      while (in.size() >= 2 && in.size() >= 2U + dns::load_be16(in.data())) {
        const std::size_t length = dns::load_be16(in.data());
        Query q;
        q.tcp = c;
        q.bytes.assign(in.begin() + 2, in.begin() + 2 + static_cast<std::ptrdiff_t>(length));
        in.erase(in.begin(), in.begin() + 2 + static_cast<std::ptrdiff_t>(length));
        out.push_back(std::move(q));
      }
    }
    return out;
  }
  [[nodiscard]] std::size_t connections() const { return connections_.size(); }
  void close_connections() {
    for (const int c : connections_) ::close(c);
    connections_.clear();
    input_.clear();
  }

  void send(const Query& to, std::span<const std::byte> bytes) {
    if (to.tcp >= 0) {
      std::byte length[2];
      dns::store_be16(length, static_cast<std::uint16_t>(bytes.size()));
      EXPECT_EQ(::send(to.tcp, length, 2, MSG_NOSIGNAL), 2);
      EXPECT_EQ(::send(to.tcp, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
      return;
    }
    EXPECT_EQ(::sendto(udp_, bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&to.from),
                       sizeof to.from),
              static_cast<ssize_t>(bytes.size()));
  }
  void answer(const Query& query, const Answer& answer = {}) {
    send(query, make_response(query.bytes, answer));
  }

 private:
  int udp_ = -1;
  int tcp_ = -1;
  std::uint16_t port_ = 0;
  std::vector<int> connections_;
  std::map<int, std::vector<std::byte>> input_;
};

struct Ask {
  std::string qname = "www.example.com";
  std::uint16_t qtype = 1;
  std::string client = "192.0.2.1";
  Kind kind = Kind::Miss;
  std::uint16_t id = 7;
  bool dnssec_ok = false;
  bool checking_disabled = false;
  dns::Transport transport = dns::Transport::Udp;
};

class EngineTest : public ::testing::Test {
 protected:
  static constexpr std::uint64_t kStart = (std::uint64_t{1} << 20) * 1'000'000;

  EngineTest() {
    options.servers = {upstream.server()};
    options.case_randomisation = false;
  }
  void make(std::size_t depth = 256) {
    slot = std::make_unique<OptionsSlot>(std::make_shared<const Options>(options));
    channel = std::make_unique<Channel>(depth);
    engine = std::make_unique<Engine>(limits, *slot, store, *counters);
    engine->attach(*channel);
    engine->poll_once(now_us);
  }
  void set_options() { slot->set(std::make_shared<const Options>(options)); }

  void ask(const Ask& ask) {
    Request* request = channel->claim();
    ASSERT_NE(request, nullptr);
    *request = Request{};
    request->kind = ask.kind;
    request->transport = ask.transport;
    request->id = ask.id;
    request->flags = static_cast<std::uint16_t>(0x0100 | (ask.checking_disabled ? 0x0010 : 0));
    request->qtype = ask.qtype;
    const dns::Name qname = name(ask.qname);
    request->qname_len = static_cast<std::uint8_t>(qname.size());
    std::memcpy(request->qname.data(), qname.wire().data(), qname.size());
    request->edns.dnssec_ok = ask.dnssec_ok;
    request->source = *net::Address::parse(ask.client);
    channel->publish();
  }
  void poll(int rounds = 3) {
    for (int i = 0; i < rounds; ++i) engine->poll_once(now_us);
  }
  void advance_ms(std::uint64_t ms, std::uint64_t step_ms = 0) {
    poll(1);  // what was asked is asked now, not later
    const std::uint64_t end = now_us + ms * 1000;
    while (step_ms > 0 && now_us + step_ms * 1000 < end) {
      now_us += step_ms * 1000;
      engine->poll_once(now_us);
    }
    now_us = end + 1100;  // timers tick about every millisecond
    poll();
    now_us = end + 2200;
    poll();
  }
  // Replies that have come; they stay out until give_back().
  std::vector<const Reply*> replies() {
    std::array<const Reply*, 256> out;
    const std::size_t n = channel->take(out);
    std::vector<const Reply*> got(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(n));
    held.insert(held.end(), got.begin(), got.end());
    return got;
  }
  void give_back() {
    for (const Reply* reply : held) channel->give_back(reply);
    held.clear();
    poll(1);
  }
  // Waits for TCP, which is not as immediate as UDP on loopback.
  template <class Done>
  bool eventually(Done done) {
    for (int i = 0; i < 2000; ++i) {
      poll(1);
      if (done()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return false;
  }
  [[nodiscard]] std::uint64_t count(Counter counter) const { return counters->get(counter); }
  [[nodiscard]] cache::Seconds seconds() const { return static_cast<cache::Seconds>(now_us / 1'000'000); }

  // Puts an entry into the store as if it had been cached: an A record, its life given relative to now.
  void put_entry(const std::string& qname, std::int64_t born, std::int64_t expires, std::uint8_t flags = 0,
                 std::uint8_t rcode = 0) {
    const dns::Name folded = name(qname).folded();
    cache::EntryContent content;
    content.key = {folded.wire().data(), static_cast<std::uint8_t>(folded.size()), 0, 0, 1};
    content.flags = flags;
    content.rcode = rcode;
    content.born = static_cast<cache::Seconds>(seconds() + born);
    content.expires = static_cast<cache::Seconds>(seconds() + expires);
    auto image = cache::EntryImage::build(content);
    ASSERT_TRUE(image.has_value()) << cache::to_text(image.error());
    store.entries[FakeStore::text(content.key)] = *image;
  }

  Upstream upstream;
  FakeStore store;
  Options options;
  Limits limits;
  std::unique_ptr<stats::Block> counters = std::make_unique<stats::Block>();
  std::unique_ptr<OptionsSlot> slot;
  std::unique_ptr<Channel> channel;
  std::unique_ptr<Engine> engine;
  std::uint64_t now_us = kStart;
  std::vector<const Reply*> held;
};

}  // namespace swarmdns::miss::test
