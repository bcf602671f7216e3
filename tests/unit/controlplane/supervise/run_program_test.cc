#include "controlplane/supervise/run_program.h"

#include <gtest/gtest.h>

namespace swarmdns::controlplane {
namespace {

TEST(RunProgram, CollectsOutputAndStatus) {
  const auto result = run_program({"/bin/sh", "-c", "echo out; echo err >&2; exit 3"}, 10000);
  ASSERT_TRUE(result) << result.error();
  EXPECT_EQ(result->exit_status, 3);
  EXPECT_EQ(result->output, "out\nerr\n");
}

TEST(RunProgram, NamesAProgramThatIsNotThere) {
  EXPECT_EQ(run_program({"/nonexistent/x"}, 1000).error(),
            "cannot run /nonexistent/x: No such file or directory");
}

TEST(RunProgram, KillsWhatDoesNotEnd) {
  EXPECT_EQ(run_program({"/bin/sleep", "1000"}, 50).error(), "/bin/sleep did not end within 50 ms");
}

TEST(RunProgram, BoundsTheOutput) {
  const auto result = run_program({"/bin/sh", "-c", "head -c 200000 /dev/zero"}, 10000);
  ASSERT_TRUE(result) << result.error();
  EXPECT_EQ(result->output.size(), 65536u);
  EXPECT_EQ(result->exit_status, 0);
}

}  // namespace
}  // namespace swarmdns::controlplane
