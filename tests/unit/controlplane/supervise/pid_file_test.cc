#include "controlplane/supervise/pid_file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace swarmdns::controlplane {
namespace {

TEST(PidFile, RoundTripsAndRefusesNonsense) {
  char pattern[] = "/tmp/pid_file_XXXXXX";
  const std::string dir = mkdtemp(pattern);
  const std::string path = dir + "/x.pid";
  EXPECT_FALSE(read_pid_file(path));
  const ProcessIdentity identity{4711, 123456789012345, "0b1c"};
  ASSERT_TRUE(write_pid_file(path, identity));
  EXPECT_EQ(read_pid_file(path), identity);
  for (const char* nonsense : {"", "4711", "4711 5", "x 5 y", "-1 5 y", "1 5 y", "0 5 y"}) {
    std::ofstream(path) << nonsense;
    EXPECT_FALSE(read_pid_file(path)) << nonsense;
  }
  std::filesystem::remove_all(dir);
}

}  // namespace
}  // namespace swarmdns::controlplane
