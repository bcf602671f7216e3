#include "controlplane/supervise/process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <filesystem>

#include "proto/config/store.h"

namespace swarmdns::controlplane {
namespace {

TEST(Process, SaysHowItEnded) {
  auto process = Process::spawn({{"/bin/sh", "-c", "exit 7"}, ""});
  ASSERT_TRUE(process) << process.error();
  ASSERT_TRUE(process->wait_ended(10000));
  EXPECT_EQ(process->reap(), "exit status 7");

  auto killed = Process::spawn({{"/bin/sleep", "100"}, ""});
  ASSERT_TRUE(killed) << killed.error();
  EXPECT_FALSE(killed->wait_ended(0));
  EXPECT_TRUE(killed->send_signal(SIGKILL));
  ASSERT_TRUE(killed->wait_ended(10000));
  EXPECT_EQ(killed->reap(), "killed by signal 9 (Killed)");
  EXPECT_FALSE(killed->send_signal(SIGTERM));
}

TEST(Process, NamesAProgramThatIsNotThere) {
  const auto process = Process::spawn({{"/nonexistent/program"}, ""});
  ASSERT_FALSE(process);
  EXPECT_EQ(process.error(), "cannot run /nonexistent/program: No such file or directory");
}

TEST(Process, RunsInASessionOfItsOwnWithoutOurDescriptorsOrSignals) {
  char pattern[] = "/tmp/process_XXXXXX";
  const std::string dir = mkdtemp(pattern);
  const int leaked = dup(0);  // not close-on-exec
  sigset_t blocked;
  sigset_t before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &blocked, &before);
  auto process = Process::spawn({{"/bin/sh", "-c",
                                  "ls /proc/self/fd | wc -l; grep SigBlk /proc/self/status; cut -d' ' -f6 "
                                  "/proc/self/stat; echo $$; pwd"},
                                 dir + "/log"});
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ASSERT_TRUE(process) << process.error();
  ASSERT_TRUE(process->wait_ended(10000));
  EXPECT_EQ(process->reap(), "exit status 0");
  const std::string pid = std::to_string(process->pid());
  // 0, 1, 2 and the directory that ls reads; the session is the process's own.
  EXPECT_EQ(*config::read_file(dir + "/log"), "4\nSigBlk:\t0000000000000000\n" + pid + "\n" + pid + "\n/\n");
  close(leaked);
  std::filesystem::remove_all(dir);
}

TEST(Process, AdoptsOnlyTheVeryProcess) {
  auto process = Process::spawn({{"/bin/sleep", "100"}, ""});
  ASSERT_TRUE(process) << process.error();
  auto adopted = Process::adopt(process->identity());
  ASSERT_TRUE(adopted);
  EXPECT_TRUE(adopted->adopted());
  ProcessIdentity other = process->identity();
  other.start_ticks += 1;  // the pid came again
  EXPECT_FALSE(Process::adopt(other));
  other = process->identity();
  other.boot_id = "another boot";
  EXPECT_FALSE(Process::adopt(other));
  process->send_signal(SIGKILL);
  ASSERT_TRUE(adopted->wait_ended(10000));
  process->reap();
  EXPECT_FALSE(Process::adopt(process->identity()));
}

TEST(Process, AZombieIsNotAdopted) {
  auto process = Process::spawn({{"/bin/sh", "-c", "exit 0"}, ""});
  ASSERT_TRUE(process) << process.error();
  ASSERT_TRUE(process->wait_ended(10000));
  EXPECT_FALSE(Process::adopt(process->identity()));
  process->reap();
}

TEST(Process, NeverAdoptsInitOrNothing) {
  EXPECT_FALSE(Process::adopt(ProcessIdentity{}));
  EXPECT_FALSE(Process::adopt(*identity_of(1)));
}

TEST(IdentityOf, SurvivesANameWithParenthesesAndSpaces) {
  char pattern[] = "/tmp/process_XXXXXX";
  const std::string dir = mkdtemp(pattern);
  const std::string odd = dir + "/a) S 1 (b";
  std::filesystem::copy_file("/bin/sleep", odd);
  auto process = Process::spawn({{odd, "100"}, ""});
  ASSERT_TRUE(process) << process.error();
  auto adopted = Process::adopt(process->identity());
  EXPECT_TRUE(adopted);
  EXPECT_GT(process->identity().start_ticks, 1u);
  process->send_signal(SIGKILL);
  process->wait_ended(10000);
  process->reap();
  std::filesystem::remove_all(dir);
}

}  // namespace
}  // namespace swarmdns::controlplane
