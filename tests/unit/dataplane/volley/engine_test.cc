// The loop against a simulated wire, server and clock: nothing here depends on the machine's time.
#include "dataplane/volley/engine.h"

#include <gtest/gtest.h>

#include <deque>
#include <functional>

#include "tests/unit/dataplane/volley/support.h"

namespace swarmdns::volley {
namespace {

using support::list_of;
using support::sources_of;
using test::Octets;

constexpr std::uint64_t kSecond = 1'000'000'000;  // the simulated clock counts nanoseconds

// Each look at the clock takes some time. Frames sent are handed to `server`, which queues replies.
class SimulatedWire : public Wire {
 public:
  std::uint64_t now() noexcept override { return time_ += step; }
  std::size_t receive(std::span<Received, kMaxBurst> out) noexcept override {
    held_.clear();
    while (!arriving_.empty() && arriving_.front().first <= time_ && held_.size() < kMaxBurst) {
      held_.push_back(std::move(arriving_.front().second));
      arriving_.pop_front();
    }
    for (std::size_t i = 0; i < held_.size(); ++i) out[i] = {held_[i], false};
    return held_.size();
  }
  std::size_t reserve(std::size_t count, std::span<std::byte*, kMaxBurst> out) noexcept override {
    EXPECT_EQ(unsent(), 0U);
    for (std::size_t i = 0; i < count; ++i) out[i] = buffers_[i].data();
    return count;
  }
  void commit(std::span<const std::uint16_t> lengths) noexcept override {
    lengths_.assign(lengths.begin(), lengths.end());
    sent_ = 0;
  }
  std::size_t send() noexcept override {
    std::size_t count = 0;
    for (; sent_ < lengths_.size() && count < room; ++sent_, ++count)
      deliver(buffers_[sent_].data(), lengths_[sent_]);
    return count;
  }
  [[nodiscard]] std::size_t unsent() const noexcept override { return lengths_.size() - sent_; }
  void discard() noexcept override { lengths_.clear(), sent_ = 0; }
  void send_one(std::span<const std::byte> frame) noexcept override { neighbour(frame); }

  [[nodiscard]] std::uint64_t time() const { return time_; }
  void arrive(std::uint64_t at, Octets frame) { arriving_.emplace_back(at, std::move(frame)); }

  std::uint64_t step = 100;  // ns
  std::size_t room = 64;     // frames the port takes at a time
  std::function<void(const support::Sent&, bool v6)> server;
  std::function<void(std::span<const std::byte>)> neighbour = [](auto) {};
  std::vector<support::Sent> sent;

 private:
  void deliver(const std::byte* frame, std::size_t length) {
    const bool v6 = frame[12] == std::byte{0x86};
    auto taken = support::take_apart({frame, length}, v6);
    ASSERT_EQ(taken.fault, "");
    if (server) server(taken, v6);
    sent.push_back(std::move(taken));
  }

  std::uint64_t time_ = 0;
  std::deque<std::pair<std::uint64_t, Octets>> arriving_;
  std::vector<Octets> held_;
  std::array<std::array<std::byte, 512>, kMaxBurst> buffers_{};
  std::vector<std::uint16_t> lengths_;
  std::size_t sent_ = 0;
};

Octets reply_frame(const support::Sent& query, bool v6, unsigned flags = 0x8180) {
  test::FrameBuilder frame;
  frame.destination_mac = test::kClientMac;
  frame.source_mac = test::kServerMac;
  frame.source = v6 ? "fd53:1::1" : "10.53.1.1";
  frame.destination = query.source;
  frame.source_port = 53;
  frame.destination_port = query.source_port;
  frame.payload = query.message;
  frame.payload[2] = static_cast<std::byte>(flags >> 8);
  frame.payload[3] = static_cast<std::byte>(flags & 0xff);
  return frame.build();
}

class VolleyLoopTest : public ::testing::Test {
 protected:
  VolleyLoopTest() {
    options_.hz = kSecond;
    options_.timeout = kSecond / 10;
    options_.resolve_timeout = kSecond;
    options_.edns = 0;
    answer_after(1000);
  }
  void answer_after(std::uint64_t delay) {
    wire_.server = [this, delay](const support::Sent& query, bool v6) {
      wire_.arrive(wire_.time() + delay, reply_frame(query, v6));
    };
  }
  void run(bool known_macs = true) {
    frames_.emplace(support::frame_options(), list_, sources_);
    neighbours_.emplace(Neighbours::Options{.own_mac = support::kOwnMac,
                                            .next_hop_v4 = net::Address::parse("10.53.1.1"),
                                            .next_hop_v6 = net::Address::parse("fd53:1::1")},
                        sources_);
    if (known_macs) {
      for (const bool v6 : {false, true}) neighbours_->set(v6, support::kServerMac);
    }
    check_.emplace(ReplyRules{}, list_, *frames_, expectations_);
    engine_ = std::make_unique<Engine>(
        options_, Engine::Parts{.wire = wire_,
                                .distribution = distribution_,
                                .questions = list_,
                                .sources = sources_,
                                .expectations = expectations_,
                                .frames = *frames_,
                                .neighbours = *neighbours_,
                                .outstanding = outstanding_,
                                .check = *check_,
                                .rules = {.own_mac = support::kOwnMac,
                                          .target_v4 = net::Address::parse("10.53.1.1"),
                                          .target_v6 = net::Address::parse("fd53:1::1")}});
    engine_->run();
    totals_ = engine_->totals(true);
    latency_.add(engine_->latency(true));
  }
  [[nodiscard]] std::uint64_t count(Count what) const { return totals_[what]; }

  EngineOptions options_;
  SimulatedWire wire_;
  QueryList list_ = list_of("a.example. A\nbb.example. AAAA\n");
  Sources sources_ = sources_of({"10.53.1.64/26", "fd53:1:1::/64"});
  Distribution distribution_{Order::List, 2, 0, 1};
  Expectations expectations_;
  Outstanding outstanding_{50000, 1, 1};
  std::optional<QueryFrames> frames_;
  std::optional<Neighbours> neighbours_;
  std::optional<ReplyCheck> check_;
  std::unique_ptr<Engine> engine_;
  Totals totals_;
  stats::HistogramSnapshot latency_;
};

TEST_F(VolleyLoopTest, SendsByItsScheduleAndTakesEveryReply) {
  options_.rate = 10000;
  options_.duration = kSecond / 10;
  options_.v6 = 0.5;
  run();
  EXPECT_EQ(engine_->phase(), Phase::Done);
  EXPECT_EQ(count(Count::Sent), 1000U);
  EXPECT_EQ(count(Count::Received), 1000U);
  EXPECT_EQ(totals_.rcodes[0], 1000U);
  EXPECT_EQ(count(Count::Lost), 0U);
  EXPECT_EQ(totals_.wrong(), 0U);
  EXPECT_EQ(engine_->not_sent(), 0U);
  EXPECT_NEAR(engine_->measured_seconds(), 0.1, 0.0001);
  EXPECT_LE(latency_.percentile_ns(0.999), 3000U);
  EXPECT_GT(engine_->idle_share(), 0.95);
  int v6 = 0;
  for (const auto& sent : wire_.sent) v6 += sent.source.find(':') != std::string::npos;
  EXPECT_NEAR(v6, 500, 80);
}

TEST_F(VolleyLoopTest, WarmUpDoesNotCount) {
  options_.rate = 10000;
  options_.warmup = kSecond / 20;
  options_.count = 200;
  run();
  EXPECT_EQ(count(Count::Sent), 200U);
  EXPECT_EQ(count(Count::Received), 200U);
  EXPECT_EQ(engine_->totals(false)[Count::Sent], 500U);
  EXPECT_EQ(engine_->totals(false)[Count::Received], 500U);
  EXPECT_EQ(latency_.count, 200U);
}

// Coordinated omission: a server that stands still for 50 ms of 100 is charged for all queries of that time.
TEST_F(VolleyLoopTest, AStallIsChargedToEveryQueryDueInIt) {
  options_.rate = 10000;
  options_.duration = kSecond / 10;
  std::uint64_t begin = 0;
  wire_.server = [&](const support::Sent& query, bool v6) {
    if (begin == 0) begin = wire_.time();
    wire_.arrive(std::max(wire_.time() + 1000, begin + kSecond / 20), reply_frame(query, v6));
  };
  run();
  EXPECT_EQ(count(Count::Received), 1000U);
  EXPECT_NEAR(static_cast<double>(latency_.percentile_ns(0.75)), 25e6, 2e6);
  EXPECT_NEAR(static_cast<double>(engine_->latency_max_ns()), 50e6, 1e6);
}

// The same when it is the port that stands still: latency counts from the time a query was due.
TEST_F(VolleyLoopTest, AFullPortIsChargedFromTheScheduledTime) {
  options_.rate = 10000;
  options_.duration = kSecond / 10;
  wire_.room = 0;
  bool opened = false;
  std::function<void()> open = [&] { wire_.room = 64, opened = true; };
  wire_.neighbour = [](auto) {};
  // The port opens when a stray frame arrives after 50 ms.
  Octets stray = test::hex("ffffffffffff 020000000053 0806 0001 0800 06 04 0001 020000000053 0a350101");
  test::put(stray, test::hex("000000000000"));
  test::put(stray, test::address("10.53.1.66"));
  wire_.arrive(kSecond / 20, stray);
  wire_.neighbour = [&](auto) { open(); };
  run();
  EXPECT_TRUE(opened);
  EXPECT_EQ(count(Count::Sent), 1000U);
  EXPECT_EQ(count(Count::Received), 1000U);
  EXPECT_NEAR(static_cast<double>(engine_->latency_max_ns()), 50e6, 1e6);
  stats::HistogramSnapshot lag;
  lag.add(engine_->lag());
  EXPECT_EQ(lag.count, 1000U);
  EXPECT_GT(lag.percentile_ns(0.75), 20'000'000U);
}

TEST_F(VolleyLoopTest, ATooSlowPortLeavesAShortfall) {
  wire_.step = 10'000;  // one query a turn of some 30 us
  options_.burst = 1;
  options_.rate = 1'000'000;
  options_.duration = kSecond / 10;
  run();
  EXPECT_LT(count(Count::Sent), 11'000U);
  EXPECT_GT(count(Count::Sent), 2'000U);
  EXPECT_EQ(count(Count::Sent) + engine_->not_sent(), 100'000U);
}

TEST_F(VolleyLoopTest, LostAndLateReplies) {
  options_.rate = 10000;
  int asked = 0;
  wire_.server = [&](const support::Sent& query, bool v6) {
    ++asked;
    if (asked == 50) wire_.arrive(wire_.time() + kSecond * 15 / 100, reply_frame(query, v6));
  };
  // The run goes on beyond that: 200 ms of sending.
  options_.count = 2000;
  run();
  EXPECT_EQ(count(Count::Sent), 2000U);
  EXPECT_EQ(count(Count::Received), 0U);
  EXPECT_EQ(count(Count::Lost), 2000U);
  EXPECT_EQ(count(Count::Late), 1U);
  EXPECT_EQ(totals_.wrong(), 0U);
}

TEST_F(VolleyLoopTest, CountsWrongRepliesByKind) {
  options_.rate = 10000;
  options_.count = 100;
  int asked = 0;
  wire_.server = [&](const support::Sent& query, bool v6) {
    const auto at = wire_.time() + 1000;
    switch (asked++) {
      case 0:
        wire_.arrive(at, reply_frame(query, v6, 0x0100));  // QR missing
        break;
      case 1: {
        auto other = query;
        other.message[13] ^= std::byte{0x20};  // a letter's case
        wire_.arrive(at, reply_frame(other, v6));
        break;
      }
      case 2: {
        auto other = query;
        other.message[0] ^= std::byte{0x55};  // the ID of none
        wire_.arrive(at, reply_frame(other, v6));
        break;
      }
      case 3:
        wire_.arrive(at, reply_frame(query, v6));
        wire_.arrive(at, reply_frame(query, v6));
        break;
      case 4:
        wire_.arrive(at, reply_frame(query, v6, 0x8182));  // SERVFAIL
        break;
      case 5: {
        auto frame = reply_frame(query, v6);
        frame.back() ^= std::byte{1};
        wire_.arrive(at, frame);
        break;
      }
      case 6: {
        auto other = query;
        other.source = "10.53.1.120";  // another client's address
        wire_.arrive(at, reply_frame(other, v6));
        break;
      }
      case 7: {
        auto other = query;
        other.message.resize(11);
        wire_.arrive(at, reply_frame(other, v6));
        break;
      }
      case 8:
        wire_.arrive(at, reply_frame(query, v6, 0x8380));  // TC
        break;
      default:
        wire_.arrive(at, reply_frame(query, v6));
    }
  };
  run();
  EXPECT_EQ(count(Count::NotReply), 1U);
  EXPECT_EQ(count(Count::WrongQuestion), 1U);
  EXPECT_EQ(count(Count::WrongId), 2U);
  EXPECT_EQ(count(Count::Duplicate), 1U);
  EXPECT_EQ(count(Count::WrongRcode), 1U);
  EXPECT_EQ(count(Count::BadChecksum), 1U);
  EXPECT_EQ(count(Count::Malformed), 1U);
  EXPECT_EQ(count(Count::Truncated), 1U);
  EXPECT_EQ(count(Count::Received), 94U);  // all but 0, 1, 2, 5, 6, 7
  EXPECT_EQ(count(Count::Lost), 6U);
  EXPECT_EQ(totals_.rcodes[2], 1U);
  EXPECT_EQ(totals_.wrong(), 8U);
}

TEST_F(VolleyLoopTest, FlatOutKeepsToItsWindow) {
  options_.window = 10;
  options_.count = 5000;
  std::size_t open = 0;
  std::size_t most = 0;
  wire_.server = [&](const support::Sent& query, bool v6) {
    wire_.arrive(wire_.time() + 10000, reply_frame(query, v6));
    open = wire_.sent.size() + 1 - engine_->totals(true)[Count::Received];
    most = std::max(most, open);
  };
  run();
  EXPECT_EQ(count(Count::Sent), 5000U);
  EXPECT_EQ(count(Count::Received), 5000U);
  EXPECT_EQ(most, 10U);
  EXPECT_GT(engine_->idle_share(), 0.5);  // it is the server that is slow
}

TEST_F(VolleyLoopTest, AFloodGivesUpTheOldest) {
  options_.window = 0;
  options_.count = 70000;           // more than there are IDs
  options_.timeout = kSecond / 10;  // longer than the flood
  wire_.server = [](const support::Sent&, bool) {};
  run();
  EXPECT_EQ(count(Count::Sent), 70000U);
  EXPECT_EQ(count(Count::Lost), 70000U);
  EXPECT_EQ(count(Count::GivenUp), 70000U - 65536);
  EXPECT_LT(engine_->idle_share(), 0.01);
}

TEST_F(VolleyLoopTest, SharesOfOptionsAreKept) {
  options_.edns = 0.7;
  options_.dnssec_ok = 0.3;
  options_.cookies = 0.1;
  options_.window = 100;
  options_.count = 20000;
  wire_.server = [&](const support::Sent& query, bool v6) {
    auto answer = query;  // without OPT
    answer.message.resize(12 + list_.question(query.message[13] == std::byte{'a'} ? 0 : 1).size());
    answer.message[11] = std::byte{0};
    wire_.arrive(wire_.time() + 100, reply_frame(answer, v6));
  };
  run();
  EXPECT_EQ(count(Count::Received), 20000U);
  int edns = 0;
  int dnssec_ok = 0;
  int cookies = 0;
  for (const auto& sent : wire_.sent) {
    if (sent.message[11] == std::byte{0}) continue;
    ++edns;
    const std::size_t opt = 12 + list_.question(sent.message[13] == std::byte{'a'} ? 0 : 1).size();
    dnssec_ok += sent.message[opt + 7] == std::byte{0x80};
    cookies += sent.message.size() > opt + 11;
  }
  EXPECT_NEAR(edns, 14000, 250);
  EXPECT_NEAR(dnssec_ok, 6000, 250);
  EXPECT_NEAR(cookies, 2000, 200);
}

TEST_F(VolleyLoopTest, ResolvesTheServerFirst) {
  options_.rate = 1000;
  options_.count = 10;
  int asked = 0;
  wire_.neighbour = [&](std::span<const std::byte> frame) {
    ++asked;
    const bool arp = frame[12] == std::byte{0x08};
    if (!arp || asked < 4) return;
    Octets answer = test::hex("0200000000c1 020000000053 0806 0001 0800 06 04 0002 020000000053 0a350101");
    test::put(answer, frame.subspan(22, 10));
    wire_.arrive(wire_.time() + 1000, answer);
    neighbours_->set(true, support::kServerMac);  // the other family by word of mouth
  };
  run(false);
  EXPECT_EQ(engine_->phase(), Phase::Done);
  EXPECT_GE(asked, 4);
  EXPECT_EQ(count(Count::Received), 10U);
}

TEST_F(VolleyLoopTest, EndsWhenNobodyAnswersForTheServer) {
  options_.rate = 1000;
  options_.count = 10;
  run(false);
  EXPECT_EQ(engine_->phase(), Phase::Unresolved);
  EXPECT_EQ(wire_.sent.size(), 0U);
}

TEST_F(VolleyLoopTest, StopsWhenTold) {
  options_.rate = 1000;
  wire_.server = [&](const support::Sent& query, bool v6) {
    if (wire_.sent.size() == 99) engine_->stop();
    if (wire_.sent.size() % 2 == 0) wire_.arrive(wire_.time() + 1000, reply_frame(query, v6));
  };
  run();
  EXPECT_EQ(engine_->phase(), Phase::Done);
  EXPECT_EQ(count(Count::Sent), 100U);
  EXPECT_EQ(count(Count::Received), 50U);
  EXPECT_EQ(count(Count::Lost), 50U);  // waited for
  EXPECT_NEAR(engine_->measured_seconds(), 0.099, 0.0005);
}

}  // namespace
}  // namespace swarmdns::volley
