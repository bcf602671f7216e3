#include "controlplane/member/config_keeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/controlplane/support/founded.h"

namespace swarmdns::controlplane {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Kind = ConfigVerdict::Kind;

// A node's configuration that takes everything, but for what stands against it.
class FakePort final : public ConfigPort {
 public:
  std::vector<std::string> judge(const v1::KeptConfig& config, const std::string& file) override {
    judged.push_back(config);
    files.push_back(file);
    return problems;
  }
  std::vector<std::string> put_in_force(const v1::KeptConfig& config) override {
    tried.push_back(config);
    if (problems.empty()) now = config;
    return problems;
  }
  v1::KeptConfig in_force() const override { return now; }

  std::vector<v1::KeptConfig> judged, tried;
  std::vector<std::string> files, problems;
  v1::KeptConfig now;
};

// Two members; the first leads.
class ConfigKeeperTest : public FoundedSwarm {
 protected:
  struct Kept {
    FakePort port;
    std::vector<std::string> said;
    std::unique_ptr<ConfigKeeper> keeper;
  };

  ConfigKeeperTest() {
    second.keys = make_keys();
    second.record.set_node(add_member(second.keys, "n2"));
    node(2, second);
    keep(1);
    keep(2);
    reactor.run_for(2000);
  }
  ~ConfigKeeperTest() override { kept.clear(); }

  void keep(NodeId id) {
    Kept& each = kept[id];
    each.keeper =
        std::make_unique<ConfigKeeper>(reactor, net.link(id), *at(id).core, each.port,
                                       [&each](const std::string& text) { each.said.push_back(text); });
    at(id).core->on_other([&each](NodeId from, const v1::PeerMessage& message) {
      if (each.keeper) {
        EXPECT_TRUE(each.keeper->receive(from, message));
      }
    });
    each.keeper->start();
  }
  // As a new start: what is in force is what the port says.
  void restart(NodeId id) {
    kept[id].keeper.reset();
    keep(id);
  }
  std::uint64_t change(const std::string& document) {
    v1::Transaction transaction;
    transaction.mutable_config_changed()->set_document(document);
    if (const auto newest = read<v1::ConfigRecord>(state(), keys::kConfig))
      transaction.mutable_config_changed()->set_follows(newest->height());
    const auto done = order(transaction);
    EXPECT_TRUE(done);
    return done ? done->height : 0;
  }
  std::optional<v1::ConfigOutcome> outcome(NodeId id) {
    return read<v1::ConfigOutcome>(state(), keys::of(keys::kOutcomes, id));
  }
  bool told(NodeId id, std::uint64_t height, bool degraded) {
    return reactor.run_until([&] {
      const auto now = outcome(id);
      return now && now->height() == height && now->degraded() == degraded;
    });
  }
  std::vector<ConfigVerdict> ask(const std::string& document) {
    std::optional<std::vector<ConfigVerdict>> answer;
    kept[1].keeper->check(document, "swarm.yaml", [&](auto verdicts) { answer = std::move(verdicts); });
    EXPECT_TRUE(reactor.run_until([&] { return answer.has_value(); }));
    return answer.value_or(std::vector<ConfigVerdict>());
  }

  Identity second;
  std::map<NodeId, Kept> kept;
};

TEST_F(ConfigKeeperTest, EveryNodePutsItInForceAndSaysSo) {
  const std::uint64_t height = change("all: {}\n");
  ASSERT_TRUE(told(1, height, false));
  ASSERT_TRUE(told(2, height, false));
  EXPECT_EQ(kept[2].port.now.document(), "all: {}\n");
  EXPECT_EQ(kept[2].port.now.name(), "n2");
  EXPECT_EQ(kept[2].port.now.region(), "west");  // as its token said
  EXPECT_EQ(kept[1].port.now.region(), "east");
  EXPECT_EQ(kept[2].keeper->height(), height);
  // Once, and not again.
  const std::uint64_t tip = at(1).chain().height();
  reactor.run_for(120'000);
  EXPECT_EQ(kept[1].port.tried.size(), 1U);
  EXPECT_EQ(at(1).chain().height(), tip);
}

TEST_F(ConfigKeeperTest, OneThatCannotKeepsItsLastGoodOneAndIsNamed) {
  const std::uint64_t good = change("all: {}\n");
  ASSERT_TRUE(told(2, good, false));
  kept[2].port.problems = {"resolver.port: taken", "resolver.address: gone"};
  const std::uint64_t bad = change("all: {node: {}}\n");
  ASSERT_TRUE(told(1, bad, false));
  ASSERT_TRUE(told(2, bad, true));
  EXPECT_EQ(outcome(2)->problem(), "resolver.port: taken; resolver.address: gone");
  EXPECT_EQ(kept[2].port.now.height(), good);
  v1::NodeReport report;
  kept[2].keeper->describe(report);
  EXPECT_EQ(report.config_height(), good);
  EXPECT_THAT(report.config_problem(), HasSubstr("resolver.port"));
  EXPECT_THAT(kept[2].said.back(), HasSubstr("the last good one stays"));
  // It is tried now and then, ever more rarely, without a word each time; when the cause has passed all is
  // well.
  const std::size_t said = kept[2].said.size();
  const std::size_t tried = kept[2].port.tried.size();
  reactor.run_for(100'000);
  EXPECT_EQ(kept[2].port.tried.size(), tried + 2);  // after 30 s and 60 s more
  reactor.run_for(3'600'000);
  EXPECT_LE(kept[2].port.tried.size(), tried + 11);  // every 10 min at last
  EXPECT_EQ(kept[2].said.size(), said);
  kept[2].port.problems.clear();
  ASSERT_TRUE(reactor.run_until([&] { return !outcome(2)->degraded(); }, 1'000'000));
  EXPECT_EQ(kept[2].keeper->problem(), "");
}

TEST_F(ConfigKeeperTest, OneThatWasDegradedTriesAgainWhenItStarts) {
  kept[2].port.problems = {"resolver.port: taken"};
  const std::uint64_t height = change("all: {}\n");
  ASSERT_TRUE(told(2, height, true));
  kept[2].port.problems.clear();
  restart(2);
  ASSERT_TRUE(told(2, height, false));
}

TEST_F(ConfigKeeperTest, OneThatWasAwayTakesTheNewest) {
  kept[2].keeper.reset();
  change("all: {}\n");
  const std::uint64_t newest = change("all: {node: {}}\n");
  EXPECT_TRUE(kept[2].port.tried.empty());
  keep(2);
  ASSERT_TRUE(told(2, newest, false));
  EXPECT_EQ(kept[2].port.tried.size(), 1U);
  // What is in force already is not put in force again by a start.
  restart(2);
  reactor.run_for(60'000);
  EXPECT_EQ(kept[2].port.tried.size(), 1U);
}

TEST_F(ConfigKeeperTest, ANewerOneEndsTheTroubleWithTheOneBefore) {
  kept[2].port.problems = {"resolver.port: taken"};
  ASSERT_TRUE(told(2, change("all: {}\n"), true));
  kept[2].port.problems.clear();
  const std::uint64_t newest = change("all: {node: {}}\n");
  ASSERT_TRUE(told(2, newest, false));
  EXPECT_EQ(kept[2].port.now.height(), newest);
}

TEST_F(ConfigKeeperTest, EveryMemberIsAsked) {
  kept[2].port.problems = {"swarm.yaml: resolver.port: taken"};
  const auto verdicts = ask("all: {}\n");
  ASSERT_EQ(verdicts.size(), 2U);
  EXPECT_EQ(verdicts[0].node, 1U);
  EXPECT_EQ(verdicts[0].kind, Kind::kAccepts);
  EXPECT_EQ(verdicts[1].kind, Kind::kRefuses);
  EXPECT_THAT(verdicts[1].problems, ElementsAre("swarm.yaml: resolver.port: taken"));
  ASSERT_EQ(kept[2].port.judged.size(), 1U);
  EXPECT_EQ(kept[2].port.judged[0].name(), "n2");
  EXPECT_EQ(kept[2].port.judged[0].region(), "west");
  EXPECT_EQ(kept[2].port.judged[0].document(), "all: {}\n");
  EXPECT_EQ(kept[2].port.files[0], "swarm.yaml");
  EXPECT_TRUE(kept[2].port.tried.empty());  // only asked
}

TEST_F(ConfigKeeperTest, WhoDoesNotAnswerIsSilent) {
  net.lose = [](NodeId, NodeId, const v1::PeerMessage& message) {
    return message.has_config_check_request();
  };
  EXPECT_EQ(ask("all: {}\n")[1].kind, Kind::kSilent);
  net.lose = nullptr;
  net.cut(2);
  EXPECT_EQ(ask("all: {}\n")[1].kind, Kind::kSilent);
  net.mend(2);
  EXPECT_EQ(ask("all: {}\n")[1].kind, Kind::kAccepts);
}

TEST_F(ConfigKeeperTest, AnAnswerThatNobodyWaitsForChangesNothing) {
  v1::PeerMessage late;
  late.set_request(77);
  late.mutable_config_check_response()->set_accepted(true);
  EXPECT_TRUE(kept[1].keeper->receive(2, late));
  EXPECT_FALSE(kept[1].keeper->receive(2, v1::PeerMessage()));  // of another's business
}

TEST(MissingMajority, CountsVotersOnly) {
  const auto of = [](std::vector<Kind> kinds) {
    std::vector<ConfigVerdict> verdicts;
    for (const Kind kind : kinds) verdicts.push_back({verdicts.size() + 1, kind, {}});
    return verdicts;
  };
  EXPECT_EQ(missing_majority(of({Kind::kAccepts, Kind::kAccepts, Kind::kRefuses}), {1, 2, 3}), "");
  EXPECT_EQ(missing_majority(of({Kind::kAccepts, Kind::kAccepts, Kind::kSilent}), {1, 2, 3}), "");
  EXPECT_EQ(missing_majority(of({Kind::kAccepts, Kind::kSilent, Kind::kSilent}), {1, 2, 3}),
            "2 of the 3 voters must accept it; 1 does, 2 are silent");
  EXPECT_EQ(missing_majority(of({Kind::kRefuses, Kind::kRefuses, Kind::kSilent}), {1, 2, 3}),
            "2 of the 3 voters must accept it; 0 do, 1 is silent");
  // A stand-by's word does not count, and a voter who was not asked is silent.
  EXPECT_NE(missing_majority(of({Kind::kRefuses, Kind::kAccepts, Kind::kAccepts}), {1}), "");
  EXPECT_NE(missing_majority(of({Kind::kAccepts}), {1, 9}), "");
}

}  // namespace
}  // namespace swarmdns::controlplane
