#include "controlplane/supervise/child.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <filesystem>

#include "controlplane/supervise/pid_file.h"

namespace swarmdns::controlplane {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto kPatience = seconds(20);

class ChildTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/child_XXXXXX";
    dir_ = mkdtemp(pattern);
  }
  void TearDown() override {
    // Children outlive their Child by design: what a test left running ends here.
    if (auto identity = read_pid_file(dir_ + "/x.pid")) {
      if (auto process = Process::adopt(*identity)) {
        process->send_signal(SIGKILL);
        process->wait_ended(10000);
        process->reap();
      }
    }
    std::filesystem::remove_all(dir_);
  }

  ChildOptions options(std::vector<std::string> argv) {
    ChildOptions result;
    result.name = "x";
    result.pid_file = dir_ + "/x.pid";
    result.prepare = [this, argv]() -> std::expected<SpawnOptions, std::string> {
      ++prepared_;
      return SpawnOptions{argv, ""};
    };
    result.back_off.first = milliseconds(1);
    result.back_off.max = milliseconds(20);
    return result;
  }

  template <typename Predicate>
  static bool eventually(Predicate predicate) {
    const auto deadline = Clock::now() + kPatience;
    while (Clock::now() < deadline) {
      if (predicate()) return true;
      std::this_thread::sleep_for(milliseconds(2));
    }
    return false;
  }

  std::string dir_;
  std::atomic<int> prepared_{0};
};

TEST_F(ChildTest, StartsAndStops) {
  Child child(options({"/bin/sleep", "1000"}));
  EXPECT_EQ(child.status().state, ChildState::kStopped);
  child.start();
  ASSERT_TRUE(child.wait_for(ChildState::kRunning, kPatience));
  const pid_t pid = child.status().pid;
  EXPECT_EQ(kill(pid, 0), 0);
  EXPECT_EQ(read_pid_file(dir_ + "/x.pid")->pid, pid);
  child.request_stop();
  ASSERT_TRUE(child.wait_for(ChildState::kStopped, kPatience));
  EXPECT_EQ(child.status().last_end, "killed by signal 15 (Terminated)");
  EXPECT_EQ(child.status().pid, 0);
  EXPECT_FALSE(std::filesystem::exists(dir_ + "/x.pid"));
}

TEST_F(ChildTest, RestartsWhatIsKilled) {
  Child child(options({"/bin/sleep", "1000"}));
  child.start();
  ASSERT_TRUE(child.wait_for(ChildState::kRunning, kPatience));
  const pid_t first = child.status().pid;
  kill(first, SIGKILL);
  ASSERT_TRUE(eventually([&] { return child.status().pid != 0 && child.status().pid != first; }));
  EXPECT_EQ(child.status().starts, 2u);
  EXPECT_EQ(child.status().last_end, "killed by signal 9 (Killed)");
}

TEST_F(ChildTest, BacksOffWhenItCannotStart) {
  auto broken = options({"/bin/true"});
  broken.prepare = [this]() -> std::expected<SpawnOptions, std::string> {
    ++prepared_;
    return std::unexpected("the configuration is bad");
  };
  broken.back_off.max = seconds(100);
  broken.back_off.first = seconds(50);
  Child child(std::move(broken));
  child.start();
  ASSERT_TRUE(child.wait_for(ChildState::kBackingOff, kPatience));
  EXPECT_EQ(child.status().last_end, "cannot start: the configuration is bad");
  EXPECT_GT(child.status().next_start_in, seconds(10));
  EXPECT_EQ(prepared_, 1);
  child.request_restart();  // the operator does not wait for the back-off
  EXPECT_TRUE(eventually([&] { return prepared_ == 2; }));
  child.request_stop();
  EXPECT_TRUE(child.wait_for(ChildState::kStopped, kPatience));
}

TEST_F(ChildTest, AChildThatEndsAtOnceIsTriedAgainAndAgain) {
  Child child(options({"/bin/false"}));
  child.start();
  EXPECT_TRUE(eventually([&] { return child.status().starts >= 4; }));
  EXPECT_EQ(child.status().last_end, "exit status 1");
}

TEST_F(ChildTest, DestructionLeavesTheProcessAndTheNextOneAdoptsIt) {
  pid_t pid = 0;
  {
    Child child(options({"/bin/sleep", "1000"}));
    child.start();
    ASSERT_TRUE(child.wait_for(ChildState::kRunning, kPatience));
    pid = child.status().pid;
  }
  ASSERT_EQ(kill(pid, 0), 0);
  prepared_ = 0;
  Child next(options({"/bin/sleep", "1000"}));
  next.start();
  ASSERT_TRUE(next.wait_for(ChildState::kRunning, kPatience));
  EXPECT_EQ(next.status().pid, pid);
  EXPECT_TRUE(next.status().adopted);
  EXPECT_EQ(next.status().starts, 0u);
  EXPECT_EQ(prepared_, 0);
  kill(pid, SIGKILL);
  ASSERT_TRUE(eventually([&] { return next.status().pid != 0 && next.status().pid != pid; }));
  EXPECT_FALSE(next.status().adopted);
}

TEST_F(ChildTest, APidFileOfAnotherProcessIsNotAdopted) {
  auto stranger = Process::spawn({{"/bin/sleep", "1000"}, ""});
  ASSERT_TRUE(stranger) << stranger.error();
  ProcessIdentity stale = stranger->identity();
  stale.start_ticks -= 1;
  ASSERT_TRUE(write_pid_file(dir_ + "/x.pid", stale));
  {
    Child child(options({"/bin/sleep", "1000"}));
    child.start();
    ASSERT_TRUE(child.wait_for(ChildState::kRunning, kPatience));
    EXPECT_NE(child.status().pid, stranger->pid());
    child.request_stop();
    ASSERT_TRUE(child.wait_for(ChildState::kStopped, kPatience));
  }
  EXPECT_EQ(kill(stranger->pid(), 0), 0);
  stranger->send_signal(SIGKILL);
  stranger->wait_ended(10000);
  stranger->reap();
}

TEST_F(ChildTest, AdoptOnlyStartsNothing) {
  Child child(options({"/bin/sleep", "1000"}));
  child.adopt_only();
  ASSERT_TRUE(child.wait_for(ChildState::kStopped, kPatience));
  EXPECT_EQ(prepared_, 0);
}

TEST_F(ChildTest, KillsWhatDoesNotHearSigterm) {
  auto stubborn =
      options({"/bin/sh", "-c", "trap '' TERM; touch " + dir_ + "/ready; while :; do sleep 0.01; done"});
  stubborn.stop_timeout = milliseconds(30);
  Child child(std::move(stubborn));
  child.start();
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(dir_ + "/ready"); }));
  child.request_stop();
  ASSERT_TRUE(child.wait_for(ChildState::kStopped, kPatience));
  EXPECT_EQ(child.status().last_end, "killed by signal 9 (Killed)");
}

TEST_F(ChildTest, RestartsWhatDoesNotAnswerItsProbe) {
  std::atomic<bool> good{true};
  auto probed = options({"/bin/sleep", "1000"});
  probed.probe = [&good] { return good.load(); };
  probed.probe_interval = milliseconds(1);
  probed.probe_grace = milliseconds(0);
  probed.probe_failures = 3;
  Child child(std::move(probed));
  child.start();
  ASSERT_TRUE(eventually([&] { return child.status().healthy == true; }));
  const pid_t first = child.status().pid;
  good = false;
  ASSERT_TRUE(eventually([&] { return child.status().pid != 0 && child.status().pid != first; }));
  good = true;
  ASSERT_TRUE(eventually([&] { return child.status().healthy == true; }));
}

TEST_F(ChildTest, FailedProbesDoNotCountInTheGraceAfterAStart) {
  std::atomic<int> probes{0};
  auto slow = options({"/bin/sleep", "1000"});
  slow.probe = [&probes] { return ++probes > 20; };
  slow.probe_interval = milliseconds(1);
  slow.probe_grace = seconds(1000);
  slow.probe_failures = 2;
  Child child(std::move(slow));
  child.start();
  ASSERT_TRUE(eventually([&] { return child.status().healthy == true; }));
  EXPECT_EQ(child.status().starts, 1u);
}

TEST_F(ChildTest, RequestedRestartIsNotAFailure) {
  auto patient = options({"/bin/sleep", "1000"});
  patient.back_off.first = seconds(100);  // a back-off would not end within the test
  patient.back_off.max = seconds(100);
  Child child(std::move(patient));
  child.start();
  ASSERT_TRUE(child.wait_for(ChildState::kRunning, kPatience));
  const pid_t first = child.status().pid;
  child.request_restart();
  ASSERT_TRUE(child.wait_for(ChildState::kRunning, kPatience));
  EXPECT_NE(child.status().pid, first);
}

}  // namespace
}  // namespace swarmdns::controlplane
