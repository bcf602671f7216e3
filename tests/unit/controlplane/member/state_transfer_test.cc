// Copies of the ledger, from a server to fetchers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controlplane/member/state_fetcher.h"
#include "controlplane/member/state_files.h"
#include "controlplane/member/state_server.h"
#include "tests/unit/controlplane/support/temp_dir.h"
#include "tests/unit/controlplane/support/test_net.h"
#include "tests/unit/controlplane/support/test_reactor.h"

namespace swarmdns::controlplane {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

// Node 1 serves; 2 and 3 fetch.
class StateTransferTest : public testing::Test {
 protected:
  StateTransferTest() {
    files["000012.sst"] = std::string(2 * StateServer::kPieceMost + 100, 'a');
    files["CURRENT"] = "MANIFEST-000004\n";
    files["000013.log"] = "";
    std::string large;
    for (std::size_t i = 0; i < StateServer::kPieceMost; ++i) large += static_cast<char>(i * 31 >> 3);
    files["MANIFEST-000004"] = large;  // exactly one piece
    server.emplace(
        reactor, net.add(1), [] { return std::string("checkpoint"); },
        [this](const std::string& path) -> std::expected<void, std::string> {
          ++copies;
          if (!copy_problem.empty()) return std::unexpected(copy_problem);
          fs::create_directories(path);
          for (const auto& [name, octets] : files) write_file(path + "/" + name, octets);
          return {};
        },
        dir / "copies");
    net.link(1).on_message([this](NodeId from, Channel channel, const v1::PeerMessage& message) {
      EXPECT_EQ(channel, Channel::kBulk);
      server->receive(from, message.request(), message.state_request());
    });
    for (NodeId id = 2; id <= 3; ++id) {
      StateFetcher::Place place;
      place.directory = dir / ("incoming" + std::to_string(id));
      place.check = [this](const std::string& folder,
                           const v1::Manifest& wanted) -> std::expected<void, std::string> {
        EXPECT_EQ(wanted.height(), 7U);
        EXPECT_TRUE(fs::exists(folder + "/CURRENT"));
        if (!check_problem.empty()) return std::unexpected(check_problem);
        return {};
      };
      place.adopt = [this, id](const std::string& folder) -> std::expected<void, std::string> {
        for (const auto& entry : fs::directory_iterator(folder))
          adopted[id][entry.path().filename().string()] = read_file(entry.path().string());
        return {};
      };
      fetchers[id] = std::make_unique<StateFetcher>(reactor, net.add(id), place);
      net.link(id).on_message([this, id](NodeId from, Channel, const v1::PeerMessage& message) {
        fetchers[id]->receive(from, message);
      });
    }
  }
  void fetch(NodeId id) {
    v1::Manifest manifest;
    manifest.set_height(7);
    outcome[id].reset();
    fetchers[id]->install(1, manifest, [this, id](std::expected<void, std::string> result) {
      outcome[id] = result ? "" : result.error();
    });
  }
  // "" = it came; otherwise why not.
  std::string result(NodeId id) {
    EXPECT_TRUE(reactor.run_until([&] { return outcome[id].has_value(); }, 300'000));
    return outcome[id].value_or("nothing came of it");
  }
  std::size_t copies_there() {
    if (!fs::exists(dir / "copies")) return 0;
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(dir / "copies"), fs::directory_iterator()));
  }
  void alter(const std::function<void(v1::StateResponse&)>& how) {
    net.link(2).on_message([this, how](NodeId from, Channel, v1::PeerMessage message) {
      how(*message.mutable_state_response());
      fetchers[2]->receive(from, message);
    });
  }

  TempDir dir;
  TestReactor reactor;
  TestNet net{reactor};
  std::map<std::string, std::string> files;
  std::map<NodeId, std::map<std::string, std::string>> adopted;
  std::map<NodeId, std::optional<std::string>> outcome;
  std::string check_problem;
  std::string copy_problem;
  int copies = 0;
  std::optional<StateServer> server;
  std::map<NodeId, std::unique_ptr<StateFetcher>> fetchers;
};

TEST_F(StateTransferTest, AWholeCopyComes) {
  fetch(2);
  EXPECT_TRUE(fetchers[2]->progress().running);
  EXPECT_EQ(result(2), "");
  EXPECT_EQ(adopted[2], files);
  EXPECT_FALSE(fetchers[2]->progress().running);
  reactor.run_for(100);
  EXPECT_EQ(copies_there(), 0U);  // nobody needs it any more
}

TEST_F(StateTransferTest, TwoFetchAtOnce) {
  fetch(2);
  fetch(3);
  EXPECT_EQ(result(2), "");
  EXPECT_EQ(result(3), "");
  EXPECT_EQ(adopted[2], files);
  EXPECT_EQ(adopted[3], files);
  EXPECT_EQ(copies, 2);
}

TEST_F(StateTransferTest, ALostPieceIsAskedForAgain) {
  int pieces = 0;
  int requests = 0;
  net.lose = [&](NodeId, NodeId, const v1::PeerMessage& message) {
    if (message.has_state_request() && message.state_request().handle() != 0 && ++requests == 3) return true;
    return !message.state_response().data().empty() && ++pieces == 2;
  };
  fetch(2);
  EXPECT_EQ(result(2), "");
  EXPECT_EQ(adopted[2], files);
  EXPECT_EQ(copies, 1);  // not begun anew
}

TEST_F(StateTransferTest, APeerThatFallsSilentEndsInAnError) {
  net.lose = [&](NodeId, NodeId, const v1::PeerMessage& message) {
    return !message.state_response().data().empty();
  };
  fetch(2);
  reactor.run_for((StateFetcher::kTriesMost - 1) * StateFetcher::kPatienceMs);
  EXPECT_FALSE(outcome[2]);
  EXPECT_THAT(result(2), HasSubstr("did not answer in time"));
  EXPECT_FALSE(adopted.contains(2));
}

TEST_F(StateTransferTest, ASilentPeerEndsInAnError) {
  net.cut(1);
  fetch(2);
  reactor.run_for(StateFetcher::kOpenPatienceMs - 1);
  EXPECT_FALSE(outcome[2]);
  EXPECT_THAT(result(2), HasSubstr("did not answer in time"));
}

TEST_F(StateTransferTest, AnAlteredPieceIsFound) {
  alter([](v1::StateResponse& response) {
    if (response.data().size() == 100) (*response.mutable_data())[50] = 'b';
  });
  fetch(2);
  EXPECT_THAT(result(2), HasSubstr("000012.sst of the copy is not what was announced"));
  EXPECT_FALSE(adopted.contains(2));
}

TEST_F(StateTransferTest, ACutPieceIsFound) {
  alter([](v1::StateResponse& response) {
    if (!response.data().empty()) response.mutable_data()->pop_back();
  });
  fetch(2);
  EXPECT_THAT(result(2), HasSubstr("is cut"));
}

TEST_F(StateTransferTest, NamesThatLeaveTheFolderAreRefused) {
  alter([](v1::StateResponse& response) {
    if (response.files_size() > 0) response.mutable_files(0)->set_name("../escaped");
  });
  fetch(2);
  EXPECT_THAT(result(2), HasSubstr("names a file that cannot be"));
  EXPECT_FALSE(fs::exists(dir / "escaped"));
}

TEST_F(StateTransferTest, WhatDoesNotPassTheCheckIsNotTaken) {
  check_problem = "the chain has been forked";
  fetch(2);
  EXPECT_EQ(result(2), check_problem);
  EXPECT_FALSE(adopted.contains(2));
}

TEST_F(StateTransferTest, ACopyThatCannotBeMadeIsSaid) {
  copy_problem = "no space left";
  fetch(2);
  EXPECT_THAT(result(2), HasSubstr("no space left"));
  copy_problem.clear();
  fetch(2);
  EXPECT_EQ(result(2), "");
}

TEST_F(StateTransferTest, GivenUpItIsNotHeardOfAgain) {
  for (const std::uint64_t after : {0, 1, 2, 3, 4, 5, 6, 7}) {
    fetch(2);
    reactor.run_for(after);
    if (outcome[2]) break;  // too late to give it up
    fetchers[2]->cancel();
    reactor.run_for(200'000);
    EXPECT_FALSE(outcome[2]) << after;
  }
  reactor.run_for(200'000);
  EXPECT_EQ(copies_there(), 0U);  // left alone they go
  fetch(2);
  EXPECT_EQ(result(2), "");
}

// Whatever an earlier fetch still has on its way is none of the next one's.
TEST_F(StateTransferTest, BegunAnewWhileAnswersAreOnTheirWay) {
  for (const std::uint64_t after : {1, 2, 3, 4, 5}) {
    fetch(2);
    reactor.run_for(after);
    fetch(2);
    EXPECT_EQ(result(2), "") << after;
    EXPECT_EQ(adopted[2], files);
  }
}

TEST_F(StateTransferTest, AnotherNodesCopyIsNotGiven) {
  fetch(2);
  reactor.run_until([&] { return copies == 1; });
  reactor.run_for(1);
  v1::StateRequest request;
  request.set_handle(1);
  request.set_bytes(10);
  server->receive(3, 77, request);
  reactor.settle();
  const auto refused = std::ranges::find_if(net.sent, [](const auto& each) { return each.to == 3; });
  ASSERT_NE(refused, net.sent.end());
  EXPECT_EQ(refused->message.request(), 77U);
  EXPECT_THAT(refused->message.state_response().problem(), HasSubstr("no such copy"));
  EXPECT_EQ(refused->message.state_response().data(), "");
  request.set_done(true);  // nor may it be ended by another
  server->receive(3, 78, request);
  EXPECT_EQ(result(2), "");
}

TEST_F(StateTransferTest, OnlySoManyCopiesAtOnce) {
  v1::StateRequest open;
  for (NodeId id = 10; id < 10 + StateServer::kCopiesMost; ++id) server->receive(id, 1, open);
  fetch(2);
  EXPECT_THAT(result(2), HasSubstr("ask again"));
  reactor.run_for(2 * StateServer::kIdleMs);
  fetch(2);
  EXPECT_EQ(result(2), "");
}

TEST_F(StateTransferTest, RequestsThatCannotBe) {
  fetch(2);
  reactor.run_until([&] { return copies == 1; });
  reactor.run_for(1);
  net.sent.clear();
  v1::StateRequest request;
  request.set_handle(1);
  request.set_file(99);
  server->receive(2, 1'000'000, request);
  ASSERT_FALSE(net.sent.empty());
  EXPECT_THAT(net.sent.back().message.state_response().problem(), HasSubstr("no such file"));
}

}  // namespace
}  // namespace swarmdns::controlplane
