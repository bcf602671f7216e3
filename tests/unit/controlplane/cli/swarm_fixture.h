// swarmctl before a real admin server with a fake swarm behind it. The clock stands at 2026-11-22T17:10:00Z.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "controlplane/api/admin_server.h"
#include "controlplane/cli/cli.h"
#include "controlplane/cli/exit_codes.h"
#include "tests/unit/controlplane/api/fake_swarm.h"
#include "tests/unit/controlplane/api/one_answer_node.h"

namespace swarmdns::controlplane {

inline constexpr uint64_t kNow = 1795367400000;  // 2026-11-22T17:10:00Z
inline constexpr uint64_t kMinute = 60000;

class SwarmCli : public ::testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/swarm_cli_XXXXXX";
    dir_ = mkdtemp(pattern);
    auto server = AdminServer::start(dir_ + "/admin.sock", {"n1", {}, {}}, node_, &swarm_, nullptr);
    ASSERT_TRUE(server) << server.error();
    server_ = std::move(*server);
    swarm_.committed = committed();
  }
  void TearDown() override {
    server_.reset();
    std::filesystem::remove_all(dir_);
  }

  // `typed`: by a person at the terminal; nullptr: there is none.
  int run(const std::vector<std::string>& arguments, const char* typed = nullptr) {
    out_.str("");
    err_.str("");
    swarm_.asked.clear();
    std::istringstream in(typed != nullptr ? typed : "");
    CliEnvironment environment{.out = out_,
                               .err = err_,
                               .in = in,
                               .in_is_terminal = typed != nullptr,
                               .default_socket = dir_ + "/admin.sock",
                               .sudo_user = sudo_user_,
                               .connect = connect_admin,
                               .pause = [](int) { return true; },
                               .wall_ms = [] { return kNow; }};
    return run_cli(arguments, environment);
  }
  std::string out() const { return out_.str(); }
  std::string err() const { return err_.str(); }
  std::string path(const std::string& name) const { return dir_ + "/" + name; }
  std::string file(const std::string& name, const std::string& text) const {
    std::ofstream(path(name)) << text;
    return path(name);
  }
  static std::string contents(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static v1::Committed committed() {
    v1::Committed committed;
    committed.set_height(57);
    committed.set_leaf(3051);
    committed.set_time_ms(kNow);
    return committed;
  }

  // n1 leads, n2 votes, n3 is a backup of another region and away.
  void three_nodes() {
    v1::SwarmView& view = swarm_.view;
    view.set_member(true);
    view.set_name("lab");
    view.set_incarnation(1);
    view.set_self(1);
    view.set_phase("ready");
    view.set_log_state("leader");
    view.set_leader(1);
    view.set_term(4);
    view.set_height(1204);
    view.set_block_time_ms(kNow);
    view.set_checkpoint_height(1203);
    view.set_version(1);
    view.set_fence_epoch(2);
    view.set_certificate_expires_ms(kNow + 24 * 60 * kMinute);
    for (uint64_t id = 1; id <= 3; ++id) {
      v1::SwarmNode& node = *view.add_nodes();
      node.set_id(id);
      node.set_name("n" + std::to_string(id));
      node.set_address("10.54.0." + std::to_string(id) + ":8453");
      node.set_region(id == 3 ? "west" : "east");
      node.set_log_role(id == 1 ? "leader" : "voter");
      node.set_state(id == 3 ? "unreachable" : "up");
      v1::NodeReport& report = *node.mutable_report();
      report.set_node(id);
      report.set_phase("ready");
      report.set_busy_permille(123);
      report.set_queries_per_second(1234567);
      report.set_cache_budget_bytes(1000);
      report.set_cache_used_bytes(250);
      report.set_height(id == 3 ? 1100 : 1204);
    }
    view.mutable_nodes(1)->set_skew_ms(-12);
    view.mutable_nodes(1)->set_rtt_us(420);
    view.mutable_nodes(2)->set_backup(true);
    view.mutable_nodes(2)->set_heard_ms_ago(5 * kMinute);
  }

  std::string dir_;
  std::string sudo_user_;
  OneAnswerNode node_;
  FakeSwarm swarm_;
  std::unique_ptr<AdminServer> server_;

 private:
  std::ostringstream out_;
  std::ostringstream err_;
};

}  // namespace swarmdns::controlplane
