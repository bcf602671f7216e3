#include "controlplane/swarm/dataplane_port.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <mutex>
#include <thread>

#include "proto/rpc/unix_server.h"
#include "swarmdns/v1/dataplane.grpc.pb.h"

namespace swarmdns::controlplane {
namespace {

// A reactor of real time whose handlers run in the test's own thread.
class LiveReactor final : public Reactor {
 public:
  void post(std::function<void()> task) override {
    const std::lock_guard lock(mutex_);
    tasks_.emplace(std::pair(now_ms(), ++next_), std::move(task));
    arrived_.notify_all();
  }
  std::uint64_t now_ms() const override {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                          std::chrono::steady_clock::now().time_since_epoch())
                                          .count());
  }
  std::uint64_t wall_ms() const override { return now_ms(); }
  TimerId after(std::uint64_t delay_ms, std::function<void()> task) override {
    const std::lock_guard lock(mutex_);
    tasks_.emplace(std::pair(now_ms() + delay_ms, ++next_), std::move(task));
    return next_;
  }
  void cancel(TimerId timer) override {
    const std::lock_guard lock(mutex_);
    std::erase_if(tasks_, [&](const auto& task) { return task.first.second == timer; });
  }
  void offload(std::function<void()> work, std::function<void()> done) override {
    workers_.emplace_back([this, work = std::move(work), done = std::move(done)] {
      work();
      post(done);
    });
  }
  void random(std::span<std::byte>) override {}
  // Handlers until the condition holds; false after half a minute.
  bool run_until(const std::function<bool()>& condition) {
    const std::uint64_t end = now_ms() + 30'000;
    while (!condition() && now_ms() < end) {
      std::function<void()> task;
      {
        std::unique_lock lock(mutex_);
        if (tasks_.empty() || tasks_.begin()->first.first > now_ms()) {
          arrived_.wait_for(lock, std::chrono::milliseconds(5));
          continue;
        }
        task = std::move(tasks_.begin()->second);
        tasks_.erase(tasks_.begin());
      }
      task();
    }
    return condition();
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::function<void()>> tasks_;
  std::uint64_t next_ = 0;
  std::vector<std::jthread> workers_;
};

class FakeDataplane final : public v1::Dataplane::Service {
 public:
  std::atomic<std::uint64_t> journal_id{11};
  std::atomic<std::uint64_t> journal_next{5};
  std::atomic<std::uint32_t> epoch{3};
  std::atomic<bool> dump_cancelled{false};
  std::mutex mutex;
  v1::FenceRequest fence;
  v1::InsertRequest inserted;
  std::vector<std::uint64_t> journal_from;

  grpc::Status GetStatus(grpc::ServerContext*, const v1::GetStatusRequest*,
                         v1::DataplaneStatus* status) override {
    status->mutable_cache()->set_journal_id(journal_id);
    status->mutable_cache()->set_journal_next(journal_next);
    status->mutable_cache()->set_epoch(epoch);
    return grpc::Status::OK;
  }
  grpc::Status Insert(grpc::ServerContext*, const v1::InsertRequest* request,
                      v1::InsertResponse* response) override {
    const std::lock_guard lock(mutex);
    inserted = *request;
    const auto refuse = [&](v1::InsertReason reason, std::uint64_t count) {
      response->add_refusals()->set_reason(reason);
      response->mutable_refusals(response->refusals_size() - 1)->set_count(count);
    };
    if (request->epoch() != epoch) {
      refuse(v1::INSERT_OUTDATED, static_cast<std::uint64_t>(request->entries_size()));
      return grpc::Status::OK;
    }
    response->set_accepted(2);
    refuse(v1::INSERT_KEPT_LOCAL, 3);
    refuse(v1::INSERT_EXPIRED, 4);
    return grpc::Status::OK;
  }
  grpc::Status Fence(grpc::ServerContext*, const v1::FenceRequest* request,
                     v1::FenceResponse* response) override {
    const std::lock_guard lock(mutex);
    fence = *request;
    response->set_removed(9);
    response->set_epoch(++epoch);
    return grpc::Status::OK;
  }
  grpc::Status WarmUp(grpc::ServerContext*, const v1::WarmUpRequest*, v1::Readiness*) override {
    return grpc::Status::OK;
  }
  grpc::Status Restore(grpc::ServerContext*, const v1::RestoreRequest* request,
                       v1::RestoreResponse* response) override {
    response->set_loaded(40 + static_cast<std::uint64_t>(request->private_zones_size()));
    return grpc::Status::OK;
  }
  grpc::Status Warm(grpc::ServerContext*, const v1::WarmRequest*, v1::Readiness*) override {
    return {grpc::StatusCode::FAILED_PRECONDITION, "not now"};
  }
  grpc::Status Dump(grpc::ServerContext* context, const v1::DumpRequest*,
                    grpc::ServerWriter<v1::CacheSlice>* writer) override {
    v1::CacheSlice slice;
    slice.mutable_header();
    writer->Write(slice);
    for (int i = 0; i < 3; ++i) {
      slice.mutable_entries()->Clear();
      slice.mutable_entries()->add_entries()->mutable_origin()->set_sequence(static_cast<std::uint64_t>(i) +
                                                                             1);
      slice.mutable_entries()->add_entries()->mutable_origin()->set_node(7);
      slice.mutable_entries()->mutable_entries(0)->set_sections(std::string(1 << 20, 'x'));
      if (!writer->Write(slice)) break;
    }
    slice.mutable_trailer();
    writer->Write(slice);
    while (hold_dump && !context->IsCancelled()) usleep(1000);
    dump_cancelled = context->IsCancelled();
    return grpc::Status::OK;
  }
  std::atomic<bool> hold_dump{false};
  grpc::Status Journal(grpc::ServerContext* context, const v1::JournalRequest* request,
                       grpc::ServerWriter<v1::JournalBatch>* writer) override {
    {
      const std::lock_guard lock(mutex);
      journal_from.push_back(request->from());
    }
    for (std::uint64_t number = request->from(); !context->IsCancelled();) {
      if (number >= journal_next) {
        usleep(1000);
        continue;
      }
      v1::JournalBatch batch;
      batch.set_journal_id(journal_id);
      batch.set_next(number + 1);
      v1::Mutation& mutation = *batch.add_mutations();
      mutation.set_sequence(number++);
      mutation.set_kind(v1::MUTATION_INSERT);
      if (!writer->Write(batch)) break;
    }
    return grpc::Status::OK;
  }
};

class DataplanePortTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/port_XXXXXX";
    dir_ = mkdtemp(pattern);
    DataplanePort::Options options;
    options.socket_path = dir_ + "/dataplane.sock";
    options.flush_resolver = [this]() -> std::expected<std::string, std::string> {
      if (!resolver_) return std::unexpected("unbound-control is not there");
      return "flushed";
    };
    port_ = std::make_unique<DataplanePort>(reactor_, std::move(options));
    port_->set_node(7);
  }
  void TearDown() override {
    port_.reset();
    server_.reset();
    std::filesystem::remove_all(dir_);
  }
  void serve() {
    rpc::UnixServer::Options options;
    options.path = dir_ + "/dataplane.sock";
    auto server = rpc::UnixServer::start(std::move(options), {&fake_});
    ASSERT_TRUE(server) << server.error();
    server_ = std::move(*server);
  }
  static v1::CacheEntry entry(std::uint32_t node) {
    v1::CacheEntry made;
    made.mutable_origin()->set_node(node);
    made.mutable_origin()->set_sequence(4);
    return made;
  }

  LiveReactor reactor_;
  FakeDataplane fake_;
  std::string dir_;
  bool resolver_ = true;
  std::unique_ptr<rpc::UnixServer> server_;
  std::unique_ptr<DataplanePort> port_;
};

TEST_F(DataplanePortTest, NobodyThereIsAnErrorThatNamesTheSocket) {
  std::optional<std::string> error;
  port_->status([&](auto status) { error = status ? "" : status.error(); });
  EXPECT_FALSE(error) << "never from within the call";
  ASSERT_TRUE(reactor_.run_until([&] { return error.has_value(); }));
  EXPECT_NE(error->find(dir_), std::string::npos);
}

TEST_F(DataplanePortTest, InsertsWithTheEpochItKnows) {
  serve();
  std::optional<CachePort::Inserted> inserted;
  const auto insert = [&] {
    inserted.reset();
    port_->insert({entry(2), entry(0), entry(7)}, 120, [&](auto done) {
      ASSERT_TRUE(done) << done.error();
      inserted = *done;
    });
    return reactor_.run_until([&] { return inserted.has_value(); });
  };
  ASSERT_TRUE(insert());
  EXPECT_EQ(inserted->accepted, 2U);
  EXPECT_EQ(inserted->kept_own, 3U);
  EXPECT_EQ(inserted->refused, 4U);
  {
    const std::lock_guard lock(fake_.mutex);
    EXPECT_EQ(fake_.inserted.epoch(), 3U);
    EXPECT_GE(fake_.inserted.transit_ms(), 120U);
    ASSERT_EQ(fake_.inserted.entries_size(), 2) << "node 0 would pass for the data plane's own";
    EXPECT_EQ(fake_.inserted.entries(1).origin().node(), 7U);
  }
  fake_.epoch = 9;  // somebody flushed the cache
  ASSERT_TRUE(insert());
  EXPECT_EQ(inserted->accepted, 0U) << "what was under way is outdated";
  ASSERT_TRUE(insert());
  EXPECT_EQ(inserted->accepted, 2U);
}

TEST_F(DataplanePortTest, AFenceFlushesTheResolverAndNamesThisNodeTwice) {
  serve();
  std::optional<CachePort::Fenced> fenced;
  const auto fence = [&] {
    fenced.reset();
    port_->fence({{7, 10, UINT64_MAX}, {2, 5, 9}}, [&](auto done) {
      ASSERT_TRUE(done) << done.error();
      fenced = *done;
    });
    return reactor_.run_until([&] { return fenced.has_value(); });
  };
  ASSERT_TRUE(fence());
  EXPECT_EQ(fenced->removed, 9U);
  EXPECT_TRUE(fenced->resolver_flushed);
  {
    const std::lock_guard lock(fake_.mutex);
    EXPECT_TRUE(fake_.fence.unknown_origin());
    ASSERT_EQ(fake_.fence.dead_size(), 3);
    EXPECT_EQ(fake_.fence.dead(0).node(), 7U);
    EXPECT_EQ(fake_.fence.dead(1).node(), 0U);
    EXPECT_EQ(fake_.fence.dead(1).last(), UINT64_MAX);
    EXPECT_EQ(fake_.fence.dead(2).node(), 2U);
  }
  resolver_ = false;
  ASSERT_TRUE(fence()) << "the cache is purged all the same";
  EXPECT_FALSE(fenced->resolver_flushed);
  EXPECT_EQ(fenced->resolver_note, "unbound-control is not there");
}

TEST_F(DataplanePortTest, FollowsTheJournalOverRestartsOfTheDataPlane) {
  std::vector<std::uint64_t> numbers;
  std::vector<std::uint64_t> ids;
  bool paused = false;
  port_->follow_journal(3, [&](const v1::JournalBatch& batch) {
    if (ids.empty() || ids.back() != batch.journal_id()) ids.push_back(batch.journal_id());
    for (const v1::Mutation& mutation : batch.mutations()) {
      numbers.push_back(mutation.sequence());
      EXPECT_EQ(mutation.entry().origin().node(), 7U);
    }
    if (!paused) port_->journal_more();
  });
  serve();
  ASSERT_TRUE(reactor_.run_until([&] { return numbers.size() == 2; }));
  EXPECT_EQ(numbers, (std::vector<std::uint64_t>{3, 4}));
  paused = true;
  fake_.journal_next = 8;
  ASSERT_TRUE(reactor_.run_until([&] { return numbers.size() == 3; }));
  const std::uint64_t later = reactor_.now_ms() + 300;
  reactor_.run_until([&] { return reactor_.now_ms() > later; });
  EXPECT_EQ(numbers.size(), 3U) << "it waits until more is wanted";
  paused = false;
  port_->journal_more();
  ASSERT_TRUE(reactor_.run_until([&] { return numbers.size() == 5; }));
  server_.reset();
  fake_.journal_id = 12;
  fake_.journal_next = 1010;
  serve();
  ASSERT_TRUE(reactor_.run_until([&] { return ids.size() == 2; }));
  ASSERT_TRUE(reactor_.run_until([&] { return numbers.size() >= 8; }));
  EXPECT_EQ(numbers[5], 8U) << "from where it was";
}

TEST_F(DataplanePortTest, DumpsPieceByPieceAsTheyAreAskedFor) {
  serve();
  std::vector<v1::DumpEntries> pieces;
  std::function<void()> next;
  bool over = false;
  port_->dump([&](auto piece, auto more) {
    ASSERT_TRUE(piece) << piece.error();
    over = piece->entries().empty();
    pieces.push_back(std::move(*piece));
    next = std::move(more);
  });
  for (std::size_t i = 1; i <= 4; ++i) {
    ASSERT_TRUE(reactor_.run_until([&] { return pieces.size() == i; }));
    if (!over) std::exchange(next, {})();
  }
  EXPECT_TRUE(over);
  EXPECT_EQ(pieces[1].entries(0).origin().node(), 7U) << "its own number for 0";
  EXPECT_EQ(pieces[1].entries(0).origin().sequence(), 2U);
}

TEST_F(DataplanePortTest, ADumpThatIsNotGoneOnWithEnds) {
  fake_.hold_dump = true;
  serve();
  bool first = false;
  port_->dump([&](auto piece, auto) { first = first || piece.has_value(); });
  ASSERT_TRUE(reactor_.run_until([&] { return first; }));
  EXPECT_TRUE(reactor_.run_until([&] { return fake_.dump_cancelled.load(); }));
}

TEST_F(DataplanePortTest, WhatIsHeldIsRestoredWithoutPrivateZones) {
  serve();
  std::optional<std::uint64_t> entries;
  port_->restore({"a", "b"}, [&](auto done) { entries = done.value_or(0); });
  ASSERT_TRUE(reactor_.run_until([&] { return entries.has_value(); }));
  EXPECT_EQ(*entries, 42U);
}

TEST_F(DataplanePortTest, RefusalsAreTold) {
  serve();
  std::optional<std::string> warm;
  std::optional<bool> warming;
  port_->warm([&](auto done) { warm = done ? "" : done.error(); });
  port_->warming(60'000, [&](auto done) { warming = done.has_value(); });
  ASSERT_TRUE(reactor_.run_until([&] { return warm && warming; }));
  EXPECT_EQ(*warm, "not now");
  EXPECT_TRUE(*warming);
}

TEST_F(DataplanePortTest, GoesWhileCallsAreUnderWay) {
  fake_.hold_dump = true;
  serve();
  bool called = false;
  port_->follow_journal(0, [&](const v1::JournalBatch&) { called = true; });
  ASSERT_TRUE(reactor_.run_until([&] { return called; }));
  std::function<void()> next;
  port_->dump([&](auto, auto more) { next = std::move(more); });
  ASSERT_TRUE(reactor_.run_until([&] { return static_cast<bool>(next); }));
  called = false;
  for (int i = 0; i < 20; ++i) port_->status([&](auto) { called = true; });
  port_.reset();
  reactor_.run_until([later = reactor_.now_ms() + 100, this] { return reactor_.now_ms() > later; });
  EXPECT_FALSE(called) << "nobody is called any more";
}

}  // namespace
}  // namespace swarmdns::controlplane
