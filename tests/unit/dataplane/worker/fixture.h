// A cache with a few answers, a policy, a miss channel and a batch: what the stages work on, without a port.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "dataplane/cache/cache.h"
#include "dataplane/cache/reader.h"
#include "dataplane/worker/stages.h"
#include "tests/packet/harness/frame.h"
#include "tests/packet/harness/message.h"

namespace swarmdns::worker {

class PipelineTest : public testing::Test {
 protected:
  static constexpr std::size_t kRoom = 2048;

  PipelineTest() {
    policy_.acl = guard::Acl::build({}, guard::AclAction::Allow);
    policy_.ports.push_back(std::make_shared<net::PortIdentity>(net::PortIdentity::Options{
        .mac = {2, 0, 0, 0, 0, 0x53},
        .service = {*net::Address::parse("10.53.1.1"), *net::Address::parse("fd53:1::1")},
        .local = {},
        .martians = {}}));
    cache::CacheOptions options;
    options.budget_bytes = 8U << 20;
    options.hugepages = false;
    cache_ = cache::Cache::create(options, writer_counters_).value();
    reader_ = std::make_unique<cache::Reader>(cache_->table());
    batch_ = std::make_unique<Batch>();
  }

  // An A record for `name`, born now less `age` with `ttl` seconds to live.
  const cache::Entry* insert(std::string_view name, cache::Seconds ttl = 300, cache::Seconds age = 0,
                             std::uint8_t flags = 0, std::uint8_t rcode = 0) {
    const test::Octets qname = test::wire_name(name);
    const test::Octets record = test::hex("c00c 0001 0001 0000012c 0004 c0000201");
    cache::EntryContent content;
    content.key = {.qname = qname.data(),
                   .qname_len = static_cast<std::uint8_t>(qname.size()),
                   .flags = 0,
                   .view = 0,
                   .qtype = test::kA};
    content.rcode = rcode;
    content.flags = flags;
    content.answers = rcode == 0 ? 1 : 0;
    content.born = kNow - age;
    content.expires = kNow - age + ttl;
    if (rcode == 0) content.sections = record;
    auto image = cache::EntryImage::build(content);
    EXPECT_TRUE(image);
    EXPECT_EQ(cache_->insert(*image, std::uint64_t{kNow} * 1000), cache::Outcome::Inserted);
    return reader_->peek(content.key);
  }

  static test::FrameBuilder ask(std::string_view name, unsigned flags = 0x0100) {
    test::FrameBuilder frame;
    frame.payload = test::MessageBuilder().with_flags(flags).question(name, test::kA).build();
    return frame;
  }

  void run(const std::vector<test::FrameBuilder>& frames) {
    memory_.clear();
    batch_->count = frames.size();
    batch_->rx_tsc = 12345;
    for (std::size_t i = 0; i < frames.size(); ++i) {
      memory_.push_back(frames[i].build());
      const std::size_t length = memory_.back().size();
      memory_.back().resize(kRoom);
      batch_->frames[i] = {memory_.back().data(), static_cast<std::uint16_t>(length), kRoom, false};
    }
    run_stages(*batch_, {.policy = policy_,
                         .identity = *policy_.ports[0],
                         .reader = *reader_,
                         .misses = channel_,
                         .counters = counters_,
                         .moment = {.now = now_, .wall_s = 1'700'000'000, .ms = 1000},
                         .port = 0});
  }

  // The reply's DNS message; empty, with a failure, when the frame is not a right reply.
  test::Octets reply(std::size_t i, const test::FrameBuilder& query) {
    EXPECT_EQ(batch_->fates[i], Fate::Reply);
    if (batch_->fates[i] != Fate::Reply) return {};
    const auto check = test::check_reply(query, {batch_->frames[i].data, batch_->reply_lengths[i]});
    EXPECT_EQ(check.fault, "");
    return check.message;
  }

  static constexpr cache::Seconds kNow = (1U << 20) + 100'000;
  cache::Seconds now_ = kNow;  // of the next run()
  stats::Block writer_counters_;
  stats::Block counters_;
  Policy policy_;
  std::unique_ptr<cache::Cache> cache_;
  std::unique_ptr<cache::Reader> reader_;
  miss::Channel channel_{16};
  std::unique_ptr<Batch> batch_;
  std::vector<test::Octets> memory_;
};

}  // namespace swarmdns::worker
