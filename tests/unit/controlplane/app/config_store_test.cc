#include "controlplane/app/config_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace swarmdns::controlplane {
namespace {

class ConfigStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/config_store_XXXXXX";
    dir_ = mkdtemp(pattern);
    file_ = dir_ + "/node.yaml";
    put(yaml("n1"));
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  std::string yaml(const std::string& name) const {
    return "node: {name: " + name + ", state_dir: " + dir_ +
           "}\ndataplane:\n  eal: {worker_cpus: [0]}\n  ports: [{device: net_null0, addresses: "
           "[10.0.0.1/24]}]\n";
  }
  void put(const std::string& text) { std::ofstream(file_) << text; }
  std::string chosen() {
    const auto start = ConfigStore(file_).choose();
    return start ? start->loaded.config.node().name() + (start->from_applied ? " applied" : " file")
                 : "refused";
  }

  std::string dir_;
  std::string file_;
};

TEST_F(ConfigStoreTest, FirstStartTakesTheFile) {
  EXPECT_EQ(chosen(), "n1 file");
}

TEST_F(ConfigStoreTest, WhatWasAppliedOutlivesARestart) {
  ASSERT_TRUE(ConfigStore(file_).note_file(dir_, yaml("n1")));
  EXPECT_EQ(chosen(), "n1 file");
  ASSERT_TRUE(ConfigStore(file_).note_applied(dir_, yaml("n2")));
  EXPECT_EQ(chosen(), "n2 applied");
  EXPECT_NE(ConfigStore(file_).choose()->note.find("has not changed since another configuration was applied"),
            std::string::npos);
}

TEST_F(ConfigStoreTest, AFileChangedSinceIsTheLaterWish) {
  ASSERT_TRUE(ConfigStore(file_).note_file(dir_, yaml("n1")));
  ASSERT_TRUE(ConfigStore(file_).note_applied(dir_, yaml("n2")));
  put(yaml("n3"));
  EXPECT_EQ(chosen(), "n3 file");
}

TEST_F(ConfigStoreTest, AnAppliedOneThatBecameUnreadableIsPassedOverAloud) {
  ASSERT_TRUE(ConfigStore(file_).note_file(dir_, yaml("n1")));
  ASSERT_TRUE(ConfigStore(file_).note_applied(dir_, "nonsense: true\n"));
  EXPECT_EQ(chosen(), "n1 file");
  EXPECT_NE(ConfigStore(file_).choose()->note.find("is not accepted any more"), std::string::npos);
}

TEST_F(ConfigStoreTest, ABadFileIsRefusedWithItsProblems) {
  put("node: {}\n");
  const auto start = ConfigStore(file_).choose();
  ASSERT_FALSE(start);
  EXPECT_NE(to_string(start.error()).find(file_ + ":1: node.name: is required"), std::string::npos)
      << to_string(start.error());
  std::filesystem::remove(file_);
  EXPECT_EQ(chosen(), "refused");
}

TEST_F(ConfigStoreTest, CopiesMayHoldSecretsAndAreRootsAlone) {
  ASSERT_TRUE(ConfigStore(file_).note_file(dir_, yaml("n1")));
  struct stat info {};
  ASSERT_EQ(stat((dir_ + "/config.yaml").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

}  // namespace
}  // namespace swarmdns::controlplane
