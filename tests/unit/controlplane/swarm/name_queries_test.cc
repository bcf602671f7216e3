#include "controlplane/swarm/name_queries.h"

#include <gtest/gtest.h>

#include "tests/unit/controlplane/swarm/fakes.h"

namespace swarmdns::controlplane {
namespace {

using test::Chain;
using test::FakeCache;
using test::FakeDatabase;
using test::FakeLink;
using test::FakeNet;
using test::FakeReactor;
using test::name_key;
using test::put_received;
using test::World;

struct Node {
  Node(FakeNet& net, NodeId id)
      : reactor(net.world), link(net, id), names(reactor, link, store, std::make_shared<PrivateZones>()) {
    link.on_message([this](NodeId from, Channel, v1::PeerMessage message) {
      if (message.has_name_query()) {
        names.receive(from, message.request(), message.name_query());
      } else {
        names.receive(from, message.request(), std::move(*message.mutable_name_answer()));
      }
    });
  }
  FakeReactor reactor;
  FakeLink link;
  FakeDatabase database;
  SegmentStore store{database.columns(), name_key()};
  NameQueries names;
};

class NameQueriesTest : public ::testing::Test {
 protected:
  NameQueries::Answers ask(const std::string& name, std::vector<NodeId> whom) {
    v1::NameQuery query;
    query.set_name(FakeCache::wire(name));
    query.set_limit(10);
    NameQueries::Answers answers;
    answered_ = 0;
    one_.names.ask(query, whom, 2000, [&](NameQueries::Answers all) {
      answers = std::move(all);
      ++answered_;
    });
    EXPECT_EQ(answered_, 0) << "not from within the call";
    world_.run_for(5000);
    EXPECT_EQ(answered_, 1);
    return answers;
  }
  World world_;
  FakeNet net_{world_};
  Node one_{net_, 1};
  Node two_{net_, 2};
  Node three_{net_, 3};
  int answered_ = 0;
};

TEST_F(NameQueriesTest, GathersWhatOthersHave) {
  Chain chain(2);
  put_received(two_.store, chain.add({"a.example", "b.example"}));
  const auto answers = ask("a.example", {2, 3});
  ASSERT_EQ(answers.size(), 2U);
  ASSERT_EQ(answers.at(2).mutations_size(), 1);
  EXPECT_EQ(answers.at(2).mutations(0).node(), 2U);
  EXPECT_EQ(answers.at(3).mutations_size(), 0);
}

TEST_F(NameQueriesTest, WhoIsSilentIsMissing) {
  Chain chain(2);
  put_received(two_.store, chain.add({"a.example"}));
  net_.passes = [](NodeId from, NodeId, const v1::PeerMessage&) { return from != 3; };
  const auto answers = ask("a.example", {2, 3, 9});
  EXPECT_EQ(answers.size(), 1U);
  EXPECT_TRUE(answers.contains(2));
  EXPECT_TRUE(ask("a.example", {}).empty());
}

TEST_F(NameQueriesTest, PrivateNamesAreToldToNobody) {
  Chain chain(2);
  put_received(two_.store, chain.add({"printer.home.arpa"}));
  const auto answers = ask("printer.home.arpa", {2});
  ASSERT_TRUE(answers.contains(2));
  EXPECT_EQ(answers.at(2).mutations_size(), 0);
}

TEST_F(NameQueriesTest, FlushesAboveAreFoundWhenTheyAreAskedFor) {
  std::vector<v1::Mutation> mutations = {Chain::mutation(1, "www.a.example", 1000), {}, {}};
  mutations[1].set_sequence(2);
  mutations[1].set_kind(v1::MUTATION_FLUSH_ZONE);
  mutations[1].set_zone(FakeCache::wire("example"));
  mutations[2].set_sequence(3);
  mutations[2].set_kind(v1::MUTATION_FLUSH_ALL);
  std::vector<std::string> octets;
  for (const v1::Mutation& each : mutations) octets.push_back(each.SerializeAsString());
  v1::SegmentHeader header;
  header.set_node(2);
  header.set_number(1);
  header.set_previous(std::string(32, '\0'));
  header.set_first_mutation(1);
  header.set_last_mutation(3);
  header.set_first_ms(1000);
  header.set_last_ms(1000);
  put_received(one_.store, build_segment(header, octets, SaltSeed{}, test::key_of(2).secret_key));
  v1::NameQuery query;
  query.set_name(FakeCache::wire("www.a.example"));
  query.set_limit(10);
  EXPECT_EQ(answer_name(one_.store, query)->mutations_size(), 1);
  query.set_flushes(true);
  EXPECT_EQ(answer_name(one_.store, query)->mutations_size(), 3);
  query.set_until_ms(999);
  EXPECT_EQ(answer_name(one_.store, query)->mutations_size(), 0);
}

}  // namespace
}  // namespace swarmdns::controlplane
