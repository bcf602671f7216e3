#include "dataplane/control/readiness.h"

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>
#include <sys/stat.h>

#include <filesystem>

#include "proto/config/store.h"
#include "tests/unit/dataplane/control/service_fixture.h"

namespace swarmdns::control {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string kReady = "ready pid " + std::to_string(getpid()) + "\n";
const std::string kCold = "ready cold pid " + std::to_string(getpid()) + "\n";

class ReadinessTest : public testing::Test {
 protected:
  Readiness make() {
    return {directory_.path(), {[this] { return now_ms_; }, [this] { return wall_ms_ + now_ms_; }}, log_};
  }
  std::string file() const { return config::read_file(ready_path(directory_.path())).value_or("none"); }

  ScratchDirectory directory_;
  Logger log_{-1, LogLevel::Error};
  std::uint64_t now_ms_ = 5'000'000;
  std::uint64_t wall_ms_ = 1'700'000'000'000;
};

TEST_F(ReadinessTest, ReadyAtOnceWhenNobodyAsksForWarmingUp) {
  ASSERT_TRUE(config::write_file_atomically(ready_path(directory_.path()), "ready pid 1\n", 0644));
  Readiness readiness = make();
  EXPECT_EQ(file(), "none") << "what a killed one left is removed first";
  EXPECT_EQ(readiness.status().phase, Phase::Starting);
  now_ms_ += 10;
  readiness.started(0);
  EXPECT_EQ(readiness.status().phase, Phase::Ready);
  EXPECT_EQ(readiness.status().since_wall_ms, wall_ms_ + now_ms_);
  EXPECT_EQ(file(), kReady);
  struct stat info {};
  ASSERT_EQ(stat(ready_path(directory_.path()).c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0644U);
  EXPECT_EQ(readiness.wait_ms(1000), 1000U);
  readiness.stop();
  EXPECT_EQ(file(), "none");
  EXPECT_EQ(readiness.warm().phase, Phase::Stopping);
  EXPECT_EQ(readiness.warm_up(1000).phase, Phase::Stopping);
  EXPECT_EQ(file(), "none");
}

TEST_F(ReadinessTest, WarmingEndsByTheWordOrByItself) {
  Readiness readiness = make();
  readiness.started(20'000);
  EXPECT_EQ(readiness.status().phase, Phase::Warming);
  EXPECT_EQ(readiness.status().warming_left_ms, 20'000U);
  EXPECT_EQ(file(), "none");
  now_ms_ += 19'900;
  readiness.tick();
  EXPECT_EQ(readiness.wait_ms(1000), 100U);
  EXPECT_EQ(file(), "none");
  now_ms_ += 100;
  readiness.tick();
  EXPECT_EQ(file(), kCold);
  EXPECT_EQ(readiness.status().phase, Phase::ReadyCold);
  EXPECT_EQ(readiness.warm().phase, Phase::Ready);
  EXPECT_EQ(file(), kReady);

  now_ms_ += 1'000'000;
  EXPECT_EQ(readiness.warm_up(30'000).phase, Phase::Warming);
  EXPECT_EQ(file(), "none");
  now_ms_ += 10'000;
  EXPECT_EQ(readiness.warm().phase, Phase::Ready);
  EXPECT_EQ(file(), kReady);
}

TEST_F(ReadinessTest, NobodyNeedsToTickForTheStateToBeTrue) {
  Readiness readiness = make();
  readiness.started(500);
  now_ms_ += 500;
  EXPECT_EQ(readiness.status().phase, Phase::ReadyCold);
  EXPECT_EQ(file(), kCold);
}

TEST_F(ReadinessTest, AskedAgainAndAgainItIsStillReadyAfterAMinute) {
  Readiness readiness = make();
  readiness.started(30'000);
  for (int i = 0; i < 59; ++i) {
    EXPECT_EQ(readiness.warm_up(Readiness::kMostWarmingMs).phase, Phase::Warming);
    now_ms_ += 1000;
    readiness.tick();
  }
  EXPECT_EQ(readiness.status().warming_left_ms, 1000U);
  now_ms_ += 1000;
  readiness.tick();
  EXPECT_EQ(readiness.status().phase, Phase::ReadyCold);
  // Nor do control planes that start again and again keep it from being ready.
  std::uint64_t warming = 0;
  for (int second = 0; second < 3600; ++second) {
    if (second % 30 == 0) (void)readiness.warm_up(Readiness::kMostWarmingMs);
    now_ms_ += 1000;
    readiness.tick();
    warming += readiness.status().phase == Phase::Warming ? 1U : 0U;
  }
  EXPECT_GT(warming, 100U);
  EXPECT_LE(warming, 360U);
  EXPECT_EQ(readiness.status().phase == Phase::Warming, file() == "none");
}

TEST_F(ReadinessTest, AskedShorterItEndsSooner) {
  Readiness readiness = make();
  readiness.started(30'000);
  EXPECT_EQ(readiness.warm_up(2000).warming_left_ms, 2000U);
  now_ms_ += 2000;
  readiness.tick();
  EXPECT_EQ(file(), kCold);
}

TEST_F(ReadinessTest, WhatIsSaidBeforeTheStartIsOverHolds) {
  {
    Readiness readiness = make();
    EXPECT_EQ(readiness.warm_up(7000).phase, Phase::Starting);
    EXPECT_EQ(file(), "none");
    readiness.started(0);
    EXPECT_EQ(readiness.status().warming_left_ms, 7000U);
  }
  Readiness readiness = make();
  EXPECT_EQ(readiness.warm().phase, Phase::Starting);
  EXPECT_EQ(file(), "none");
  readiness.started(20'000);
  EXPECT_EQ(readiness.status().phase, Phase::Ready);
}

TEST_F(ReadinessTest, ListenersHearOfEveryChange) {
  Readiness readiness = make();
  std::vector<bool> heard;
  readiness.on_change([&](bool ready) {
    heard.push_back(ready);
    EXPECT_EQ(ready, file() != "none");
  });
  readiness.started(1000);
  now_ms_ += 1000;
  readiness.tick();
  readiness.warm();
  readiness.warm_up(1000);
  readiness.warm();
  readiness.stop();
  readiness.stop();
  EXPECT_THAT(heard, ElementsAre(false, true, false, true, false));
}

TEST_F(ReadinessTest, AFileThatCannotBeWrittenIsTriedAgain) {
  const std::string beside = ready_path(directory_.path()) + ".new";
  ASSERT_TRUE(std::filesystem::create_directories(beside + "/in the way"));
  Readiness readiness = make();
  readiness.started(0);
  EXPECT_EQ(readiness.status().phase, Phase::Ready);
  EXPECT_EQ(file(), "none");
  std::filesystem::remove_all(beside);
  readiness.tick();
  EXPECT_EQ(file(), kReady);
}

// --- By the control socket ---

class ReadinessCallTest : public ServiceTest {
 protected:
  v1::Readiness state() {
    v1::DataplaneStatus status;
    grpc::ClientContext context;
    EXPECT_TRUE(stub_->GetStatus(&context, {}, &status).ok());
    return status.readiness();
  }
  grpc::Status warm_up(std::uint32_t at_most_ms, v1::Readiness& response) {
    v1::WarmUpRequest request;
    request.set_at_most_ms(at_most_ms);
    grpc::ClientContext context;
    return stub_->WarmUp(&context, request, &response);
  }
  // grpc.health.v1.Health/Check. HealthCheckRequest {string service = 1}, HealthCheckResponse {status = 1}.
  std::string health(const std::string& service) {
    std::string request;
    if (!service.empty()) request = std::string{'\x0a', static_cast<char>(service.size())} + service;
    const grpc::Slice slice(request);
    const grpc::ByteBuffer out(&slice, 1);
    grpc::GenericStub stub(grpc::CreateChannel("unix:" + socket_path(), grpc::InsecureChannelCredentials()));
    grpc::ClientContext context;
    grpc::CompletionQueue queue;
    auto call = stub.PrepareUnaryCall(&context, "/grpc.health.v1.Health/Check", out, &queue);
    call->StartCall();
    grpc::ByteBuffer in;
    grpc::Status status;
    int tag = 0;
    call->Finish(&in, &status, &tag);
    void* got = nullptr;
    bool good = false;
    EXPECT_TRUE(queue.Next(&got, &good));
    if (!status.ok()) return "error " + std::to_string(status.error_code());
    std::vector<grpc::Slice> slices;
    EXPECT_TRUE(in.Dump(&slices).ok());
    std::string bytes;
    for (const auto& part : slices) bytes.append(reinterpret_cast<const char*>(part.begin()), part.size());
    return bytes == "\x08\x01" ? "SERVING" : bytes == "\x08\x02" ? "NOT_SERVING" : "?";
  }
  std::string file() const { return config::read_file(ready_path(directory_.path())).value_or("none"); }
};

TEST_F(ReadinessCallTest, HealthFileAndStatusSayTheSame) {
  const std::string name = "swarmdns.v1.Dataplane";
  EXPECT_EQ(health(""), "NOT_SERVING");
  EXPECT_EQ(state().phase(), v1::LIFE_STARTING);
  readiness_.started(10'000);
  EXPECT_EQ(state().phase(), v1::LIFE_WARMING);
  EXPECT_EQ(state().warming_left_ms(), 10'000U);
  EXPECT_EQ(health(name), "NOT_SERVING");
  // Warming up keeps nobody from being answered.
  EXPECT_EQ(insert({a_entry("a.example")}).accepted(), 1U);
  EXPECT_EQ(lookup("a.example").size(), 1U);

  grpc::ClientContext context;
  v1::Readiness response;
  ASSERT_TRUE(stub_->Warm(&context, {}, &response).ok());
  EXPECT_EQ(response.phase(), v1::LIFE_READY);
  EXPECT_NE(response.since_wall_ms(), 0U);
  EXPECT_EQ(health(""), "SERVING");
  EXPECT_EQ(health(name), "SERVING");
  EXPECT_EQ(health("nobody"), "error " + std::to_string(grpc::StatusCode::NOT_FOUND));
  EXPECT_EQ(file(), kReady);

  ASSERT_TRUE(warm_up(5000, response).ok());
  EXPECT_EQ(response.phase(), v1::LIFE_WARMING);
  EXPECT_EQ(health(""), "NOT_SERVING");
  EXPECT_EQ(file(), "none");
  now_ms_ += 5000;
  EXPECT_EQ(state().phase(), v1::LIFE_READY_COLD);
  EXPECT_EQ(health(""), "SERVING");
  EXPECT_EQ(file(), kCold);
  readiness_.stop();
  EXPECT_EQ(health(name), "NOT_SERVING");
}

TEST_F(ReadinessCallTest, WarmingForEverIsRefused) {
  v1::Readiness response;
  for (const std::uint32_t wrong : {0U, 60'001U}) {
    const grpc::Status status = warm_up(wrong, response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_THAT(status.error_message(), HasSubstr("at_most_ms"));
  }
}

}  // namespace
}  // namespace swarmdns::control
