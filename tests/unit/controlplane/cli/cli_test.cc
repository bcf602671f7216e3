#include "controlplane/cli/cli.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "controlplane/cli/exit_codes.h"
#include "proto/config/store.h"
#include "tests/unit/controlplane/api/fake_swarm.h"
#include "tests/unit/controlplane/cli/fake_node.h"

namespace swarmdns::controlplane {
namespace {

class CliTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/cli_XXXXXX";
    dir_ = mkdtemp(pattern);
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  int run(const std::vector<std::string>& arguments) {
    out_.str("");
    err_.str("");
    std::istringstream in;
    CliEnvironment environment{
        .out = out_,
        .err = err_,
        .in = in,
        .default_socket = "/default.sock",
        .connect = [this](const std::string& socket) -> Outcome<AdminConnection> {
          socket_ = socket;
          if (unreachable_) return std::unexpected(*unreachable_);
          return AdminConnection{std::make_unique<FakeNode>(script_), std::make_unique<FakeSwarm>()};
        },
        .pause =
            [this](int ms) {
              paused_ms_ += ms;
              return true;
            },
        .wall_ms = [] { return uint64_t{0}; }};
    return run_cli(arguments, environment);
  }
  std::string file(const std::string& text) {
    const std::string path = dir_ + "/file";
    std::ofstream(path) << text;
    return path;
  }
  std::string out() const { return out_.str(); }
  std::string err() const { return err_.str(); }

  std::string dir_;
  FakeNode::Script script_;
  std::optional<Refusal> unreachable_;
  std::string socket_;
  int paused_ms_ = 0;

 private:
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(CliTest, WrongUsageIsTwo) {
  EXPECT_EQ(run({}), kExitUsage);
  EXPECT_EQ(run({"frobnicate"}), kExitUsage);
  EXPECT_EQ(run({"cache"}), kExitUsage);
  EXPECT_EQ(run({"cache", "show"}), kExitUsage);
  EXPECT_EQ(run({"status", "extra"}), kExitUsage);
  EXPECT_EQ(run({"-o", "xml", "status"}), kExitUsage);
  EXPECT_EQ(run({"node", "stop", "everything"}), kExitUsage);
  EXPECT_EQ(run({"stats", "--interval", "0"}), kExitUsage);
  EXPECT_EQ(run({"completion", "tcsh"}), kExitUsage);
  EXPECT_EQ(socket_, "");  // nobody was asked anything
  EXPECT_NE(err().find("Try swarmctl --help"), std::string::npos);
}

TEST_F(CliTest, HelpAndVersionAreZero) {
  EXPECT_EQ(run({"--help"}), 0);
  EXPECT_NE(out().find("Exit status: 0 done"), std::string::npos);
  EXPECT_EQ(run({"cache", "flush", "--help"}), 0);
  EXPECT_NE(out().find("--zone"), std::string::npos);
  EXPECT_EQ(run({"--version"}), 0);
}

TEST_F(CliTest, SocketComesFromTheOptionOrTheDefault) {
  run({"status"});
  EXPECT_EQ(socket_, "/default.sock");
  run({"--socket", "/x.sock", "status"});
  EXPECT_EQ(socket_, "/x.sock");
  run({"status", "--socket", "/y.sock"});
  EXPECT_EQ(socket_, "/y.sock");
}

TEST_F(CliTest, EveryRefusalHasItsExitCode) {
  const std::pair<Refusal::Kind, int> cases[] = {
      {Refusal::Kind::kInvalid, 4},     {Refusal::Kind::kNotFound, 5},    {Refusal::Kind::kPrecondition, 4},
      {Refusal::Kind::kUnavailable, 3}, {Refusal::Kind::kUnreachable, 3}, {Refusal::Kind::kForbidden, 6},
      {Refusal::Kind::kFailed, 1}};
  for (const auto& [kind, code] : cases) {
    script_.refusal = Refusal{kind, "because"};
    EXPECT_EQ(run({"stats"}), code);
    EXPECT_EQ(err(), "swarmctl: because\n");
    EXPECT_EQ(out(), "");
  }
}

TEST_F(CliTest, WithoutAControlPlaneItSaysSoAndEndsWithThree) {
  unreachable_ = Refusal{Refusal::Kind::kUnreachable, "the control plane is not reachable"};
  for (const auto& command : std::vector<std::vector<std::string>>{{"status"},
                                                                   {"stats"},
                                                                   {"cache", "show", "a"},
                                                                   {"cache", "flush", "a"},
                                                                   {"config", "show"},
                                                                   {"node", "start"}}) {
    EXPECT_EQ(run(command), kExitUnreachable);
    EXPECT_EQ(err(), "swarmctl: the control plane is not reachable\n");
  }
}

TEST_F(CliTest, ConfigCheckWorksBeforeTheFirstStart) {
  unreachable_ = Refusal{Refusal::Kind::kUnreachable, "down"};
  EXPECT_EQ(run({"config", "check", file("node: {name: N1}\n")}), kExitRefused);
  EXPECT_NE(err().find("acting on this machine directly"), std::string::npos);
  EXPECT_NE(err().find(":1: node.name: \"N1\" is not a host label"), std::string::npos) << err();
  unreachable_->kind = Refusal::Kind::kForbidden;  // there is one, and it says no: no way around it
  EXPECT_EQ(run({"config", "check", file("node: {name: n1}\n")}), kExitForbidden);
}

TEST_F(CliTest, ConfigCheckPrintsProblemsAndRefuses) {
  auto* problem = script_.report.add_problems();
  problem->set_file("f.yaml");
  problem->set_line(3);
  problem->set_path("node.name");
  problem->set_text("is required");
  const std::string path = file("yaml");
  EXPECT_EQ(run({"config", "check", path}), kExitRefused);
  EXPECT_EQ(script_.asked, "check " + path + " yaml");
  EXPECT_EQ(err(), "f.yaml:3: node.name: is required\nswarmctl: " + path + " is refused: 1 problem\n");
  EXPECT_EQ(run({"config", "apply", path}), kExitRefused);
  EXPECT_NE(err().find("the running configuration is untouched"), std::string::npos);
  EXPECT_EQ(run({"config", "check", dir_ + "/none"}), kExitNotFound);
}

TEST_F(CliTest, ConfigApplySaysWhatWaitsForARestart) {
  script_.report.set_accepted(true);
  script_.report.add_live("dataplane.cache.max_ttl_s");
  script_.report.add_restart_required("dataplane.cache.memory_mib");
  const std::string path = file("yaml");
  EXPECT_EQ(run({"config", "apply", path}), kExitOk);
  EXPECT_EQ(out(),
            path +
                ": applied\nin force now:\n  dataplane.cache.max_ttl_s\ntakes effect when the data plane is "
                "restarted (swarmctl node restart dataplane):\n  dataplane.cache.memory_mib\n");
}

TEST_F(CliTest, FlushNeedsExactlyOneScope) {
  EXPECT_EQ(run({"cache", "flush"}), kExitUsage);
  EXPECT_EQ(
      err(),
      "swarmctl: cache flush needs a scope: a NAME, --zone ZONE for everything below a name, or --all for "
      "the whole cache\n");
  EXPECT_EQ(run({"cache", "flush", "a.", "--all"}), kExitUsage);
  EXPECT_EQ(run({"cache", "flush", "--zone", "a", "--type", "A"}), kExitUsage);
  EXPECT_EQ(socket_, "");
  EXPECT_EQ(run({"cache", "flush", "a..b"}), kExitUsage);
  EXPECT_EQ(run({"cache", "flush", "a.b", "--type", "NOTYPE"}), kExitUsage);
  EXPECT_EQ(script_.asked, "");
  EXPECT_EQ(run({"cache", "flush", "--all"}), kExitOk);
  EXPECT_EQ(script_.asked, "flush 3 0");
  EXPECT_EQ(run({"cache", "flush", "--zone", "b"}), kExitOk);
  EXPECT_EQ(script_.asked, "flush 2 0");
  EXPECT_EQ(run({"cache", "flush", "a.b", "--type", "AAAA"}), kExitOk);
  EXPECT_EQ(script_.asked, "flush 1 28");
}

TEST_F(CliTest, FlushSaysWhenTheResolverKeptItsData) {
  script_.flushed.set_removed(1);
  script_.flushed.set_resolver_note("it is down");
  EXPECT_EQ(run({"cache", "flush", "a"}), kExitOk);
  EXPECT_EQ(out(), "flushed 1 entry\nNote: the resolver was not flushed: it is down\n");
}

TEST_F(CliTest, ShowOfANameThatIsNotThereIsFive) {
  EXPECT_EQ(run({"cache", "show", "a.example", "mx"}), kExitNotFound);
  EXPECT_EQ(script_.asked, "lookup 11 15");
  EXPECT_EQ(err(), "swarmctl: a.example mx is not in the cache\n");
  EXPECT_EQ(run({"-o", "json", "cache", "show", "a.example"}), kExitNotFound);
  EXPECT_EQ(out(), "{\n  \"entries\": []\n}\n");
}

TEST_F(CliTest, ShowPrintsRecords) {
  auto* entry = script_.found.add_entries();
  entry->mutable_key()->set_qname(std::string("\1a\0", 3));
  entry->mutable_key()->set_qtype(1);
  entry->set_sections(std::string("\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1", 16));
  entry->set_answers(1);
  entry->set_remaining_ms(-5000);
  entry->set_authenticated(true);
  EXPECT_EQ(run({"cache", "show", "a"}), kExitOk);
  EXPECT_EQ(out(), ";; a. A ad, NOERROR, stale for 5 s\na.\t60\tIN\tA\t192.0.2.1\n");
  EXPECT_EQ(run({"cache", "show", "a", "-o", "json"}), kExitOk);
  EXPECT_NE(out().find("{\"section\": \"answer\", \"name\": \"a.\", \"ttl\": 60, \"type\": \"A\", \"rdata\": "
                       "\"192.0.2.1\"}"),
            std::string::npos)
      << out();
}

TEST_F(CliTest, DumpAndLoad) {
  v1::CacheSlice slice;
  slice.mutable_header()->set_magic("SWARMDNS-CACHE");
  slice.mutable_header()->set_format(1);
  script_.slices.push_back(slice);
  slice.mutable_entries()->add_entries();
  script_.slices.push_back(slice);
  slice.mutable_trailer()->set_entries(1);
  script_.slices.push_back(slice);
  const std::string path = dir_ + "/dump";
  EXPECT_EQ(run({"cache", "dump", path}), kExitOk) << err();
  EXPECT_NE(out().find("1 entries"), std::string::npos) << out();
  EXPECT_EQ(run({"cache", "load", path}), kExitOk) << err();
  EXPECT_EQ(script_.asked, "load 3");
  script_.slices.pop_back();
  EXPECT_EQ(run({"cache", "dump", dir_ + "/broken"}), kExitFailed);
  EXPECT_FALSE(std::filesystem::exists(dir_ + "/broken"));
  script_.asked.clear();
  EXPECT_EQ(run({"cache", "load", file("nonsense")}), kExitRefused);
  EXPECT_NE(err().find("the cache is untouched"), std::string::npos);
  EXPECT_EQ(script_.asked, "");
}

TEST_F(CliTest, StatsHideZerosAndComputeRates) {
  v1::StatsSnapshot stats;
  stats.set_uptime_ms(10000);
  auto* counter = stats.add_counters();
  counter->set_name("frames.rx");
  counter->set_value(1000);
  stats.add_counters()->set_name("drop.other");
  script_.stats.push_back(stats);
  stats.set_uptime_ms(12000);
  stats.mutable_counters(0)->set_value(4000);
  script_.stats.push_back(stats);
  EXPECT_EQ(run({"stats"}), kExitOk);
  EXPECT_EQ(out(), "up 10 s\nCOUNTER    TOTAL\nframes.rx  1,000\n1 counters at 0 not shown (--all)\n");
  script_.stats_asked = 0;
  EXPECT_EQ(run({"stats", "--watch", "--interval", "2", "--count", "2", "--all"}), kExitOk);
  EXPECT_EQ(paused_ms_, 2000);
  EXPECT_NE(out().find("frames.rx   4,000       1,500\n"), std::string::npos) << out();
}

TEST_F(CliTest, StatsShowQuantilesOfHistograms) {
  v1::StatsSnapshot stats;
  auto* histogram = stats.add_histograms();
  histogram->set_name("latency.hit");
  histogram->set_sum_ns(100000);
  for (const auto& [upper, count] :
       std::vector<std::pair<uint64_t, uint64_t>>{{500, 90}, {2000, 9}, {UINT64_MAX, 1}}) {
    histogram->add_upper_ns(upper);
    histogram->add_counts(count);
  }
  script_.stats.push_back(stats);
  EXPECT_EQ(run({"stats"}), kExitOk);
  EXPECT_NE(out().find("latency.hit    100  1.0 us  500 ns  500 ns  2.0 us  2.0 us\n"), std::string::npos)
      << out();
}

TEST_F(CliTest, JsonOfStatsHasNumbers) {
  v1::StatsSnapshot stats;
  auto* counter = stats.add_counters();
  counter->set_name("frames.rx");
  counter->set_value(7);
  script_.stats.push_back(stats);
  EXPECT_EQ(run({"--output", "json", "stats"}), kExitOk);
  EXPECT_NE(out().find("\"name\": \"frames.rx\",\n      \"value\": 7,"), std::string::npos) << out();
}

TEST_F(CliTest, PortsAndProcesses) {
  EXPECT_EQ(run({"port", "bind", "0000:01:00.0", "--force"}), kExitOk);
  EXPECT_EQ(script_.asked, "bind 0000:01:00.0 force");
  EXPECT_EQ(run({"port", "unbind", "0000:01:00.0", "--driver", "e1000e"}), kExitOk);
  EXPECT_EQ(script_.asked, "unbind 0000:01:00.0 e1000e");
  EXPECT_EQ(run({"port", "status", "eth0"}), kExitOk);
  EXPECT_EQ(script_.asked, "ports eth0");
  EXPECT_EQ(run({"port", "status", ""}), kExitNotFound);  // not all of them
  EXPECT_EQ(script_.asked, "ports eth0");
  EXPECT_EQ(run({"node", "restart", "dataplane"}), kExitOk);
  EXPECT_EQ(script_.asked, "control 3 dataplane");
  EXPECT_EQ(run({"node", "stop"}), kExitOk);
  EXPECT_EQ(script_.asked, "control 1 ");
}

TEST_F(CliTest, StatusNamesWhatIsDownAndWhatWaits) {
  script_.status.set_node("n1");
  script_.status.set_dataplane_error("nobody answers");
  script_.status.add_restart_required("cache.memory_mib");
  script_.status.add_warnings("something");
  auto* process = script_.status.add_processes();
  process->set_name("dataplane");
  process->set_state("waiting to restart");
  process->set_last_end("exit status 1");
  EXPECT_EQ(run({"status"}), kExitUnreachable);
  for (const char* text : {"node n1", "waiting to restart", "last end: exit status 1", "nobody answers",
                           "cache.memory_mib", "Warning: something"}) {
    EXPECT_NE(out().find(text), std::string::npos) << text << "\n" << out();
  }
  EXPECT_EQ(run({"-o", "json", "status"}), kExitUnreachable);
  script_.status.set_dataplane_reachable(true);
  EXPECT_EQ(run({"status"}), kExitOk);
  EXPECT_EQ(run({"-o", "json", "status"}), kExitOk);
}

TEST_F(CliTest, StatusSaysHowTheRestartSnapshotIs) {
  script_.status.set_node("n1");
  script_.status.set_dataplane_reachable(true);
  v1::SnapshotStatus& snapshot = *script_.status.mutable_dataplane()->mutable_snapshot();
  EXPECT_EQ(run({"status"}), kExitOk);
  EXPECT_NE(out().find("off (dataplane.cache.restart_snapshot_s)"), std::string::npos) << out();
  snapshot.set_every_s(300);
  snapshot.set_written_wall_ms(1'700'000'000'000);
  snapshot.set_written_entries(1234);
  snapshot.set_written_bytes(5 << 20);
  snapshot.set_loaded_wall_ms(1'699'999'000'000);
  snapshot.set_loaded(1000);
  snapshot.set_held(7);
  snapshot.add_troubles("the disk is full");
  EXPECT_EQ(run({"status"}), kExitOk);
  for (const char* text : {"1,234 entries, 5", "written 2023-11-14T22:13:20Z", "1,000 entries came back",
                           "of the one of 2023-11-14T21:56:40Z", "7 of other nodes wait", "the disk is full"})
    EXPECT_NE(out().find(text), std::string::npos) << text << " is not in " << out();
}

TEST_F(CliTest, ReferenceNeedsNoNode) {
  unreachable_ = Refusal{Refusal::Kind::kUnreachable, "down"};
  EXPECT_EQ(run({"config", "reference"}), kExitOk);
  EXPECT_NE(out().find("# Configuration"), std::string::npos);
}

}  // namespace
}  // namespace swarmdns::controlplane
