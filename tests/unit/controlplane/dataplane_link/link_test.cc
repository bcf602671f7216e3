#include "controlplane/dataplane_link/link.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "proto/rpc/unix_server.h"
#include "swarmdns/v1/dataplane.grpc.pb.h"

namespace swarmdns::controlplane {
namespace {

class FakeDataplane final : public v1::Dataplane::Service {
 public:
  grpc::Status answer;
  int loaded = 0;
  bool refuse_load_early = false;

  grpc::Status GetStatus(grpc::ServerContext*, const v1::GetStatusRequest*,
                         v1::DataplaneStatus* status) override {
    status->set_pid(42);
    return answer;
  }
  grpc::Status Configure(grpc::ServerContext*, const v1::ConfigureRequest* request,
                         v1::ConfigureResponse* response) override {
    response->add_applied(request->check_only() ? "checked" : "applied");
    return answer;
  }
  grpc::Status Dump(grpc::ServerContext* context, const v1::DumpRequest*,
                    grpc::ServerWriter<v1::CacheSlice>* writer) override {
    v1::CacheSlice slice;
    slice.mutable_trailer()->set_digest(std::string(10000, 'x'));
    for (int i = 0; i < 500; ++i) {
      if (context->IsCancelled() || !writer->Write(slice)) break;
    }
    return answer;
  }
  grpc::Status Load(grpc::ServerContext*, grpc::ServerReader<v1::CacheSlice>* reader,
                    v1::LoadResponse* response) override {
    if (refuse_load_early) return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "no header");
    v1::CacheSlice slice;
    while (reader->Read(&slice)) ++loaded;
    response->set_loaded(static_cast<uint64_t>(loaded));
    return answer;
  }
};

class LinkTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/link_XXXXXX";
    dir_ = mkdtemp(pattern);
    path_ = dir_ + "/dataplane.sock";
  }
  void TearDown() override {
    server_.reset();
    std::filesystem::remove_all(dir_);
  }
  void serve() {
    rpc::UnixServer::Options options;
    options.path = path_;
    auto server = rpc::UnixServer::start(std::move(options), {&fake_});
    ASSERT_TRUE(server) << server.error();
    server_ = std::move(*server);
  }
  std::string dir_;
  std::string path_;
  FakeDataplane fake_;
  std::unique_ptr<rpc::UnixServer> server_;
};

TEST_F(LinkTest, NobodyThereIsUnreachableAndNamesTheSocket) {
  DataplaneLink link(path_);
  const auto status = link.status();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, LinkError::Kind::kUnreachable);
  EXPECT_NE(status.error().text.find(path_), std::string::npos);
}

TEST_F(LinkTest, FindsADataPlaneThatComesAndComesAgain) {
  DataplaneLink link(path_);
  EXPECT_FALSE(link.status());
  const auto comes_back = [&] {
    for (int i = 0; i < 400; ++i) {
      if (const auto status = link.status()) return status->pid() == 42;
      usleep(25000);
    }
    return false;
  };
  serve();
  EXPECT_TRUE(comes_back());
  server_.reset();
  EXPECT_FALSE(link.status());
  serve();
  EXPECT_TRUE(comes_back());
}

TEST_F(LinkTest, TellsARefusalFromAFailure) {
  serve();
  DataplaneLink link(path_);
  EXPECT_EQ(link.configure(v1::DataplaneConfig(), true)->applied(0), "checked");
  EXPECT_EQ(link.configure(v1::DataplaneConfig(), false)->applied(0), "applied");
  for (const auto code : {grpc::StatusCode::INVALID_ARGUMENT, grpc::StatusCode::FAILED_PRECONDITION,
                          grpc::StatusCode::DATA_LOSS, grpc::StatusCode::OUT_OF_RANGE}) {
    fake_.answer = grpc::Status(code, "no");
    const auto refused = link.configure(v1::DataplaneConfig(), false);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, LinkError::Kind::kRefused);
    EXPECT_EQ(refused.error().text, "no");
  }
  fake_.answer = grpc::Status(grpc::StatusCode::INTERNAL, "broken");
  EXPECT_EQ(link.status().error().kind, LinkError::Kind::kFailed);
}

TEST_F(LinkTest, DumpsAllOrBreaksOff) {
  serve();
  DataplaneLink link(path_);
  int slices = 0;
  EXPECT_TRUE(link.dump([&](const v1::CacheSlice&) { return ++slices, true; }));
  EXPECT_EQ(slices, 500);
  slices = 0;
  EXPECT_FALSE(link.dump([&](const v1::CacheSlice&) { return ++slices < 3; }));
  EXPECT_EQ(slices, 3);
  EXPECT_TRUE(link.status()) << "the link is whole after a broken dump";
}

TEST_F(LinkTest, LoadsAndHearsAnEarlyRefusal) {
  serve();
  DataplaneLink link(path_);
  int left = 20;
  const auto loaded = link.load([&](v1::CacheSlice&) { return left-- > 0; });
  ASSERT_TRUE(loaded) << loaded.error().text;
  EXPECT_EQ(loaded->loaded(), 20u);
  fake_.refuse_load_early = true;
  const auto refused = link.load([](v1::CacheSlice& slice) {
    slice.mutable_trailer()->set_digest(std::string(100000, 'x'));
    return true;  // without end: only the refusal ends it
  });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().text, "no header");
}

}  // namespace
}  // namespace swarmdns::controlplane
