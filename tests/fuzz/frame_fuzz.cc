// A frame, any octets, through the worker's own pipeline over a small cache. The first octet says how the
// node is set up and whether the checksums are put right first, so that the fuzzer gets past them. Whatever
// comes back must be a right reply to the frame that came in; whatever does not is counted under exactly one
// name.

#include <algorithm>
#include <memory>
#include <vector>

#include "dataplane/cache/cache.h"
#include "dataplane/cache/reader.h"
#include "dataplane/worker/miss_reply.h"
#include "dataplane/worker/stages.h"
#include "tests/fuzz/fuzz.h"
#include "tests/packet/harness/entry.h"
#include "tests/packet/harness/message.h"

namespace {

using namespace swarmdns;
using test::Octets;

constexpr cache::Seconds kNow = cache::Clock::kStart + 100'000;

enum Setup : unsigned {
  kMendChecksums = 1,
  kCookies = 2,
  kRequireCookies = 4,
  kRefuse = 8,
  kNicVerified = 16,
  kSmallRoom = 32
};

class Node {
 public:
  Node() {
    policy_.service = {.udp_payload_max = 1232, .nsid = "n1", .version = "v", .identity = "i"};
    policy_.ports.push_back(std::make_shared<net::PortIdentity>(net::PortIdentity::Options{
        .mac = {2, 0, 0, 0, 0, 0x53},
        .service = {*net::Address::parse("10.53.1.1"), *net::Address::parse("fd53:1::1")},
        .local = {},
        .martians = {}}));
    allow_ = guard::Acl::build({}, guard::AclAction::Allow);
    refuse_ = guard::Acl::build({}, guard::AclAction::Refuse);
    policy_.rate_limiter = guard::RateLimiter::create({.responses_per_second = 10'000'000});
    cache::CacheOptions options;
    options.budget_bytes = std::uint64_t{4} << 20;
    options.hugepages = false;
    cache_ = cache::Cache::create(options, writer_counters_).value();
    reader_ = std::make_unique<cache::Reader>(cache_->table());
    fill();
  }

  void receive(std::vector<std::byte> frame, unsigned setup);

 private:
  void fill();
  void check_reply(const std::vector<std::byte>& query, const net::FrameInfo& info,
                   const std::vector<std::byte>& reply) const;

  worker::Policy policy_;
  std::shared_ptr<const guard::Acl> allow_;
  std::shared_ptr<const guard::Acl> refuse_;
  stats::Block writer_counters_;
  stats::Block counters_;
  std::unique_ptr<cache::Cache> cache_;
  std::unique_ptr<cache::Reader> reader_;
  std::unique_ptr<worker::Batch> batch_ = std::make_unique<worker::Batch>();
  miss::Channel misses_{4};
};

void Node::fill() {
  using test::hex;
  std::vector<test::MessageBuilder> responses;
  for (const unsigned records : {1U, 20U, 60U, 90U}) {
    const std::string name = std::string(1, static_cast<char>('a' + records % 26)) + ".example.";
    test::MessageBuilder response = test::MessageBuilder().with_flags(0x81a0).question(name, test::kA);
    for (unsigned i = 0; i < records; ++i) response.record(1, hex("c00c"), test::kA, 1, 300, hex("c0000201"));
    for (unsigned i = 0; i < records / 2; ++i)
      response.record(3, hex("c00e"), test::kA, 1, 300, hex("c0000201"));
    responses.push_back(response);
  }
  responses.push_back(test::MessageBuilder()
                          .with_flags(0x8180)
                          .question(".", test::kNs)
                          .record(1, hex("00"), test::kNs, 1, 300, hex("016100")));
  for (const test::MessageBuilder& response : responses) {
    for (std::uint8_t key = 0; key < 4; ++key) {
      const auto image = test::entry_from_response(response.build(), {.key_flags = key, .born = kNow - 10});
      FUZZ_CHECK(cache_->insert(image, std::uint64_t{kNow} * 1000) == cache::Outcome::Inserted);
    }
  }
}

// Puts the checksums of a UDP datagram right wherever the lengths let us.
void mend(std::vector<std::byte>& frame) {
  const auto u16 = [&frame](std::size_t at) { return test::get16(frame, at); };
  const auto set = [&frame](std::size_t at, unsigned value) {
    frame[at] = static_cast<std::byte>(value >> 8);
    frame[at + 1] = static_cast<std::byte>(value & 0xff);
  };
  std::size_t at = 12;
  for (int tags = 0; tags < 2 && frame.size() > at + 6 && (u16(at) == 0x8100 || u16(at) == 0x88a8); ++tags)
    at += 4;
  if (frame.size() < at + 2 + 40 + 8) return;
  const std::size_t ip = at + 2;
  const bool v6 = u16(at) == 0x86dd;
  const std::size_t udp = ip + (v6 ? 40 : 20);
  const std::size_t length = u16(udp + 4);
  if (length < 8 || udp + length > frame.size()) return;
  if (!v6) {
    set(ip + 10, 0);
    set(ip + 10, test::internet_checksum(std::span(frame).subspan(ip, 20)));
  }
  const std::size_t addresses = v6 ? ip + 8 : ip + 12;
  Octets summed(frame.begin() + static_cast<std::ptrdiff_t>(addresses),
                frame.begin() + static_cast<std::ptrdiff_t>(udp));
  test::put16(summed, 17);
  test::put16(summed, static_cast<unsigned>(length));
  set(udp + 6, 0);
  test::put(summed, std::span(frame).subspan(udp, length));
  const unsigned checksum = test::internet_checksum(summed);
  set(udp + 6, checksum == 0 ? 0xffff : checksum);
}

void Node::check_reply(const std::vector<std::byte>& query, const net::FrameInfo& info,
                       const std::vector<std::byte>& reply) const {
  // Ends exchanged.
  FUZZ_CHECK(reply.size() >= info.payload + 12U);
  FUZZ_CHECK(std::equal(reply.begin(), reply.begin() + 6, query.begin() + 6));
  FUZZ_CHECK(std::equal(reply.begin() + 6, reply.begin() + 12, query.begin()));
  FUZZ_CHECK(std::equal(reply.begin() + 12, reply.begin() + info.l3, query.begin() + 12));
  FUZZ_CHECK(test::get16(reply, info.l4) == 53);
  FUZZ_CHECK(test::get16(reply, info.l4 + 2U) == test::get16(query, info.l4));
  // The same once more through the front of the pipeline, from the client's side: lengths and checksums are
  // right.
  net::PortIdentity::Options client;
  std::transform(reply.begin(), reply.begin() + 6, client.mac.begin(),
                 [](std::byte b) { return std::to_integer<std::uint8_t>(b); });
  client.service = {info.source};
  std::vector<std::byte> seen = reply;
  std::swap(seen[info.l4], seen[info.l4 + 2U]);  // to port 53; the sum does not change
  std::swap(seen[info.l4 + 1U], seen[info.l4 + 3U]);
  net::FrameInfo back;
  FUZZ_CHECK(net::parse_frame(seen, net::PortIdentity(client), false, back) == net::Verdict::FastPath);
  FUZZ_CHECK(!back.checksum_absent);
  FUZZ_CHECK(back.payload + std::size_t{back.payload_len} == reply.size());
  // A response with the query's ID, RD and CD, and its question if any; no larger than the client takes.
  const std::span<const std::byte> asked = std::span(query).subspan(info.payload, info.payload_len);
  const std::span<const std::byte> message = std::span(reply).subspan(info.payload);
  FUZZ_CHECK(test::get16(message, 0) == test::get16(asked, 0));
  FUZZ_CHECK((test::get16(message, 2) & 0x8000) != 0);
  FUZZ_CHECK((test::get16(message, 2) & 0x7910) == (test::get16(asked, 2) & 0x7910));
  FUZZ_CHECK(message.size() <= 1232);
  const auto parsed = dns::Message::parse(message);
  FUZZ_CHECK(parsed);
  if (parsed->question()) {
    FUZZ_CHECK(parsed->question_count() == 1);
    const std::size_t end = 12 + parsed->question()->size();
    FUZZ_CHECK(asked.size() >= end &&
               std::equal(message.begin() + 12, message.begin() + static_cast<std::ptrdiff_t>(end),
                          asked.begin() + 12));
  } else {
    FUZZ_CHECK(parsed->question_count() == 0 && parsed->answers().empty());
  }
  if (!parsed->opt()) FUZZ_CHECK(message.size() <= 512);
}

void Node::receive(std::vector<std::byte> frame, unsigned setup) {
  if ((setup & kMendChecksums) != 0) mend(frame);
  policy_.acl = (setup & kRefuse) != 0 ? refuse_ : allow_;
  policy_.cookies = (setup & kCookies) != 0
                        ? std::make_shared<guard::Cookies>(std::vector{guard::CookieSecret{}},
                                                           (setup & kRequireCookies) != 0)
                        : nullptr;

  const std::size_t length = frame.size();
  // Exactly as much memory as we say, so that a sanitizer sees the first octet too many.
  const std::size_t room = std::max<std::size_t>(length, (setup & kSmallRoom) != 0 ? length : 2048);
  const auto memory = std::make_unique<std::byte[]>(room);
  std::copy(frame.begin(), frame.end(), memory.get());
  batch_->count = 1;
  batch_->frames[0] = {memory.get(), static_cast<std::uint16_t>(length), static_cast<std::uint16_t>(room),
                       (setup & kNicVerified) != 0};
  const worker::Moment moment{.now = kNow, .wall_s = 1'700'000'000, .ms = 5};
  worker::run_stages(*batch_, {.policy = policy_,
                               .identity = *policy_.ports[0],
                               .reader = *reader_,
                               .misses = misses_,
                               .counters = counters_,
                               .moment = moment,
                               .port = 0});
  const net::FrameInfo info = batch_->infos[0];
  if (batch_->fates[0] == worker::Fate::Reply) {
    const std::size_t size = batch_->reply_lengths[0];
    FUZZ_CHECK(size <= room);
    check_reply(frame, info, {memory.get(), memory.get() + size});
  }
  if (const miss::Request* request = misses_.next_request(); request != nullptr) {
    miss::Reply reply;
    reply.request = *request;
    misses_.pop_requests();
    reply.rcode = 2;
    reply.ede = 23;
    std::vector<std::byte> fresh(1500);
    dns::Query scratch;
    const worker::Frame target{fresh.data(), 0, static_cast<std::uint16_t>(fresh.size()), false};
    const std::size_t size = worker::build_miss_reply(reply, target, scratch, policy_, moment, counters_);
    FUZZ_CHECK(size != 0);
    fresh.resize(size);
    check_reply(frame, info, fresh);
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Node node;
  if (size < 1 || size > 4096) return 0;
  const auto* octets = reinterpret_cast<const std::byte*>(data);
  node.receive({octets + 1, octets + size}, data[0]);
  return 0;
}
