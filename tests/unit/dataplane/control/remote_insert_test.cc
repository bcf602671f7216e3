// Entries of other nodes, as the swarm hands them in.
#include <gmock/gmock.h>

#include <map>

#include "tests/unit/dataplane/control/service_fixture.h"

namespace swarmdns::control {
namespace {

using testing::HasSubstr;
using testing::Pair;
using testing::UnorderedElementsAre;

class RemoteInsertTest : public ServiceTest {
 protected:
  static v1::CacheEntry of(std::uint32_t node, std::uint64_t number, v1::CacheEntry entry) {
    entry.mutable_origin()->set_node(node);
    entry.mutable_origin()->set_sequence(number);
    return entry;
  }
  v1::InsertResponse send(const v1::InsertRequest& request) {
    v1::InsertResponse response;
    grpc::ClientContext context;
    const grpc::Status status = stub_->Insert(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  static std::map<v1::InsertReason, std::uint64_t> reasons(const v1::InsertResponse& response) {
    std::map<v1::InsertReason, std::uint64_t> counts;
    for (const auto& refusal : response.refusals()) counts[refusal.reason()] = refusal.count();
    return counts;
  }
  std::uint64_t count(stats::Counter counter) {
    writer_->drain();  // what other threads counted is moved at the writer's next round
    writer_->drain();
    return counters_.get(counter);
  }
};

TEST_F(RemoteInsertTest, EveryReasonIsCounted) {
  insert({a_entry("own.example", 300), of(8, 1, a_entry("long.example", 900))});
  v1::CacheEntry validated = of(7, 1, a_entry("ad.example"));
  validated.set_authenticated(true);
  v1::CacheEntry failure = of(7, 2, a_entry("f.example"));
  failure.set_rcode(2);
  v1::CacheEntry view = of(7, 3, a_entry("v.example"));
  view.mutable_key()->set_view(1);
  v1::CacheEntry broken = of(7, 4, a_entry("b.example"));
  broken.set_answers(7);
  v1::CacheEntry expired = of(7, 5, a_entry("e.example"));
  expired.set_remaining_ms(-1'000'000'000);
  const auto response =
      insert({validated, failure, view, broken, expired, of(7, 6, a_entry("own.example", 900)),
              of(7, 7, a_entry("long.example", 900)), of(7, 0, a_entry("n.example"))});
  EXPECT_EQ(response.accepted(), 1U);
  EXPECT_THAT(reasons(response),
              UnorderedElementsAre(Pair(v1::INSERT_FAILURE, 1), Pair(v1::INSERT_VIEW, 1),
                                   Pair(v1::INSERT_MALFORMED, 2), Pair(v1::INSERT_EXPIRED, 1),
                                   Pair(v1::INSERT_KEPT_LOCAL, 1), Pair(v1::INSERT_NOT_LATER, 1)));
  EXPECT_FALSE(lookup("ad.example")[0].authenticated());
  EXPECT_EQ(lookup("own.example")[0].origin().node(), 0U);
  EXPECT_EQ(lookup("long.example")[0].origin().node(), 8U);
  EXPECT_EQ(cache_->journal().next(), 2U) << "own.example alone is news";
  EXPECT_EQ(count(stats::Counter::CacheRemoteAccepted), 2U);
  EXPECT_EQ(count(stats::Counter::CacheRemoteKept), 2U);
  EXPECT_EQ(count(stats::Counter::CacheRemoteRefused), 5U);
}

TEST_F(RemoteInsertTest, TextsAreFewHoweverManyAreRefused) {
  v1::InsertRequest request;
  for (std::uint64_t i = 1; i <= 1000; ++i) {
    v1::CacheEntry entry = of(7, i, a_entry("n" + std::to_string(i) + ".example"));
    if (i % 2 == 0) entry.set_rcode(2);
    if (i % 2 == 1) entry.set_remaining_ms(-1'000'000'000);
    *request.add_entries() = entry;
  }
  const auto response = send(request);
  EXPECT_EQ(response.accepted(), 0U);
  EXPECT_EQ(static_cast<std::uint64_t>(response.refused_size()), 2 * InsertTally::kNamed);
  EXPECT_THAT(response.refused(0), HasSubstr("entry 0: expired"));
  EXPECT_THAT(response.refused(1), HasSubstr("entry 1: rcode"));
  EXPECT_THAT(reasons(response),
              UnorderedElementsAre(Pair(v1::INSERT_FAILURE, 500), Pair(v1::INSERT_EXPIRED, 500)));
}

TEST_F(RemoteInsertTest, TransitIsTakenOffWhatIsLeft) {
  v1::InsertRequest request;
  *request.add_entries() = of(7, 1, a_entry("a.example", 300));
  request.set_transit_ms(40'000);
  EXPECT_EQ(send(request).accepted(), 1U);
  const auto found = lookup("a.example");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_LE(found[0].remaining_ms(), 260'000);
  EXPECT_GT(found[0].remaining_ms(), 200'000);
  EXPECT_GE(found[0].age_s(), 40U);
}

TEST_F(RemoteInsertTest, WhatWasSentBeforeAFlushIsOutdated) {
  v1::InsertRequest request;
  *request.add_entries() = of(7, 1, a_entry("a.example"));
  *request.add_entries() = of(7, 2, a_entry("b.example"));
  request.set_epoch(cache_->epoch());
  flush_all();
  EXPECT_THAT(reasons(send(request)), UnorderedElementsAre(Pair(v1::INSERT_OUTDATED, 2)));
  request.set_epoch(cache_->epoch());
  EXPECT_EQ(send(request).accepted(), 2U);
  request.set_epoch(65536);
  v1::InsertResponse response;
  grpc::ClientContext context;
  EXPECT_EQ(stub_->Insert(&context, request, &response).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(RemoteInsertTest, ALoadedDumpKeepsToTheSameRules) {
  insert({a_entry("own.example", 300)});
  v1::CacheEntry validated = of(7, 1, a_entry("ad.example"));
  validated.set_authenticated(true);
  v1::LoadResponse response;
  ASSERT_TRUE(load(make_dump({validated, of(7, 2, a_entry("own.example", 900))}, 0), response).ok());
  EXPECT_EQ(response.loaded(), 2U);
  EXPECT_FALSE(lookup("ad.example")[0].authenticated());
  EXPECT_EQ(lookup("own.example")[0].origin().node(), 0U);
}

}  // namespace
}  // namespace swarmdns::control
