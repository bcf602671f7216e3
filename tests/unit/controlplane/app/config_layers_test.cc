#include "controlplane/app/config_layers.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "tests/unit/controlplane/support/temp_dir.h"

namespace swarmdns::controlplane {
namespace {

class ConfigLayersTest : public ::testing::Test {
 protected:
  ConfigLayersTest() { std::filesystem::create_directory(dir.path() + "/swarm"); }

  // As the node's own file has it.
  ConfigStore::Start start(const std::string& more = "") const {
    const std::string yaml = "node: {name: n1, region: east, user: root, state_dir: " + dir.path() +
                             "}\nresolver: {mode: none}\ndataplane:\n  eal: {worker_cpus: [0]}\n"
                             "  ports: [{device: net_null0, addresses: [10.0.0.1/24]}]\n"
                             "  upstream: {servers: [192.0.2.53]}\n" +
                             more;
    auto loaded = parse_config(yaml, "node.yaml");
    EXPECT_TRUE(loaded) << (loaded ? "" : to_string(loaded.error()));
    return {std::move(*loaded), yaml, false, ""};
  }
  static v1::KeptConfig layer(const std::string& document) {
    v1::KeptConfig kept;
    kept.set_height(40);
    kept.set_document(document);
    kept.set_name("n1");
    kept.set_region("east");
    return kept;
  }

  TempDir dir;
};

constexpr const char* kDocument =
    "all: {dataplane: {cache: {max_ttl_s: 1000}}}\n"
    "regions: {east: {dataplane: {cache: {max_ttl_s: 2000}}}, west: {dataplane: {cache: {max_ttl_s: 9}}}}\n"
    "nodes: {n1: {dataplane: {cache: {min_ttl_s: 5}}}}\n";

TEST_F(ConfigLayersTest, TheNodesPartsComeOnTopOfItsFile) {
  const v1::Config own =
      start("  cache: {max_ttl_s: 500, min_ttl_s: 1, max_entry_bytes: 4096}\n").loaded.config;
  const auto config = with_layer(
      own,
      layer("all: {dataplane: {cache: {max_ttl_s: 1000}}}\nregions: {east: {dataplane: {cache: {max_ttl_s: "
            "2000}}}}\nnodes: {n1: {dataplane: {cache: {min_ttl_s: 5}}}}\n"),
      "swarm.yaml");
  ASSERT_TRUE(config) << to_string(config.error());
  EXPECT_EQ(config->dataplane().cache().max_ttl_s(), 2000U);
  EXPECT_EQ(config->dataplane().cache().min_ttl_s(), 5U);
  EXPECT_EQ(config->dataplane().cache().max_entry_bytes(), 4096U);
}

TEST_F(ConfigLayersTest, WhatIsWrongNamesDocumentLineAndField) {
  const v1::Config own = start().loaded.config;
  const auto refused = with_layer(own, layer(kDocument), "swarm.yaml");
  ASSERT_FALSE(refused);
  EXPECT_EQ(to_string(refused.error()).find("swarm.yaml:2: regions.west.dataplane.cache.max_ttl_s: "), 0U)
      << to_string(refused.error());
  // Good by itself, and not together with the node's own file.
  const auto together =
      with_layer(own, layer("all: {dataplane: {cache: {min_ttl_s: 3600, max_ttl_s: 60}}}\n"), "swarm.yaml");
  ASSERT_FALSE(together);
  EXPECT_NE(to_string(together.error()).find("swarm.yaml: dataplane.cache."), std::string::npos)
      << to_string(together.error());
}

TEST_F(ConfigLayersTest, WithoutADocumentTheNodesFileStands) {
  const v1::Config own = start().loaded.config;
  const auto config = with_layer(own, {}, "");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->SerializeAsString(), own.SerializeAsString());
}

TEST_F(ConfigLayersTest, WhatIsInForceOutlivesARestart) {
  EXPECT_EQ(load_layer(dir.path())->height(), 0U);
  const v1::KeptConfig kept = layer("all: {dataplane: {cache: {max_ttl_s: 1000}}}\n");
  ASSERT_TRUE(keep_layer(dir.path(), kept));
  struct stat file {};
  ASSERT_EQ(stat((dir.path() + "/swarm/config.json").c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777, 0600U);
  const LayeredStart begun = layered_start(start());
  EXPECT_EQ(begun.problem, "");
  EXPECT_EQ(begun.layer.SerializeAsString(), kept.SerializeAsString());
  EXPECT_EQ(begun.config.dataplane().cache().max_ttl_s(), 1000U);
  ASSERT_TRUE(keep_layer(dir.path(), {}));
  EXPECT_EQ(layered_start(start()).layer.height(), 0U);
}

TEST_F(ConfigLayersTest, AStartThatCannotCarryItOutHasTheNodesFileAndSaysWhy) {
  ASSERT_TRUE(keep_layer(dir.path(), layer("all: {node: {admin_users: [nobody-of-that-name]}}\n")));
  LayeredStart begun = layered_start(start());
  EXPECT_NE(begun.problem.find("node.admin_users"), std::string::npos) << begun.problem;
  EXPECT_EQ(begun.layer.height(), 0U);
  EXPECT_EQ(begun.config.node().admin_users_size(), 0);
  std::ofstream(dir.path() + "/swarm/config.json") << "nonsense";
  begun = layered_start(start());
  EXPECT_NE(begun.problem.find("config.json cannot be read"), std::string::npos) << begun.problem;
  EXPECT_EQ(begun.config.node().name(), "n1");
}

}  // namespace
}  // namespace swarmdns::controlplane
