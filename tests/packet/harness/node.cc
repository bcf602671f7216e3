#include "tests/packet/harness/node.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace swarmdns::test {
namespace {

constexpr std::byte kUntouched{0xee};

net::Address ip(const char* text) {
  return *net::Address::parse(text);
}

}  // namespace

Node::Node() : misses_(16) {
  policy.service.nsid = "n1";
  policy.service.version = "SwarmDNS";
  policy.service.identity = "node-1";
  policy.ports.push_back(std::make_shared<net::PortIdentity>(
      net::PortIdentity::Options{.mac = {2, 0, 0, 0, 0, 0x53},
                                 .service = {ip("10.53.1.1"), ip("fd53:1::1")},
                                 .local = {},
                                 .martians = {}}));
  policy.acl = guard::Acl::build({}, guard::AclAction::Allow);
  policy.prefetch_percent = 0;
  moment = {.now = cache::Clock::kStart + 1'000'000, .wall_s = 1'700'000'000, .ms = 123'456};
  cache::CacheOptions options;
  options.budget_bytes = std::uint64_t{8} << 20;
  options.hugepages = false;
  cache_ = cache::Cache::create(options, writer_counters_).value();
  reader_ = std::make_unique<cache::Reader>(cache_->table());
  batch_ = std::make_unique<worker::Batch>();
}

Node::~Node() = default;

void Node::store(const MessageBuilder& response, std::uint8_t key_flags, cache::Seconds age) {
  const auto image =
      entry_from_response(response.build(), {.key_flags = key_flags, .born = moment.now - age});
  const auto outcome = cache_->insert(image, std::uint64_t{moment.now} * 1000);
  EXPECT_TRUE(outcome == cache::Outcome::Inserted || outcome == cache::Outcome::Replaced ||
              outcome == cache::Outcome::Refreshed);
}

Node::Result Node::receive(const Octets& frame, bool checksum_good) {
  stats::Block before;
  for (std::size_t i = 0; i < stats::kCounters; ++i) before.values[i] = counters_.values[i].load();

  Octets memory(std::max<std::size_t>(room, frame.size()), kUntouched);
  std::copy(frame.begin(), frame.end(), memory.begin());
  batch_->count = 1;
  batch_->rx_tsc = 1;
  batch_->frames[0] = {memory.data(), static_cast<std::uint16_t>(frame.size()),
                       static_cast<std::uint16_t>(memory.size()), checksum_good};
  worker::run_stages(*batch_, {.policy = policy,
                               .identity = *policy.ports[0],
                               .reader = *reader_,
                               .misses = misses_,
                               .counters = counters_,
                               .moment = moment,
                               .port = 0});

  Result result;
  result.fate = batch_->fates[0];
  if (result.fate == worker::Fate::Reply) {
    const std::size_t length = batch_->reply_lengths[0];
    EXPECT_LE(length, memory.size());
    result.reply.assign(memory.begin(), memory.begin() + static_cast<std::ptrdiff_t>(length));
    const auto behind = memory.begin() + static_cast<std::ptrdiff_t>(std::max(length, frame.size()));
    EXPECT_TRUE(std::all_of(behind, memory.end(), [](std::byte b) { return b == kUntouched; }))
        << "written behind the reply";
  }
  for (std::size_t i = 0; i < stats::kCounters; ++i) {
    const auto moved = counters_.values[i].load() - before.values[i].load();
    const auto counter = static_cast<stats::Counter>(i);
    if (moved != 0 && counter != stats::Counter::RxFrames) {
      result.counted[std::string(stats::name(counter))] = static_cast<unsigned>(moved);
    }
  }
  if (const miss::Request* request = misses_.next_request(); request != nullptr) {
    result.miss = *request;
    misses_.pop_requests();
  }
  return result;
}

FrameBuilder over_ipv4(const Octets& message) {
  FrameBuilder frame;
  frame.payload = message;
  return frame;
}

FrameBuilder over_ipv6(const Octets& message) {
  FrameBuilder frame = over_ipv4(message);
  frame.source = "2001:db8:1::77";
  frame.destination = "fd53:1::1";
  return frame;
}

void expect_reply(Node& node, const FrameBuilder& query, const Octets& message) {
  const Node::Result result = node.receive(query.build());
  ASSERT_EQ(result.fate, worker::Fate::Reply);
  const ReplyCheck check = check_reply(query, result.reply);
  EXPECT_EQ(check.fault, "");
  EXPECT_EQ(to_hex(check.message), to_hex(message));
  EXPECT_EQ(result.counted.count(std::string(stats::name(stats::Counter::Replies))), 1U);
}

void expect_answer(Node& node, const Octets& question, const Octets& message) {
  expect_reply(node, over_ipv4(question), message);
  expect_reply(node, over_ipv6(question), message);
}

void expect_drop(Node& node, const Octets& frame, stats::Counter counter) {
  const Node::Result result = node.receive(frame);
  EXPECT_EQ(result.fate, worker::Fate::Gone);
  auto counted = result.counted;
  counted.erase(std::string(stats::name(stats::Counter::Queries)));
  const std::map<std::string, unsigned> expected{{std::string(stats::name(counter)), 1U}};
  EXPECT_EQ(counted, expected);
}

}  // namespace swarmdns::test
