// The whole control service in this process: a real cache with its writer, a real gRPC server on a Unix
// socket, no DPDK.
#pragma once

#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>
#include <sodium.h>

#include <atomic>
#include <memory>
#include <vector>

#include "dataplane/cache/cache.h"
#include "dataplane/cache/clock.h"
#include "dataplane/cache/writer.h"
#include "dataplane/control/cache_calls.h"
#include "dataplane/control/configurator.h"
#include "dataplane/control/digest.h"
#include "dataplane/control/dump.h"
#include "dataplane/control/insert_tally.h"
#include "dataplane/control/service.h"
#include "proto/rpc/unix_server.h"
#include "swarmdns/v1/dataplane.grpc.pb.h"
#include "tests/unit/dataplane/control/sample_config.h"
#include "tests/unit/dataplane/control/sample_entries.h"

namespace swarmdns::control {

struct CountingTarget : LiveTarget {
  void swap(LiveParts) override { ++swaps; }
  std::atomic<int> swaps{0};
};

struct FakeMachine : Machine {
  bool ready() const override { return true; }
  void describe_ports(google::protobuf::RepeatedPtrField<v1::PortStatus>& ports) const override {
    ports.Add()->set_device("net_null0");
  }
  void describe_workers(google::protobuf::RepeatedPtrField<v1::WorkerStatus>& workers) const override {
    workers.Add()->set_lcore(1);
  }
  void describe_upstreams(google::protobuf::RepeatedPtrField<v1::UpstreamStatus>&) const override {}
  void request_stop() override { stop_requested = true; }
  std::atomic<bool> stop_requested{false};
};

class ServiceTest : public testing::Test {
 protected:
  static constexpr std::size_t kJournalRecords = 64;
  static constexpr std::uint64_t kNumbering = 0x1234;

  void SetUp() override {
    ASSERT_GE(sodium_init(), 0);
    cache::CacheOptions options;
    options.budget_bytes = std::uint64_t{32} << 20;
    options.hugepages = false;
    options.journal.records = kJournalRecords;
    auto cache = cache::Cache::create(options, counters_);
    ASSERT_TRUE(cache) << cache.error();
    cache_ = std::move(*cache);
    writer_ = std::make_unique<cache::Writer>(*cache_, clock_, counters_, cache::Writer::Options{});
    writer_->start();
    auto configurator =
        Configurator::create(sample_config(directory_.path()), {{2, 0, 0, 0, 0, 1}}, 1'000'000);
    ASSERT_TRUE(configurator) << configurator.error();
    configurator_ = std::move(*configurator);
    auto attached = configurator_->attach(target_);
    ASSERT_TRUE(attached) << attached.error();
    calls_ = std::make_unique<CacheCalls>(*writer_, clock_, *configurator_, kNumbering);
    service_ = std::make_unique<Service>(
        Service::Parts{*configurator_, *calls_, machine_, readiness_, registry_, log_});
    rpc::UnixServer::Options server_options;
    server_options.path = socket_path();
    server_options.health = {v1::Dataplane::service_full_name()};
    auto server = rpc::UnixServer::start(server_options, {service_.get()});
    ASSERT_TRUE(server) << server.error();
    server_ = std::move(*server);
    readiness_.on_change([this](bool ready) { server_->set_serving(ready); });
    stub_ = connect();
  }
  void TearDown() override {
    readiness_.stop();
    if (service_) service_->stop();
    if (server_) server_->stop();
    if (writer_) writer_->stop();
  }

  std::string socket_path() const { return directory_.path() + "/dataplane.sock"; }
  std::unique_ptr<v1::Dataplane::Stub> connect() const {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // a connection of its own
    return v1::Dataplane::NewStub(
        grpc::CreateCustomChannel("unix:" + socket_path(), grpc::InsecureChannelCredentials(), arguments));
  }

  v1::InsertResponse insert(const std::vector<v1::CacheEntry>& entries) {
    v1::InsertRequest request;
    for (const auto& entry : entries) *request.add_entries() = entry;
    v1::InsertResponse response;
    grpc::ClientContext context;
    const grpc::Status status = stub_->Insert(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  std::vector<v1::CacheEntry> lookup(std::string_view name, std::uint32_t qtype = 1) {
    v1::LookupRequest request;
    request.set_qname(wire(name));
    request.set_qtype(qtype);
    v1::LookupResponse response;
    grpc::ClientContext context;
    const grpc::Status status = stub_->Lookup(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return {response.entries().begin(), response.entries().end()};
  }
  std::uint64_t flush_all() {
    v1::FlushRequest request;
    request.set_all(true);
    return flush(request);
  }
  std::uint64_t flush(const v1::FlushRequest& request) {
    v1::FlushResponse response;
    grpc::ClientContext context;
    const grpc::Status status = stub_->Flush(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.removed();
  }
  std::vector<v1::CacheSlice> dump() {
    grpc::ClientContext context;
    auto reader = stub_->Dump(&context, {});
    std::vector<v1::CacheSlice> slices;
    for (v1::CacheSlice slice; reader->Read(&slice);) slices.push_back(slice);
    const grpc::Status status = reader->Finish();
    EXPECT_TRUE(status.ok()) << status.error_message();
    return slices;
  }
  grpc::Status load(const std::vector<v1::CacheSlice>& slices, v1::LoadResponse& response) {
    grpc::ClientContext context;
    auto writer = stub_->Load(&context, &response);
    for (const auto& slice : slices) {
      if (!writer->Write(slice)) break;
    }
    writer->WritesDone();
    return writer->Finish();
  }
  std::uint64_t entries() { return cache_->stats().entries; }

  // Makes the trailer fit what stands before it.
  static void seal(std::vector<v1::CacheSlice>& slices) {
    PartsDigest digest;
    std::uint64_t count = 0;
    for (const auto& slice : slices) {
      if (slice.has_trailer()) break;
      digest.add(slice.SerializeAsString());
      count += static_cast<std::uint64_t>(slice.entries().entries_size());
    }
    if (!slices.back().has_trailer()) slices.emplace_back();
    slices.back().mutable_trailer()->set_entries(count);
    slices.back().mutable_trailer()->set_digest(digest.finish());
  }
  // A dump made `age_ms` ago.
  static std::vector<v1::CacheSlice> make_dump(const std::vector<v1::CacheEntry>& entries,
                                               std::uint64_t age_ms, std::uint64_t numbering = 0) {
    std::vector<v1::CacheSlice> slices(2);
    v1::DumpHeader& header = *slices[0].mutable_header();
    header.set_magic(kDumpMagic);
    header.set_format(kDumpFormat);
    header.set_wall_ms(wall_milliseconds() - age_ms);
    header.set_numbering(numbering);
    for (const auto& entry : entries) *slices[1].mutable_entries()->add_entries() = entry;
    seal(slices);
    return slices;
  }

  ScratchDirectory directory_;
  cache::Clock clock_;
  stats::Block counters_;
  stats::Registry registry_{4};
  Logger log_{-1, LogLevel::Error};
  CountingTarget target_;
  FakeMachine machine_;
  std::atomic<std::uint64_t> now_ms_{1'000'000};  // of readiness_
  Readiness readiness_{directory_.path(), {[this] { return now_ms_.load(); }, wall_milliseconds}, log_};
  std::unique_ptr<cache::Cache> cache_;
  std::unique_ptr<cache::Writer> writer_;
  std::unique_ptr<Configurator> configurator_;
  std::unique_ptr<CacheCalls> calls_;
  std::unique_ptr<Service> service_;
  std::unique_ptr<rpc::UnixServer> server_;
  std::unique_ptr<v1::Dataplane::Stub> stub_;
};

}  // namespace swarmdns::control
