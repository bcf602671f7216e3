#include "proto/config/store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace swarmdns::config {
namespace {

class StoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/config_store_XXXXXX";
    dir_ = mkdtemp(pattern);
    path_ = dir_ + "/dataplane.json";
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }
  std::string dir_;
  std::string path_;
};

TEST_F(StoreTest, RoundTripsPresenceOfZero) {
  v1::DataplaneConfig config;
  config.mutable_cache()->set_stale_max_s(0);
  config.mutable_cache()->set_memory_mib(64);
  config.mutable_worker()->set_idle(v1::SPIN);
  ASSERT_TRUE(write_dataplane_config(path_, config));
  const auto read = read_dataplane_config(path_);
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(read->SerializeAsString(), config.SerializeAsString());
  EXPECT_TRUE(read->cache().has_stale_max_s());
  EXPECT_FALSE(read->cache().has_min_ttl_s());
}

TEST_F(StoreTest, IsNotReadableByOthersForItHoldsSecrets) {
  ASSERT_TRUE(write_dataplane_config(path_, v1::DataplaneConfig()));
  struct stat info {};
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0640u);
}

TEST_F(StoreTest, RefusesUnknownFieldsAndCutFiles) {
  std::ofstream(path_) << R"({"cache": {"colour": 1}})";
  const auto unknown = read_dataplane_config(path_);
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().find("colour"), std::string::npos) << unknown.error();
  std::ofstream(path_) << R"({"cache": {"memory_mib": 6)";
  const auto cut = read_dataplane_config(path_);
  ASSERT_FALSE(cut);
  EXPECT_TRUE(cut.error().starts_with(path_ + " is not a data plane configuration: ")) << cut.error();
}

TEST_F(StoreTest, NamesTheFileThatIsNotThere) {
  const auto missing = read_dataplane_config(path_);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error(), "cannot open " + path_ + ": No such file or directory");
}

TEST_F(StoreTest, AFailedWriteLeavesTheOldContents) {
  ASSERT_TRUE(write_file_atomically(path_, "old"));
  std::filesystem::create_directory(path_ + ".new");  // in the way of the file beside
  std::ofstream(path_ + ".new/x") << "x";
  EXPECT_FALSE(write_file_atomically(path_, "new"));
  EXPECT_EQ(*read_file(path_), "old");
}

TEST_F(StoreTest, DoesNotFollowAPlantedLink) {
  std::ofstream(dir_ + "/victim") << "precious";
  std::filesystem::create_symlink(dir_ + "/victim", path_ + ".new");
  ASSERT_TRUE(write_file_atomically(path_, "contents"));
  EXPECT_EQ(*read_file(dir_ + "/victim"), "precious");
  EXPECT_EQ(*read_file(path_), "contents");
}

TEST_F(StoreTest, ReadIsBounded) {
  std::ofstream(path_) << std::string(100, 'x');
  EXPECT_EQ(read_file(path_, 100)->size(), 100u);
  EXPECT_EQ(read_file(path_, 99).error(), path_ + " is larger than 99 bytes");
}

}  // namespace
}  // namespace swarmdns::config
