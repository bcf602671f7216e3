#include "controlplane/ports/machine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace swarmdns::controlplane {
namespace {

TEST(Machine, ReadsAttributesLinksAndFolders) {
  char pattern[] = "/tmp/machine_XXXXXX";
  const std::string dir = mkdtemp(pattern);
  std::ofstream(dir + "/attribute") << "0x020000\n";
  std::filesystem::create_symlink("../../drivers/e1000e", dir + "/driver");
  Machine machine(dir);
  EXPECT_EQ(machine.attribute(dir + "/attribute"), "0x020000");
  EXPECT_FALSE(machine.attribute(dir + "/none"));
  EXPECT_EQ(machine.link_name(dir + "/driver"), "e1000e");
  EXPECT_EQ(machine.link_name(dir + "/attribute"), "");
  EXPECT_EQ(machine.entries(dir), (std::vector<std::string>{"attribute", "driver"}));
  EXPECT_TRUE(machine.entries(dir + "/none").empty());
  EXPECT_FALSE(machine.write(dir + "/none/x", "y"));
  std::filesystem::remove_all(dir);
}

TEST(Machine, KnowsTheAddressOfTheLoopback) {
  const auto addresses = Machine().addresses("lo");
  EXPECT_NE(std::find(addresses.begin(), addresses.end(), "127.0.0.1/8"), addresses.end());
  EXPECT_TRUE(Machine().addresses("no-such-if").empty());
  EXPECT_FALSE(Machine().has_default_route("lo"));
}

}  // namespace
}  // namespace swarmdns::controlplane
