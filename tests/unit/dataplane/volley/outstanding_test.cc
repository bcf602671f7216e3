#include "dataplane/volley/outstanding.h"

#include <gtest/gtest.h>

#include <set>

namespace swarmdns::volley {
namespace {

Query due_at(std::uint64_t due) {
  Query query;
  query.due = due;
  query.question = static_cast<std::uint32_t>(due);
  return query;
}

TEST(Outstanding, EveryPortAndIdOnceAndFoundAgain) {
  Outstanding table(50000, 4, 9);
  ASSERT_EQ(table.capacity(), 4U * 65536);
  std::set<std::uint32_t> flows;
  for (std::uint32_t i = 0; i < table.capacity(); ++i) {
    ASSERT_FALSE(table.full());
    const auto flow = table.add(due_at(i));
    ASSERT_GE(flow.port, 50000);
    ASSERT_LT(flow.port, 50004);
    flows.insert(std::uint32_t{flow.port} << 16 | flow.id);
    Query* found = table.find(flow.port, flow.id);
    ASSERT_NE(found, nullptr);
    ASSERT_EQ(found->due, i);
  }
  EXPECT_EQ(flows.size(), table.capacity());
  EXPECT_TRUE(table.full());
  EXPECT_EQ(table.open(), table.capacity());
}

TEST(Outstanding, KnowsForeignPorts) {
  Outstanding table(50000, 4, 9);
  EXPECT_EQ(table.find(49999, 1), nullptr);
  EXPECT_EQ(table.find(50004, 1), nullptr);
  ASSERT_NE(table.find(50003, 1), nullptr);
  EXPECT_EQ(table.find(50003, 1)->state, SlotState::Unused);
}

TEST(Outstanding, IdsDoNotComeInOrder) {
  Outstanding table(50000, 1, 9);
  int neighbours = 0;
  int last = -10;
  for (int i = 0; i < 1000; ++i) {
    const int id = table.add(due_at(1)).id;
    neighbours += std::abs(id - last) == 1;
    last = id;
  }
  EXPECT_LT(neighbours, 10);
}

TEST(Outstanding, ExpiresTheOldestAndOnlyThose) {
  Outstanding table(50000, 1, 1);
  std::vector<Outstanding::Flow> flows;
  for (std::uint64_t due = 10; due < 15; ++due) flows.push_back(table.add(due_at(due)));
  table.answered(*table.find(flows[0].port, flows[0].id));
  table.answered(*table.find(flows[2].port, flows[2].id));
  EXPECT_EQ(table.open(), 3U);
  EXPECT_EQ(table.expire(11), nullptr);
  const Query* gone = table.expire(14);
  ASSERT_NE(gone, nullptr);
  EXPECT_EQ(gone->due, 11U);
  EXPECT_EQ(table.find(flows[1].port, flows[1].id)->state, SlotState::Expired);
  EXPECT_EQ(table.expire(14)->due, 13U);
  EXPECT_EQ(table.expire(14), nullptr);
  EXPECT_EQ(table.open(), 1U);
}

TEST(Outstanding, AnsweredOnesMakeRoom) {
  Outstanding table(50000, 1, 1);
  std::vector<Outstanding::Flow> flows;
  while (!table.full()) flows.push_back(table.add(due_at(flows.size())));
  ASSERT_EQ(flows.size(), 65536U);
  table.answered(*table.find(flows[1].port, flows[1].id));
  EXPECT_TRUE(table.full());  // the oldest is still open
  table.answered(*table.find(flows[0].port, flows[0].id));
  EXPECT_FALSE(table.full());
  const auto again = table.add(due_at(7));
  EXPECT_EQ(again.id, flows[0].id);
  table.add(due_at(8));
  EXPECT_TRUE(table.full());
}

TEST(Outstanding, TakesBackTheLast) {
  Outstanding table(50000, 1, 1);
  const auto first = table.add(due_at(1));
  const auto second = table.add(due_at(2));
  table.take_back();
  EXPECT_EQ(table.open(), 1U);
  EXPECT_EQ(table.find(second.port, second.id)->state, SlotState::Unused);
  EXPECT_EQ(table.find(first.port, first.id)->state, SlotState::Open);
  EXPECT_EQ(table.add(due_at(3)).id, second.id);
}

}  // namespace
}  // namespace swarmdns::volley
