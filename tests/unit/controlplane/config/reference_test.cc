#include "controlplane/config/reference.h"

#include <gtest/gtest.h>

#include "controlplane/config/yaml_reader.h"
#include "proto/config/store.h"

namespace swarmdns::controlplane {
namespace {

TEST(ConfigReference, PageInTheDocsIsTheOneOfThisSchema) {
  const auto page = swarmdns::config::read_file(SWARMDNS_SOURCE_ROOT "/docs/configuration.md");
  ASSERT_TRUE(page) << page.error();
  EXPECT_TRUE(*page == config_reference())
      << "docs/configuration.md is stale: swarmctl config reference > docs/configuration.md";
}

TEST(ConfigReference, NamesEveryKeyAndNoInternalOne) {
  const std::string page = config_reference();
  EXPECT_NE(page.find("## dataplane.ports (list)"), std::string::npos);
  EXPECT_NE(
      page.find(
          "| `memory_mib` | fixed budget of table and entries | a whole number from 16 to 32768 (MiB) | "
          "`256` | restart |"),
      std::string::npos);
  EXPECT_NE(
      page.find("| `otherwise` | what a client gets that no prefix matches | one of: allow, deny, refuse | "
                "`refuse` | live |"),
      std::string::npos);
  EXPECT_EQ(page.find("node_name"), std::string::npos);
}

TEST(ConfigExample, IsAccepted) {
  const auto loaded = load_config(SWARMDNS_SOURCE_ROOT "/docs/examples/node.yaml");
  ASSERT_TRUE(loaded) << to_string(loaded.error());
  EXPECT_EQ(loaded->config.node().name(), "edge1");
}

}  // namespace
}  // namespace swarmdns::controlplane
