#include "dataplane/control/service.h"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/config/store.h"
#include "proto/rpc/unix_socket.h"
#include "tests/unit/dataplane/control/service_fixture.h"

namespace swarmdns::control {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(ServiceTest, InsertedIsFoundWithItsTimes) {
  v1::CacheEntry entry = a_entry("www.example.com", 300);
  entry.set_age_s(10);
  entry.set_remaining_ms(290'000);
  entry.set_authenticated(true);
  EXPECT_EQ(insert({entry}).accepted(), 1U);
  const auto found = lookup("www.example.com");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].sections(), entry.sections());
  EXPECT_TRUE(found[0].authenticated());
  EXPECT_GE(found[0].age_s(), 10U);
  EXPECT_LE(found[0].remaining_ms(), 290'000);
  EXPECT_GT(found[0].remaining_ms(), 200'000);
  EXPECT_TRUE(lookup("other.example.com").empty());
  EXPECT_TRUE(lookup("www.example.com", 28).empty());
}

TEST_F(ServiceTest, LookupOfAllTypesFindsEveryKeyOfTheName) {
  v1::CacheEntry secure = a_entry("a.example");
  secure.mutable_key()->set_dnssec_ok(true);
  insert({a_entry("a.example"), secure, txt_entry("a.example", 50), a_entry("b.example")});
  EXPECT_EQ(lookup("a.example", 0).size(), 3U);
  EXPECT_EQ(lookup("a.example", 1).size(), 2U);
  EXPECT_EQ(lookup("A.EXAMPLE", 16).size(), 1U);
}

TEST_F(ServiceTest, RefusedEntriesAreNamedAndTheOthersTaken) {
  v1::CacheEntry broken = a_entry("b.example");
  broken.set_answers(7);
  v1::CacheEntry expired = a_entry("c.example");
  expired.set_remaining_ms(-1'000'000'000);
  const auto response = insert({a_entry("a.example"), broken, expired, a_entry("d.example")});
  EXPECT_EQ(response.accepted(), 2U);
  ASSERT_EQ(response.refused_size(), 2);
  EXPECT_THAT(response.refused(0), testing::StartsWith("entry 1: "));
  EXPECT_THAT(response.refused(1), testing::StartsWith("entry 2: "));
  EXPECT_EQ(lookup("d.example").size(), 1U);
}

TEST_F(ServiceTest, FlushRemovesWhatItNames) {
  insert({a_entry("example"), a_entry("a.example"), txt_entry("a.example", 10), a_entry("b.a.example"),
          a_entry("a.other")});
  v1::FlushRequest request;
  request.set_name(wire("a.example"));
  request.set_qtype(16);
  EXPECT_EQ(flush(request), 1U);
  EXPECT_EQ(lookup("a.example").size(), 1U);
  request.clear_qtype();
  EXPECT_EQ(flush(request), 1U);
  request.set_zone(wire("EXAMPLE"));
  EXPECT_EQ(flush(request), 2U);
  EXPECT_EQ(lookup("a.other").size(), 1U);
  EXPECT_EQ(flush_all(), 1U);
  EXPECT_EQ(entries(), 0U);
}

TEST_F(ServiceTest, FlushOfNothingInParticularIsRefused) {
  const auto refusal = [&](const v1::FlushRequest& request) {
    v1::FlushResponse response;
    grpc::ClientContext context;
    const grpc::Status status = stub_->Flush(&context, request, &response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    return status.error_message();
  };
  v1::FlushRequest request;
  EXPECT_THAT(refusal(request), HasSubstr("scope"));
  request.set_name("\3ww");
  EXPECT_THAT(refusal(request), HasSubstr("name: "));
  request.set_name(wire("a.example") + "x");
  EXPECT_THAT(refusal(request), HasSubstr("behind"));
  request.set_zone(wire("example"));
  request.set_qtype(1);
  EXPECT_THAT(refusal(request), HasSubstr("qtype"));
  request.set_all(false);
  request.clear_qtype();
  EXPECT_THAT(refusal(request), HasSubstr("all"));
}

TEST_F(ServiceTest, FenceRemovesWhatComesFromDeadOrigins) {
  v1::CacheEntry remote = a_entry("b.example");
  remote.mutable_origin()->set_node(7);
  remote.mutable_origin()->set_sequence(99);
  insert({a_entry("a.example"), remote, a_entry("c.example")});
  v1::LoadResponse loaded;
  ASSERT_TRUE(load(make_dump({a_entry("d.example")}, 0), loaded).ok());

  const auto fence = [&](const v1::FenceRequest& request, grpc::StatusCode expected) {
    v1::FenceResponse response;
    grpc::ClientContext context;
    const grpc::Status status = stub_->Fence(&context, request, &response);
    EXPECT_EQ(status.error_code(), expected) << status.error_message();
    return response;
  };
  v1::FenceRequest request;
  v1::DeadRange& range = *request.add_dead();
  range.set_node(7);
  range.set_first(99);
  range.set_last(99);
  v1::DeadRange& own = *request.add_dead();
  own.set_first(2);
  own.set_last(std::numeric_limits<std::uint64_t>::max());
  const std::uint16_t epoch = cache_->epoch();
  const auto response = fence(request, grpc::StatusCode::OK);
  EXPECT_EQ(response.removed(), 2U);
  EXPECT_EQ(response.looked_at(), 4U);
  EXPECT_EQ(response.epoch(), epoch + 1U);
  EXPECT_EQ(lookup("a.example").size(), 1U);
  EXPECT_EQ(lookup("d.example").size(), 1U);
  request.clear_dead();
  fence(request, grpc::StatusCode::INVALID_ARGUMENT);
  request.set_unknown_origin(true);
  EXPECT_EQ(fence(request, grpc::StatusCode::OK).removed(), 1U);
  EXPECT_TRUE(lookup("d.example").empty());

  v1::DeadRange& bad = *request.add_dead();
  bad.set_last(4);
  fence(request, grpc::StatusCode::INVALID_ARGUMENT);  // first: 0
  bad.set_first(5);
  fence(request, grpc::StatusCode::INVALID_ARGUMENT);  // last before first
  bad.set_first(1);
  bad.set_node(65536);
  fence(request, grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(ServiceTest, StatusTellsOfEverything) {
  insert({a_entry("a.example")});
  v1::DataplaneStatus status;
  grpc::ClientContext context;
  ASSERT_TRUE(stub_->GetStatus(&context, {}, &status).ok());
  EXPECT_EQ(status.pid(), static_cast<std::uint64_t>(getpid()));
  EXPECT_EQ(status.node_name(), "n1");
  EXPECT_TRUE(status.ready());
  EXPECT_EQ(status.cache().entries(), 1U);
  EXPECT_EQ(status.cache().journal_next(), 2U);
  EXPECT_NE(status.cache().journal_id(), 0U);
  EXPECT_EQ(status.ports(0).device(), "net_null0");
  EXPECT_EQ(status.workers_size(), 1);
}

TEST_F(ServiceTest, StatsAddThreadsUpAndKeepWorkersApart) {
  stats::ThreadStats* worker = registry_.claim("worker0").value();
  stats::ThreadStats* other = registry_.claim("miss").value();
  worker->counters.add(stats::Counter::RxFrames, 5);
  other->counters.add(stats::Counter::RxFrames, 2);
  other->counters.add(stats::Counter::UpstreamQueries, 3);
  worker->hits.add(1000, 4);
  v1::StatsSnapshot snapshot;
  grpc::ClientContext context;
  ASSERT_TRUE(stub_->GetStats(&context, {}, &snapshot).ok());
  EXPECT_THAT(snapshot.lcores(), ElementsAre(1));
  std::map<std::string, v1::Counter> by_name;
  for (const auto& counter : snapshot.counters()) by_name[counter.name()] = counter;
  const v1::Counter& frames = by_name[std::string(stats::name(stats::Counter::RxFrames))];
  EXPECT_EQ(frames.value(), 7U);
  EXPECT_THAT(frames.per_lcore(), ElementsAre(5));
  EXPECT_EQ(by_name[std::string(stats::name(stats::Counter::UpstreamQueries))].per_lcore_size(), 0);
  ASSERT_EQ(snapshot.histograms_size(), 2);
  const v1::Histogram& hits = snapshot.histograms(0);
  EXPECT_EQ(hits.name(), "latency.hit");
  EXPECT_EQ(hits.sum_ns(), 4000U);
  ASSERT_EQ(hits.counts_size(), 2);
  EXPECT_EQ(hits.counts(0), 4U);
  EXPECT_GE(hits.upper_ns(0), 1000U);
  EXPECT_EQ(hits.upper_ns(1), std::numeric_limits<std::uint64_t>::max());
}

TEST_F(ServiceTest, ConfigureAppliesLiveAndReportsWhatNeedsARestart) {
  v1::ConfigureRequest request;
  *request.mutable_config() = plain_config(directory_.path());
  request.mutable_config()->mutable_cache()->set_max_ttl_s(600);
  request.mutable_config()->mutable_worker()->set_burst(16);
  v1::ConfigureResponse response;
  grpc::ClientContext context;
  const grpc::Status status = stub_->Configure(&context, request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_THAT(response.applied(), ElementsAre("cache.max_ttl_s"));
  EXPECT_THAT(response.restart_required(), ElementsAre("worker.burst"));
  EXPECT_EQ(target_.swaps, 1);

  grpc::ClientContext second;
  v1::GetConfigResponse in_force;
  ASSERT_TRUE(stub_->GetConfig(&second, {}, &in_force).ok());
  EXPECT_EQ(in_force.config().cache().max_ttl_s(), 600U);
  EXPECT_EQ(in_force.config().worker().burst(), 32U);
  EXPECT_THAT(in_force.restart_required(), ElementsAre("worker.burst"));

  grpc::ClientContext third;
  v1::DataplaneStatus now;
  ASSERT_TRUE(stub_->GetStatus(&third, {}, &now).ok());
  EXPECT_THAT(now.restart_required(), ElementsAre("worker.burst"));
}

TEST_F(ServiceTest, RefusedConfigurationTouchesNothing) {
  v1::ConfigureRequest request;
  *request.mutable_config() = plain_config(directory_.path());
  request.mutable_config()->mutable_cache()->set_prefetch_percent(99);
  request.mutable_config()->mutable_service()->set_nsid("other");
  v1::ConfigureResponse response;
  grpc::ClientContext context;
  const grpc::Status status = stub_->Configure(&context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("cache.prefetch_percent"));
  EXPECT_EQ(target_.swaps, 0);
  EXPECT_EQ(configurator_->in_force().service().nsid(), "n1");
  EXPECT_EQ(config::read_dataplane_config(last_applied_path(directory_.path()))->service().nsid(), "n1");
}

TEST_F(ServiceTest, ShutdownAsksTheMachine) {
  v1::ShutdownResponse response;
  grpc::ClientContext context;
  ASSERT_TRUE(stub_->Shutdown(&context, {}, &response).ok());
  EXPECT_TRUE(machine_.stop_requested);
}

TEST_F(ServiceTest, HalfAConnectionAndGarbageHurtNobody) {
  for (const std::string& bytes : {std::string(), std::string("PRI * HTTP/2.0\r\n\r\nSM"),
                                   std::string("GET / HTTP/1.1\r\n\r\n"), std::string(5000, '\xff')}) {
    const auto fd = rpc::connect_unix(socket_path());
    ASSERT_TRUE(fd) << fd.error();
    ASSERT_EQ(send(*fd, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
    close(*fd);
  }
  EXPECT_EQ(insert({a_entry("a.example")}).accepted(), 1U);
}

}  // namespace
}  // namespace swarmdns::control
