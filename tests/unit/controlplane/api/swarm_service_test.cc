// The service SwarmAdmin from one end to the other: swarmctl's client, the socket, who is at its end, a
// swarm.
#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "controlplane/api/admin_server.h"
#include "controlplane/api/callers.h"
#include "controlplane/cli/admin_connection.h"
#include "tests/unit/controlplane/api/fake_swarm.h"
#include "tests/unit/controlplane/api/one_answer_node.h"

namespace swarmdns::controlplane {
namespace {

constexpr uid_t kNobody = 65534;

TEST(Callers, ThePrincipalIsTheKernelsWordAndTheClaimAnAddition) {
  Callers callers({"n1", {}, {}});
  callers.peers().connected(5, {100, 0, 0});
  callers.peers().connected(6, {101, 4000000, 0});
  EXPECT_EQ(*callers.principal("fd:5", ""), "root@n1");
  EXPECT_EQ(*callers.principal("fd:5", "root"), "root@n1");
  EXPECT_EQ(*callers.principal("fd:5", "alice"), "root (sudo by alice)@n1");
  EXPECT_EQ(*callers.principal("fd:6", ""), "uid 4000000@n1");
  // What could be read as another part of a principal is no name.
  for (const char* odd : {"alice)@n2 (", "a b", "x@n1", "\x1b[31m"}) {
    EXPECT_EQ(*callers.principal("fd:5", odd), "root@n1") << odd;
  }
  callers.set_access({"n2", {}, {}});
  EXPECT_EQ(*callers.principal("fd:5", ""), "root@n2");
  EXPECT_EQ(callers.principal("fd:9", "").error().kind, Refusal::Kind::kForbidden);
}

TEST(Callers, NamesAreForRootAndReaders) {
  Callers callers({"n1", {1000, 1001}, {1001}});
  callers.peers().connected(5, {100, 0, 0});
  callers.peers().connected(6, {101, 1001, 0});
  callers.peers().connected(7, {102, 4000000, 0});
  EXPECT_TRUE(callers.may_read_names("fd:5"));
  EXPECT_TRUE(callers.may_read_names("fd:6"));
  const auto refused = callers.may_read_names("fd:7");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Refusal::Kind::kForbidden);
  EXPECT_EQ(
      refused.error().text,
      "uid 4000000 may not read the names that the ledger holds; use sudo, or have root add the user to "
      "node.ledger_readers");
  EXPECT_FALSE(callers.may_read_names("fd:8"));
  callers.set_access({"n1", {1001}, {}});
  EXPECT_FALSE(callers.may_read_names("fd:6"));
}

class SwarmServiceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/swarm_service_XXXXXX";
    dir_ = mkdtemp(pattern);
    chmod(dir_.c_str(), 0755);
    start(&swarm_);
    connection_ = connected();
  }
  void TearDown() override {
    connection_ = {};
    server_.reset();
    std::filesystem::remove_all(dir_);
  }
  void start(SwarmControl* swarm) {
    server_.reset();
    auto server = AdminServer::start(dir_ + "/admin.sock", {"n1", {kNobody}, {}}, node_, swarm, nullptr);
    ASSERT_TRUE(server) << server.error();
    server_ = std::move(*server);
  }
  // As another user: of the thread that connects alone.
  AdminConnection connected(uid_t uid = 0) {
    AdminConnection made;
    std::thread([&] {
      if (uid != 0 && syscall(SYS_setresuid, uid, uid, uid) != 0) return;
      if (auto connection = connect_admin(dir_ + "/admin.sock")) made = std::move(*connection);
    }).join();
    EXPECT_TRUE(made.swarm);
    return made;
  }
  SwarmControl& client() { return *connection_.swarm; }
  static std::string me() { return user_name(geteuid()); }

  std::string dir_;
  OneAnswerNode node_;
  FakeSwarm swarm_;
  std::unique_ptr<AdminServer> server_;
  AdminConnection connection_;
};

std::string wire(const std::string& label) {
  return std::string(1, static_cast<char>(label.size())) + label + std::string(1, '\0');
}

TEST_F(SwarmServiceTest, PutsThePrincipalIntoRequests) {
  v1::SetRoleRequest request;
  request.set_node("n2");
  request.mutable_caller()->set_principal("alice");
  request.mutable_caller()->set_reason("second site");
  request.mutable_caller()->set_request_id(std::string(16, 'i'));
  ASSERT_TRUE(client().set_role(request));
  EXPECT_EQ(swarm_.caller.principal(), me() + " (sudo by alice)@n1");
  EXPECT_EQ(swarm_.caller.reason(), "second site");
  EXPECT_EQ(swarm_.caller.request_id(), std::string(16, 'i'));
  server_->set_access({"renamed", {}, {}});
  ASSERT_TRUE(client().leave_swarm({}, [](const v1::Progress&) { return true; }));
  EXPECT_EQ(swarm_.caller.principal(), me() + "@renamed");
}

TEST_F(SwarmServiceTest, AnotherUserIsAnotherPrincipal) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to become another user";
  const AdminConnection nobody = connected(kNobody);
  v1::TransferLeaderRequest request;
  request.mutable_caller()->set_principal("root");  // a claim, and shown as one
  ASSERT_TRUE(nobody.swarm->transfer_leader(request));
  EXPECT_EQ(swarm_.caller.principal(), user_name(kNobody) + " (sudo by root)@n1");
  ASSERT_TRUE(client().transfer_leader(request));
  EXPECT_EQ(swarm_.caller.principal(), "root@n1");
}

TEST_F(SwarmServiceTest, NamesAreReadByReadersAlone) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to become another user";
  const AdminConnection nobody = connected(kNobody);
  v1::GetHistoryRequest history;
  history.set_name(wire("a"));
  v1::GetAtRequest at;
  at.set_name(wire("a"));
  at.set_time_ms(1);
  v1::ProveRequest mutation;
  mutation.mutable_mutation()->set_node(1);
  v1::ProveRequest leaf;
  leaf.set_leaf(0);
  v1::ExportLedgerRequest bodies;
  bodies.set_from(1);
  bodies.set_to(1);
  bodies.set_bodies(true);
  v1::ExportLedgerRequest no_bodies = bodies;
  no_bodies.set_bodies(false);
  const auto take = [](const v1::ExportPiece&) { return true; };
  const auto refusals = [&](SwarmControl& swarm) {
    std::vector<Refusal> all;
    const auto note = [&](const auto& outcome) {
      if (!outcome) all.push_back(outcome.error());
    };
    note(swarm.history(history));
    note(swarm.at(at));
    note(swarm.diff({}));
    note(swarm.prove(mutation));
    note(swarm.prove(leaf));
    note(swarm.export_ledger(bodies, take));
    return all;
  };
  const auto refused = refusals(*nobody.swarm);
  ASSERT_EQ(refused.size(), 6u);
  for (const Refusal& refusal : refused) {
    EXPECT_EQ(refusal.kind, Refusal::Kind::kForbidden);
    EXPECT_NE(refusal.text.find("node.ledger_readers"), std::string::npos) << refusal.text;
  }
  EXPECT_TRUE(swarm_.asked.empty()) << swarm_.last();
  // What tells no names is for every admin user.
  EXPECT_TRUE(nobody.swarm->export_ledger(no_bodies, take));
  EXPECT_TRUE(nobody.swarm->blocks({}));
  // Live, for connections that are there already.
  server_->set_access({"n1", {kNobody}, {kNobody}});
  EXPECT_TRUE(refusals(*nobody.swarm).empty());
  EXPECT_TRUE(refusals(client()).empty());
}

TEST_F(SwarmServiceTest, WhatMakesNoSenseNeverReachesTheSwarm) {
  const auto take = [](const auto&) { return true; };
  const auto text = [](const auto& outcome) {
    EXPECT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind, Refusal::Kind::kInvalid);
    return outcome.error().text;
  };
  EXPECT_EQ(text(client().init_swarm({})), "name: must have 1 to 63 bytes of printable text");
  EXPECT_EQ(text(client().issue_token({})), "ttl_s: must be 60 (a minute) to 2592000 (30 days)");
  v1::JoinSwarmRequest join;
  EXPECT_EQ(text(client().join_swarm(join, take)), "address: is required, HOST:PORT of a member");
  join.set_address("a:1");
  EXPECT_EQ(text(client().join_swarm(join, take)), "token: is required; a member gives one: swarm token");
  EXPECT_EQ(text(client().remove_member({})), "node: is required, a name or a number");
  EXPECT_EQ(text(client().set_role({})), "node: is required, a name or a number");
  EXPECT_EQ(text(client().recover_swarm({})), "confirm: is required, the swarm's name typed out");
  v1::RotateAuthorityRequest rotate;
  rotate.set_new_root(true);
  EXPECT_EQ(text(client().rotate_authority(rotate)),
            "root_key: is required with new_root; the root in force vouches for its successor");
  const std::string one = "to_height, to_ms: exactly one of them is required";
  EXPECT_EQ(text(client().rollback_swarm_config({})), one);
  v1::RollbackCacheRequest rollback;
  EXPECT_EQ(text(client().rollback_cache(rollback, take)), one);
  rollback.set_to_height(1);
  rollback.set_to_ms(1);
  EXPECT_EQ(text(client().rollback_cache(rollback, take)), one);
  v1::ListBlocksRequest list;
  list.set_limit(1001);
  EXPECT_EQ(text(client().blocks(list)), "limit: must be at most 1000");
  EXPECT_EQ(text(client().block({})), "height: must be at least 1");
  EXPECT_EQ(text(client().history({})), "name: must be a name in wire format");
  v1::GetHistoryRequest history;
  history.set_name(wire("a") + "x");
  EXPECT_EQ(text(client().history(history)), "name: must be a name in wire format");
  history.set_name(wire("a"));
  history.set_qtype(65536);
  EXPECT_EQ(text(client().history(history)), "qtype: must be at most 65535");
  v1::GetAtRequest at;
  at.set_name(wire("a"));
  EXPECT_EQ(text(client().at(at)), "time_ms: is required");
  v1::DiffHeightsRequest diff;
  diff.set_from(2);
  EXPECT_EQ(text(client().diff(diff)), "from: must not be above to");
  EXPECT_EQ(text(client().prove({})), "what: leaf, from_size or mutation is required");
  EXPECT_EQ(text(client().erase_name({})), "name: must be a name in wire format");
  EXPECT_EQ(text(client().export_ledger({}, take)),
            "from, to: heights from 1 on are required, from not above to");
  v1::TransferLeaderRequest transfer;
  transfer.mutable_caller()->set_reason("two\nlines");
  EXPECT_EQ(text(client().transfer_leader(transfer)), "caller.reason: must be one line of at most 500 bytes");
  transfer.mutable_caller()->set_reason("");
  transfer.mutable_caller()->set_request_id("short");
  EXPECT_EQ(text(client().transfer_leader(transfer)), "caller.request_id: must have 16 bytes, or none");
  EXPECT_TRUE(swarm_.asked.empty()) << swarm_.last();
}

TEST_F(SwarmServiceTest, CarriesEveryCallAndAnswer) {
  const auto take = [](const auto&) { return true; };
  v1::InitSwarmRequest init;
  init.set_name("lab");
  swarm_.made.set_node(1);
  EXPECT_EQ(client().init_swarm(init)->node(), 1u);
  v1::IssueTokenRequest token;
  token.set_ttl_s(60);
  swarm_.token.set_token("T");
  EXPECT_EQ(client().issue_token(token)->token(), "T");
  swarm_.committed.set_height(57);
  v1::RemoveMemberRequest remove;
  remove.set_node("n3");
  EXPECT_EQ(client().remove_member(remove)->height(), 57u);
  EXPECT_EQ(client().change_settings({})->height(), 57u);
  swarm_.view.set_name("lab");
  EXPECT_EQ(client().swarm({})->name(), "lab");
  v1::RecoverSwarmRequest recover;
  recover.set_confirm("lab");
  swarm_.recovered.set_incarnation(2);
  EXPECT_EQ(client().recover_swarm(recover)->incarnation(), 2u);
  swarm_.rotated.set_root_key("K");
  EXPECT_EQ(client().rotate_authority({})->root_key(), "K");
  swarm_.applied.set_accepted(true);
  EXPECT_TRUE(client().apply_swarm_config({})->accepted());
  v1::RollbackSwarmConfigRequest back;
  back.set_to_height(3);
  EXPECT_TRUE(client().rollback_swarm_config(back)->accepted());
  swarm_.configs.add_versions()->set_height(9);
  EXPECT_EQ(client().swarm_configs({})->versions_size(), 1);
  swarm_.listed.add_blocks();
  EXPECT_EQ(client().blocks({})->blocks_size(), 1);
  swarm_.shown.set_height(4);
  v1::ShowBlockRequest show;
  show.set_height(4);
  EXPECT_EQ(client().block(show)->height(), 4u);
  swarm_.newest.set_height(8);
  EXPECT_EQ(client().checkpoint({})->height(), 8u);
  v1::EraseNameRequest erase;
  erase.set_name(wire("a"));
  swarm_.erased.set_mutations(3);
  EXPECT_EQ(client().erase_name(erase)->mutations(), 3u);
  swarm_.verified.resize(2);
  int pieces = 0;
  EXPECT_TRUE(client().verify_store({}, [&](const v1::VerifyProgress&) { return ++pieces, true; }));
  EXPECT_EQ(pieces, 2);
  swarm_.progress.resize(3);
  v1::JoinSwarmRequest join;
  join.set_address("a:1");
  join.set_token("T");
  pieces = 0;
  EXPECT_TRUE(client().join_swarm(join, [&](const v1::Progress&) { return ++pieces, true; }));
  EXPECT_EQ(pieces, 3);
  EXPECT_TRUE(client().leave_swarm({}, take));
}

TEST_F(SwarmServiceTest, CarriesEveryRefusalOfCallsAndStreams) {
  for (const auto kind : {Refusal::Kind::kInvalid, Refusal::Kind::kNotFound, Refusal::Kind::kPrecondition,
                          Refusal::Kind::kUnavailable, Refusal::Kind::kForbidden, Refusal::Kind::kFailed,
                          Refusal::Kind::kUnsupported}) {
    swarm_.refusal = Refusal{kind, "because"};
    const auto answer = client().swarm({});
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, kind);
    EXPECT_EQ(answer.error().text, "because");
    const auto stream = client().leave_swarm({}, [](const v1::Progress&) { return true; });
    ASSERT_FALSE(stream);
    EXPECT_EQ(stream.error().kind, kind);
    EXPECT_EQ(stream.error().text, "because");
  }
}

TEST_F(SwarmServiceTest, AControlPlaneWithoutASwarmSaysWhatToDo) {
  connection_ = {};
  start(nullptr);
  connection_ = connected();
  const auto answer = client().swarm({});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, Refusal::Kind::kUnsupported);
  EXPECT_NE(answer.error().text.find("systemctl restart swarmdns-controlplane"), std::string::npos);
}

}  // namespace
}  // namespace swarmdns::controlplane
